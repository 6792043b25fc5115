"""Tests of `offline.suggestions`: what editors write into the document is taken for what it is."""

from __future__ import annotations

import pytest

from offline.domain import PassId, WordRef
from offline.suggestions import LONGEST_TEXT, Choice, Suggestion, SuggestionKind, parse_choice

NAME = "1.3-4>2.3-4"
SUGGESTION = Suggestion(
    id=NAME,
    kind=SuggestionKind.REPLACE,
    words=(WordRef(PassId("1"), 3),),
    text=" that",
    alternative=" their",
    before="to",
    after=" house",
    pass_id=PassId("2"),
    start_ms=300,
    end_ms=400,
)
FIELDS = SUGGESTION.fields()


def test_a_suggestion_is_read_as_it_was_written() -> None:
    assert Suggestion.parse(NAME, FIELDS) == SUGGESTION
    assert Suggestion.parse(NAME, FIELDS | {"start_ms": 300.0, "more": 1}) == SUGGESTION


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        {},
        FIELDS | {"kind": "burn"},
        FIELDS | {"text": 5},
        FIELDS | {"before": None},
        FIELDS | {"words": ["1"]},
        FIELDS | {"words": [7]},
        FIELDS | {"start_ms": float("nan")},
        FIELDS | {"end_ms": -1},
        FIELDS | {"alternative": (LONGEST_TEXT + 1) * "x"},
    ],
)
def test_anything_else_is_none(value: object) -> None:
    assert Suggestion.parse(NAME, value) is None


def test_one_under_a_name_that_no_hunk_has_is_none() -> None:
    assert Suggestion.parse("anything", FIELDS) is None


def test_choices_are_read_tolerantly() -> None:
    values = ["accepted", "dismissed", "perhaps", None, 5, ["accepted"]]

    assert [parse_choice(value) for value in values] == [
        Choice.ACCEPTED,
        Choice.DISMISSED,
        None,
        None,
        None,
        None,
    ]
