"""Tests of `streaming.engines.decoding`."""

from __future__ import annotations

import pytest

from streaming.core.domain import SAMPLE_RATE, Permille, Samples, Span, Word
from streaming.engines.decoding import after, padded_length, rest_length, seek, token_cap

BEGIN = 1_000
"""The first timestamp token of a tokenizer; words are 1, 2, 3 ..."""


@pytest.mark.parametrize(
    ("seconds", "padded"), [(0, 10), (8.9, 10), (9, 10), (9.1, 10.5), (12.4, 13.5), (29.5, 30)]
)
def test_windows_have_few_lengths(seconds: float, padded: float) -> None:
    assert padded_length(round(seconds * SAMPLE_RATE)) == padded * SAMPLE_RATE


@pytest.mark.parametrize(("seconds", "long"), [(2, 15), (10, 15), (10.1, 15.5), (20, 25), (28, 30)])
def test_so_do_rests(seconds: float, long: float) -> None:
    assert rest_length(round(seconds * SAMPLE_RATE)) == long * SAMPLE_RATE


def word(text: str, start: int, end: int) -> Word:
    return Word(text, Span(Samples(start), Samples(end)), Permille(900))


@pytest.mark.parametrize(
    ("before", "words", "rest"),
    [
        ([], [word(" a", 0, 1)], 1),
        ([word(" a", 0, 1)], [], 0),
        ([word(" day,", 0, 16_000)], [word(" Day", 16_000, 16_000), word(" b", 17_000, 18_000)], 1),
        ([word(" day", 0, 16_000)], [word(" b", 16_000, 17_000)], 1),
        ([word(" no,", 0, 16_000)], [word(" no", 20_000, 22_000)], 1),
    ],
)
def test_a_word_is_not_heard_twice_where_decoding_goes_on(
    before: list[Word], words: list[Word], rest: int
) -> None:
    assert list(after(before, words)) == words[len(words) - rest :]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([], None),
        ([1, 2], None),
        # One segment, then its end: nothing comes after it in this window.
        ([BEGIN, 1, 2, BEGIN + 50], None),
        # Two segments, the second with its end.
        ([BEGIN, 1, BEGIN + 50, BEGIN + 50, 2, BEGIN + 90], None),
        # The second segment was begun and not ended: from its beginning on.
        ([BEGIN, 1, BEGIN + 50, BEGIN + 50, 2], (3, 50 * 320)),
        ([BEGIN, 1, BEGIN + 50, BEGIN + 50], (3, 50 * 320)),
        ([BEGIN, 1, BEGIN + 20, BEGIN + 25, 2, BEGIN + 50, BEGIN + 60, 3], (6, 50 * 320)),
        # Nothing was heard, and to begin again at the same place would never end.
        ([BEGIN, BEGIN, 1], None),
    ],
)
def test_decoding_goes_on_where_the_last_whole_segment_ended(
    tokens: list[int], expected: tuple[int, int] | None
) -> None:
    found = seek(tokens, BEGIN)

    assert (None if found is None else (found.tokens, found.samples)) == expected


def test_a_text_may_be_as_long_as_nobody_speaks() -> None:
    assert token_cap(0) == 10
    assert token_cap(10 * SAMPLE_RATE) == 65
