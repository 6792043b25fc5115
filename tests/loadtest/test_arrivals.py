"""Tests of `loadtest.arrivals`."""

from loadtest.arrivals import Arrival, corrected_words, disordered_finals, live_words
from tests.loadtest.spoken import final, words
from trax_client import Correction, Speaker


def test_corrections_are_told_apart_from_what_was_live() -> None:
    arrivals = [
        final(1, "so may"),
        Arrival(2, Correction(2, 0, "utterance", 0, 800, words("so my"))),
        Arrival(3, Speaker(3, 0, 800, "S1")),
    ]

    assert [word.text for word in live_words(arrivals)] == [" so", " may"]
    assert [word.text for word in corrected_words(arrivals)] == [" so", " my"]
    assert {word.speaker for word in live_words(arrivals)} == {"S1"}


def test_a_final_that_begins_before_the_one_before_it_ends_is_noticed() -> None:
    assert disordered_finals([final(1, "so my"), final(2, "fellow", 800)]) == 0
    assert disordered_finals([final(1, "so my"), final(2, "mine", 400)]) == 1
