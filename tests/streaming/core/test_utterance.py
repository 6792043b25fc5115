"""Tests of `streaming.core.utterance`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.core.domain import Samples, Span, UtteranceId, Word
from streaming.core.utterance import JITTER, Utterance, in_order
from tests.streaming.core.scripts import SETTINGS, text_of, word

START = Samples(10_000)
LIVE = replace(
    SETTINGS.live,
    longest_window=Samples(50_000),
    context=Samples(20_000),
    overlooked=Samples(1_000),
)
CHOSEN = replace(SETTINGS, lookahead=Samples(1_000), max_delay=Samples(40_000), live=LIVE)


@pytest.fixture
def utterance() -> Utterance:
    return Utterance(UtteranceId(3), START, CHOSEN)


def window(
    utterance: Utterance, until: int, floor: int = 0, *, speech_end: int = START
) -> tuple[int, int]:
    span = utterance.window(Samples(until), Samples(speech_end), Samples(floor))
    return span.start, span.end


def hear(utterance: Utterance, until: int, *words: Word) -> str:
    return text_of(utterance.hear(words, Samples(until)))


# --- What is expected -----------------------------------------------------------------------------


def test_expected_is_what_was_heard_last_from_where_the_window_begins(
    utterance: Utterance,
) -> None:
    hear(utterance, 30_000, word(" one", 11_000, 14_000), word(" two", 15_000, 21_000))
    hear(utterance, 40_000, word(" one,", 11_000, 14_000), word(" too,", 15_000, 21_000))

    assert [utterance.expected(Samples(at)) for at in (10_000, 17_999, 18_000)] == [
        " one, too,",
        " too,",
        "",
    ]


# --- Order ----------------------------------------------------------------------------------------


def test_words_are_put_in_order_and_into_the_window() -> None:
    words = [word("a", 5, 30), word("b", 20, 25), word("c", 40, 60), word("d", 70, 80)]

    placed = in_order(words, Span(Samples(10), Samples(50)))

    assert [(each.text, each.span.start, each.span.end) for each in placed] == [
        ("a", 10, 30),
        ("b", 30, 30),
        ("c", 40, 50),
        ("d", 50, 50),
    ]


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 50))), st.integers(0, 99))
def test_words_in_any_order_never_overlap_afterwards(
    times: list[tuple[int, int]], start: int
) -> None:
    within = Span(Samples(start), Samples(start + 40))

    placed = in_order([word("a", at, at + length) for at, length in times], within)

    edges = [edge for each in placed for edge in (each.span.start, each.span.end)]
    assert len(placed) == len(times)
    assert edges == sorted(edges)
    assert all(within.start <= edge <= within.end for edge in edges)


# --- Windows --------------------------------------------------------------------------------------


def test_a_window_goes_from_the_start_to_the_newest_audio(utterance: Utterance) -> None:
    assert window(utterance, 15_000) == (START, 15_000)


def test_a_window_begins_after_final_words_of_an_utterance_that_was_cut(
    utterance: Utterance,
) -> None:
    assert window(utterance, 15_000, floor=12_000) == (12_000, 15_000)
    assert utterance.heard_from == 12_000
    assert window(utterance, 15_000, floor=16_000) == (15_000, 15_000)


def test_a_window_that_would_grow_too_long_begins_at_a_final_word(utterance: Utterance) -> None:
    words = [word(each, 10_000 * n, 10_000 * n + 5_000) for n, each in enumerate("abcde", 1)]
    hear(utterance, 58_000, *words)
    hear(utterance, 60_000, *words)
    assert text_of(utterance.finals) == "abcde"

    assert window(utterance, 60_000) == (START, 60_000)
    # The last final word that leaves the context: at 40 000.
    assert window(utterance, 60_001) == (40_000, 60_001)
    assert window(utterance, 62_000) == (40_000, 62_000)


def test_a_long_window_without_final_words_is_not_cut(utterance: Utterance) -> None:
    assert window(utterance, 99_000) == (START, 99_000)


def test_settling_moves_no_window(utterance: Utterance) -> None:
    hear(utterance, 15_000, word("a", 11_000, 12_000), word("b", 12_000, 14_000))

    assert text_of(utterance.settle()) == "ab"
    assert window(utterance, 16_000) == (START, 16_000)
    assert utterance.pending == ()
    assert utterance.settle() == ()


def test_a_window_begins_after_the_last_final_word_where_speech_was_overlooked(
    utterance: Utterance,
) -> None:
    hear(utterance, 15_000, word("a", 11_000, 14_000))
    assert window(utterance, 15_500, speech_end=15_000) == (START, 15_500), "a is not final"

    utterance.settle()

    assert window(utterance, 15_500, speech_end=14_999) == (START, 15_500)
    assert window(utterance, 15_500, speech_end=15_000) == (14_000, 15_500)


def test_speech_that_no_window_reached_was_not_overlooked(utterance: Utterance) -> None:
    hear(utterance, 14_500, word("a", 11_000, 14_000))
    utterance.settle()

    assert window(utterance, 16_000, speech_end=16_000) == (START, 16_000)


# --- Words ----------------------------------------------------------------------------------------


def test_words_become_final_as_passes_agree(utterance: Utterance) -> None:
    assert hear(utterance, 13_000, word("a", 11_000, 12_000)) == ""
    assert (text_of(utterance.pending), utterance.stable) == ("a", 0)

    assert hear(utterance, 14_000, word("a", 11_000, 12_000), word("b", 13_500, 14_000)) == "a"

    assert text_of(utterance.finals) == "a"
    assert utterance.heard_until == 14_000


def test_words_that_are_only_considered_stay_pending(utterance: Utterance) -> None:
    for _ in range(2):
        utterance.consider([word("a", 11_000, 12_000)], Samples(60_000))

    assert (text_of(utterance.pending), utterance.stable) == ("a", 1)
    assert utterance.finals == []


@pytest.fixture
def after_a(utterance: Utterance) -> Utterance:
    """An utterance with a final word from 11 000 to 14 000."""
    for _ in range(2):
        hear(utterance, 15_000, word(" a", 11_000, 14_000))
    assert text_of(utterance.finals) == " a"
    return utterance


def pending(utterance: Utterance, *words: Word) -> list[tuple[str, int, int]]:
    utterance.consider(words, Samples(20_000))
    return [(each.text, each.span.start, each.span.end) for each in utterance.pending]


def test_words_of_the_window_that_are_final_are_left_out(after_a: Utterance) -> None:
    assert pending(after_a, word(" A,", 11_100, 13_900), word(" b", 13_900, 16_000)) == [
        (" b", 14_000, 16_000)
    ]


def test_a_final_word_heard_longer_is_not_heard_twice(after_a: Utterance) -> None:
    again = word(" a", 14_000 - JITTER - 1, 16_000)

    assert pending(after_a, again, word(" b", 16_000, 17_000)) == [(" b", 16_000, 17_000)]


def test_a_word_said_twice_is_heard_twice(after_a: Utterance) -> None:
    assert pending(after_a, word(" a", 14_000 - JITTER, 16_000)) == [(" a", 14_000, 16_000)]


def test_another_word_there_is_new(after_a: Utterance) -> None:
    assert pending(after_a, word(" b", 12_500, 16_000)) == [(" b", 14_000, 16_000)]


# --- Ends -----------------------------------------------------------------------------------------


def test_the_end_makes_pending_words_final(utterance: Utterance) -> None:
    hear(utterance, 15_000, word("a", 11_000, 12_000), word("b", 14_000, 15_000))
    utterance.end(Span(START, Samples(15_000)), Samples(14_500))

    assert text_of(utterance.close()) == "ab"
    assert (utterance.speech_end, text_of(utterance.finals)) == (14_500, "ab")


def test_words_after_a_cut_are_left_to_the_next_utterance(utterance: Utterance) -> None:
    hear(utterance, 15_000, word("a", 11_000, 13_000), word("b", 13_000, 15_000))
    utterance.end(Span(START, Samples(13_000)), Samples(15_000))

    assert text_of(utterance.close()) == "a"
