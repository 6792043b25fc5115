"""Tests of `trax_client.suggestions`: whatever editors write, and where a text is found."""

from __future__ import annotations

import pytest

from trax_client.document import Run, Suggestion, SuggestionKind
from trax_client.suggestions import as_suggestions, find

FIELDS: dict[str, object] = {
    "kind": "replace",
    "words": ["1.3"],
    "text": " that",
    "alternative": " their",
    "before": "to",
    "after": " house",
    "pass": "2",
    "start_ms": 300.0,  # Yjs has no whole numbers.
    "end_ms": 400.0,
}
SUGGESTION = Suggestion(
    "x", SuggestionKind.REPLACE, " that", " their", "to", " house", ("1.3",), 300, 400
)


def test_a_suggestion_is_read() -> None:
    assert as_suggestions({"x": FIELDS}, {}) == (SUGGESTION,)


def test_what_was_decided_is_left_out_and_the_rest_in_order_of_time() -> None:
    made = {"x": FIELDS, "y": FIELDS | {"start_ms": 0}, "z": FIELDS}

    assert [each.id for each in as_suggestions(made, {"z": "anything"})] == ["y", "x"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        [],
        {},
        FIELDS | {"kind": "burn"},
        FIELDS | {"text": 5},
        FIELDS | {"words": "1.3"},
        FIELDS | {"start_ms": "0"},
        FIELDS | {"start_ms": float("nan")},
        FIELDS | {"end_ms": float("inf")},
        FIELDS | {"start_ms": 500},
    ],
)
def test_anything_else_is_left_out(value: object) -> None:
    assert as_suggestions({"x": value}, {}) == ()


def runs(*texts: tuple[str, str | None]) -> list[Run]:
    found, start = [], 0
    for text, segment in texts:
        found.append(Run(start, text, segment))
        start += len(text)
    return found


def test_a_text_is_found_by_what_stands_around_it() -> None:
    text = runs(("that we went to that house", None))

    assert find(text, SUGGESTION) == (15, 20)


@pytest.mark.parametrize("text", ["", "went to this house", "went to that home"])
def test_a_text_that_is_gone_is_not_found(text: str) -> None:
    assert find(runs((text, None)), SUGGESTION) is None


def test_of_equal_texts_the_one_is_meant_that_its_words_were_written_to() -> None:
    twice = "to that house"

    assert find(runs((twice, "1:0:4"), (" or ", None), (twice, "1:4:8")), SUGGESTION) == (2, 7)
    assert find(runs((twice, "1:4:8"), (" or ", None), (twice, "1:0:4")), SUGGESTION) == (19, 24)
    for segments in (("1:0:4", "1:0:4"), (None, None), ("2:0:4", "no segment")):
        text = runs((twice, segments[0]), (" or ", None), (twice, segments[1]))
        assert find(text, SUGGESTION) is None


OH = Suggestion("x", SuggestionKind.REPLACE, "Oh", "Ah", "", "", ("1.3",), 300, 400)


def test_a_word_is_not_found_in_another_one() -> None:
    assert find(runs(("In ", "1:0:4"), ("\nOhio", "1:0:4")), OH) is None
    assert find(runs(("into that house", None)), SUGGESTION) is None
    assert find(runs(("to that houses", None)), SUGGESTION) is None


def test_a_turn_that_is_one_word_is_found_by_that_word_only() -> None:
    assert find(runs(("Well\n", None), ("Oh", "1:3:4"), ("\nYes", None)), OH) == (5, 7)
    assert find(runs(("Well\n", None), ("Oh", "1:8:9"), ("\nYes", None)), OH) is None
    assert find(runs(("Well\n", None), ("Oh, no", "1:3:5")), OH) is None


def test_what_quotes_nothing_is_nowhere() -> None:
    nothing = Suggestion("x", SuggestionKind.INSERT, "", "a", "", "", (), 0, 0)

    assert find(runs(("text", None)), nothing) is None
