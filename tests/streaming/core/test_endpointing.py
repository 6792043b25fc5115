"""Tests of `streaming.core.endpointing`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.core.domain import FRAME, Samples, Span
from streaming.core.endpointing import Boundary, Endpointer, EndpointRules

START = Samples(100)


def frames(count: int) -> Samples:
    return Samples(count * FRAME)


RULES = EndpointRules(
    begin=0.5,
    go_on=0.35,
    lead=frames(2),
    minimum=frames(3),
    pause=frames(10),
    breath=frames(4),
    long=frames(50),
    longest=frames(80),
)

Heard = list[tuple[Boundary, Span]]


def hear(endpointer: Endpointer, probabilities: Iterable[float]) -> Heard:
    """Push frames, and return each boundary with the utterance as it was then, in frames."""
    heard: Heard = []
    for probability in probabilities:
        boundary = endpointer.push(probability)
        if boundary is not Boundary.NONE:
            heard.append((boundary, endpointer.utterance))
    return heard


def in_frames(heard: Heard) -> list[tuple[Boundary, float, float]]:
    return [
        (boundary, (span.start - START) / FRAME, (span.end - START) / FRAME)
        for boundary, span in heard
    ]


@pytest.fixture
def endpointer() -> Endpointer:
    return Endpointer(RULES, START)


def test_an_utterance_is_speech_with_a_little_before_and_after(endpointer: Endpointer) -> None:
    heard = hear(endpointer, [0] * 5 + [1] * 6 + [0] * 20)

    assert in_frames(heard) == [(Boundary.BEGAN, 3, 8), (Boundary.ENDED, 3, 13)]


def test_a_click_is_no_utterance(endpointer: Endpointer) -> None:
    assert hear(endpointer, [0] * 5 + [1, 1, 0] * 5 + [0] * 20) == []


def test_speech_begins_at_one_threshold_and_goes_on_at_a_lower_one(endpointer: Endpointer) -> None:
    assert hear(endpointer, [0.49] * 20) == []
    heard = hear(endpointer, [0.5] + [0.35] * 30 + [0.34] * 10)

    assert in_frames(heard) == [(Boundary.BEGAN, 18, 23), (Boundary.ENDED, 18, 53)]


def test_silence_counts_from_the_last_voiced_frame(endpointer: Endpointer) -> None:
    hear(endpointer, [1] * 4 + [0] * 9)
    assert endpointer.silence == frames(9)
    assert hear(endpointer, [0.4]) == []

    assert endpointer.silence == 0
    assert endpointer.voiced_until == endpointer.position == START + frames(14)


def test_no_utterance_begins_before_the_session_or_the_end_of_the_last(
    endpointer: Endpointer,
) -> None:
    heard = hear(endpointer, [1] * 50 + [0] * 4 + [1] * 3)

    # The breath is shorter than what is kept after and taken in before.
    assert in_frames(heard) == [
        (Boundary.BEGAN, 0, 3),
        (Boundary.ENDED, 0, 52),
        (Boundary.BEGAN, 52, 57),
    ]


def test_a_breath_ends_only_a_long_utterance(endpointer: Endpointer) -> None:
    assert len(hear(endpointer, [1] * 40 + [0] * 4 + [1])) == 1
    assert in_frames(hear(endpointer, [1] * 5 + [0] * 4)) == [(Boundary.ENDED, 0, 52)]


def test_an_utterance_without_a_breath_is_cut_at_its_quietest_frame(
    endpointer: Endpointer,
) -> None:
    loud = [0.9] * 80
    loud[20], loud[60], loud[70] = 0.4, 0.6, 0.7

    heard = hear(endpointer, loud)

    # Not at 20: it was not long then. The next begins right there, and speech goes on.
    assert in_frames(heard)[1:] == [(Boundary.CUT, 0, 60.5)]
    assert endpointer.needed_from == START + 60 * FRAME + FRAME // 2
    assert endpointer.silence == 0
    assert in_frames(hear(endpointer, [0] * 10)) == [(Boundary.ENDED, 60.5, 82)]


def test_the_last_of_the_quietest_frames_is_cut(endpointer: Endpointer) -> None:
    heard = hear(endpointer, [0.9] * 80)

    assert in_frames(heard)[1:] == [(Boundary.CUT, 0, 79.5)]


def test_silence_after_a_cut_in_silence_counts_from_the_cut() -> None:
    endpointer = Endpointer(replace(RULES, breath=RULES.pause), START)
    hear(endpointer, [1] * 74 + [0] * 6)

    assert endpointer.utterance.end == START + 79 * FRAME + FRAME // 2
    assert endpointer.voiced_until == endpointer.utterance.end
    assert in_frames(hear(endpointer, [0] * 10)) == [(Boundary.ENDED, 79.5, 81.5)]


def test_a_flush_ends_the_utterance_there(endpointer: Endpointer) -> None:
    hear(endpointer, [1] * 5)

    assert endpointer.flush() is Boundary.ENDED
    assert endpointer.utterance == Span(START, Samples(START + 5 * FRAME))
    assert endpointer.flush() is Boundary.NONE
    assert in_frames(hear(endpointer, [1] * 3)) == [(Boundary.BEGAN, 5, 8)]


def test_a_flush_in_silence_forgets_a_beginning(endpointer: Endpointer) -> None:
    hear(endpointer, [0] * 9 + [1] * 2)

    assert endpointer.flush() is Boundary.NONE
    assert in_frames(hear(endpointer, [1] * 3)) == [(Boundary.BEGAN, 9, 14)]


@given(st.lists(st.sampled_from((0.0, 0.2, 0.4, 0.6, 1.0)), max_size=400), st.data())
def test_utterances_are_in_order_bounded_and_within_what_is_needed(
    probabilities: list[float], data: st.DataObject
) -> None:
    endpointer = Endpointer(RULES, START)
    flushes = data.draw(st.sets(st.integers(0, 400), max_size=3))
    end, begun, needed = int(START), False, int(START)
    for number, probability in enumerate(probabilities):
        boundaries = [endpointer.push(probability)]
        if number in flushes:
            boundaries.append(endpointer.flush())
        for boundary in boundaries:
            span = endpointer.utterance
            match boundary:
                case Boundary.BEGAN:
                    assert not begun
                    assert end <= span.start
                    assert needed <= span.start
                    begun = True
                case Boundary.ENDED | Boundary.CUT:
                    assert begun
                    assert end <= span.start <= span.end <= endpointer.position
                    assert span.length <= RULES.longest
                    end, begun = span.end, boundary is Boundary.CUT
                case Boundary.NONE:
                    pass
        assert endpointer.position == START + (number + 1) * FRAME
        assert needed <= endpointer.needed_from <= endpointer.position
        needed = endpointer.needed_from
        assert endpointer.position - needed <= RULES.longest
