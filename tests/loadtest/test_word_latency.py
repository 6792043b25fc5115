"""Tests of `loadtest.word_latency`."""

import pytest

from loadtest.arrivals import Arrival
from loadtest.scoring import Token
from loadtest.word_latency import (
    WordLatency,
    count_retracted,
    final_words,
    word_latencies,
)
from tests.loadtest.spoken import ended, final, partial


def latency(final_s: float, shown_s: float) -> WordLatency:
    # Arrivals minus ends: equal up to rounding.
    return WordLatency(pytest.approx(final_s), pytest.approx(shown_s))  # type: ignore[arg-type]


def test_a_word_counts_from_its_true_end() -> None:
    arrivals = [partial(0.9, "so"), partial(1.4, "so my"), final(2.0, "so my")]
    said = [Token("so", 0.0, 0.5, "A"), Token("my", 0.5, 1.0, "A")]

    assert word_latencies(final_words(arrivals), said) == (latency(1.5, 0.4), latency(1.0, 0.4))


def test_without_truth_a_word_ends_where_the_recognizer_says() -> None:
    assert word_latencies(final_words([final(2.0, "so my")]), None) == (
        latency(1.6, 1.6),
        latency(1.2, 1.2),
    )


def test_words_that_are_wrong_have_no_latency() -> None:
    said = [Token("so", 0.0, 0.5, "A"), Token("my", 0.5, 1.0, "A")]

    assert len(word_latencies(final_words([final(2.0, "so mine")]), said)) == 1


def test_the_same_word_at_another_time_shows_nothing_of_this_one() -> None:
    arrivals = [partial(0.9, "so", start_ms=0), final(3.0, "so", start_ms=2000)]

    assert word_latencies(final_words(arrivals), None) == (latency(0.6, 0.6),)


def test_a_partial_of_another_utterance_shows_nothing_of_this_one() -> None:
    arrivals = [partial(0.9, "so", utterance=0), final(2.0, "so", utterance=1)]

    assert word_latencies(final_words(arrivals), None) == (latency(1.6, 1.6),)


def test_a_word_that_was_first_shown_with_other_punctuation_was_shown() -> None:
    arrivals = [partial(0.9, "So,"), final(2.0, "so")]

    assert word_latencies(final_words(arrivals), None) == (latency(1.6, 0.5),)


@pytest.mark.parametrize(
    ("arrivals", "retracted"),
    [
        ([partial(1, "so"), partial(2, "so my"), final(3, "so my"), ended(4)], 0),
        ([partial(1, "so may"), partial(2, "so my fellow")], 1),
        ([partial(1, "so may"), final(2, "so my")], 1),
        ([partial(1, "so my fellow"), partial(2, "so my")], 1),
        ([partial(1, "So, my"), partial(2, "so my.")], 0),
        ([partial(1, "so my fellow"), final(2, "so"), partial(3, "my yellow", 400)], 1),
        ([partial(1, "so my"), final(2, "so"), ended(3)], 1),
        ([partial(1, "so"), partial(3, "my", utterance=1)], 0),
        ([partial(1, "so"), ended(2)], 1),
        ([partial(1, "so"), partial(2, "may"), partial(3, "so")], 2),
        ([], 0),
    ],
)
def test_a_word_is_taken_back_when_its_place_gets_another_or_none(
    arrivals: list[Arrival], retracted: int
) -> None:
    assert count_retracted(arrivals) == retracted
