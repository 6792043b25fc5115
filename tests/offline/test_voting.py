"""Tests of `offline.voting`."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.voting import vote
from streaming.core.domain import SAMPLE_RATE, Permille, Samples, Span, Word


def reading(text: str, confidence: int = 800, start_s: float = 0) -> list[Word]:
    """Return words of half a second each; `-` stands for half a second without."""
    return [
        Word(
            f" {each}",
            Span(
                Samples(round((start_s + n / 2) * SAMPLE_RATE)),
                Samples(round((start_s + n / 2 + 0.5) * SAMPLE_RATE)),
            ),
            Permille(confidence),
        )
        for n, each in enumerate(text.split())
        if each != "-"
    ]


def text(*readings: list[Word]) -> str:
    return "".join(word.text for word in vote(readings).words).strip()


def test_no_reading_says_nothing() -> None:
    assert vote([]).words == ()
    assert vote([[], []]).words == ()
    assert vote([]).agreed == 1


def test_one_reading_has_its_way() -> None:
    words = reading("a b c")

    assert list(vote([words]).words) == words
    assert vote([words]).agreed == 1


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_two_of_three_have_their_way(order: tuple[int, ...]) -> None:
    three = [
        reading("we met in March - at noon"),
        reading("we met in arch at at noon"),
        reading("we - in March - at soon"),
    ]

    assert text(*(three[n] for n in order)) == "we met in March at noon"


def test_of_two_the_surer_has_its_way() -> None:
    assert text(reading("met", 900), reading("bet", 500)) == "met"
    assert text(reading("met", 500), reading("bet", 900)) == "bet"


def test_a_sure_word_stands_against_nothing() -> None:
    assert text(reading("a b c", 900), reading("a - c", 900)) == "a b c"
    assert text(reading("a - c", 900), reading("a b c", 900)) == "a b c"


def test_an_unsure_word_does_not_stand_against_two_that_hear_none() -> None:
    assert text(reading("a b c", 300), reading("a - c"), reading("a - c")) == "a c"


def test_of_words_that_are_the_same_the_surest_is_taken_as_it_is_written() -> None:
    assert text(reading("paris", 700), reading("Paris,", 900), reading("paris", 600)) == "Paris,"


def test_words_that_are_far_apart_are_not_the_same() -> None:
    early, late = reading("yes"), reading("yes", start_s=8)

    assert len(vote([early, late]).words) == 2


def test_agreement_is_the_part_that_all_say() -> None:
    assert vote([reading("a b c d"), reading("a x - d")]).agreed == 0.5


readings = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "a-", "-"]), max_size=8).map(" ".join).map(reading),
    max_size=4,
)


@given(readings)
def test_only_what_was_read_is_elected_and_what_all_read_alike_always(
    read: list[list[Word]],
) -> None:
    elected = vote(read)

    assert all(any(word in each for each in read) for word in elected.words)
    assert 0 <= elected.agreed <= 1
    for each in read:
        assert list(vote([each] * 3).words) == each
    assert vote(read) == vote(read)
