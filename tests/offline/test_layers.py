"""Rows of earlier words: what only parts were heard of is filled from before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offline.domain import PassWord
from offline.layers import Words, layers
from streaming.core.domain import Permille


def heard(text: str, start_s: int, end_s: int) -> Words:
    """Return a word a second."""
    return tuple(
        PassWord(text, 1000 * second, 1000 * second + 800, Permille(900))
        for second in range(start_s, end_s)
    )


def told(row: Words) -> str:
    return "".join(word.text for word in row)


def test_passes_over_everything_stay_as_they_are() -> None:
    live, utterance = heard("a", 0, 4), heard("b", 0, 4)

    assert layers([live, (), utterance], []) == (live, (), utterance)
    assert layers([], []) == ()


def test_stretches_beside_each_other_are_one_row_and_gaps_are_filled() -> None:
    live = heard("a", 0, 9)

    rows = layers([live], [heard("b", 0, 2), heard("c", 2, 4), (), heard("d", 6, 8)])

    assert [told(row) for row in rows] == ["aaaaaaaaa", "bbccaadda"]


def test_what_is_heard_once_more_is_a_row_of_its_own() -> None:
    rows = layers(
        [heard("a", 0, 6)],
        [heard("b", 0, 3), heard("c", 3, 6), heard("d", 0, 6), heard("e", 2, 4)],
    )

    assert [told(row) for row in rows] == ["aaaaaa", "bbbccc", "dddddd", "ddeedd"]


def test_parts_need_nothing_before_them() -> None:
    assert [told(row) for row in layers([], [heard("b", 3, 5), heard("c", 0, 2)])] == ["ccbb"]


PARTS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6)), max_size=12)


@given(PARTS)
def test_each_row_has_each_second_once_and_the_newest_word_of_it(
    parts: list[tuple[int, int]],
) -> None:
    texts = [chr(ord("A") + number) for number in range(len(parts))]
    passes = [heard(t, start, start + n) for t, (start, n) in zip(texts, parts, strict=True)]
    newest = ["a"] * 30
    for text, (start, length) in zip(texts, parts, strict=True):
        newest[start : start + length] = [text] * length

    rows = layers([heard("a", 0, 30)], passes)

    assert all([word.start_ms for word in row] == list(range(0, 30_000, 1000)) for row in rows)
    assert told(rows[-1]) == "".join(newest)
    assert len(rows) <= 1 + len(parts)
