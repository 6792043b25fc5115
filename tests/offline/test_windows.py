"""Tests of `offline.windows`."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.windows import WindowRules, speech_in, windows_of
from streaming.core.domain import FRAME, Samples, Span

START = Samples(100)


def frames(count: float) -> Samples:
    return Samples(round(count * FRAME))


RULES = WindowRules(lead=frames(2), minimum=frames(3), apart=frames(20), longest=frames(40))


def scored(scores: list[float], length: Samples | None = None) -> Span:
    return Span(START, Samples(START + (frames(len(scores)) if length is None else length)))


def in_frames(spans: list[Span]) -> list[tuple[float, float]]:
    return [((span.start - START) / FRAME, (span.end - START) / FRAME) for span in spans]


def speech(scores: list[float]) -> list[tuple[float, float]]:
    return in_frames(speech_in(scores, scored(scores), RULES))


def windows(scores: list[float], rules: WindowRules = RULES) -> list[tuple[float, float]]:
    span = scored(scores)
    return in_frames(windows_of(speech_in(scores, span, rules), scores, span, rules))


def test_silence_is_no_speech() -> None:
    assert speech([]) == []
    assert speech([0.1] * 50) == []


def test_speech_has_some_audio_around_it() -> None:
    assert speech([0.0] * 5 + [0.9] * 4 + [0.0] * 5) == [(3, 11)]
    assert speech([0.9] * 4) == [(0, 4)]


def test_speech_begins_surely_and_goes_on_with_less() -> None:
    assert speech([0.4] * 10 + [0.6] + [0.4] * 5 + [0.3] * 10) == [(8, 18)]


def test_a_click_is_no_speech_but_a_part_of_what_it_is_close_to() -> None:
    assert speech([0.0] * 10 + [0.9] * 2 + [0.0] * 10) == []
    assert speech([0.9] * 5 + [0.0] * 3 + [0.9] + [0.0] * 10) == [(0, 11)]


def test_speech_ends_with_the_audio_though_its_last_frame_may_not() -> None:
    scores = [0.9] * 4

    assert in_frames(speech_in(scores, scored(scores, frames(3.5)), RULES)) == [(0, 3.5)]


def test_short_pauses_are_heard_and_long_ones_are_not() -> None:
    assert windows([0.9] * 5 + [0.0] * 10 + [0.9] * 5 + [0.0] * 30 + [0.9] * 5) == [
        (0, 22),
        (48, 55),
    ]


def test_what_is_too_long_for_a_window_is_cut_in_its_widest_pause() -> None:
    first, second, third = [0.9] * 12, [0.9] * 10, [0.9] * 10
    talk = [*first, *[0.0] * 8, *second, *[0.0] * 6, *third]

    # The wider pause comes too early: it would leave a short window.
    assert windows(talk) == [(0, 32), (34, 46)]
    assert windows(talk, replace(RULES, longest=frames(28))) == [(0, 14), (18, 46)]


def test_speech_without_a_pause_is_cut_at_its_quietest_frame() -> None:
    scores = [0.9] * 60
    scores[5] = scores[30] = 0.5

    assert windows(scores) == [(0, 30.5), (30.5, 60)]


def test_a_window_without_room_for_speech_is_refused() -> None:
    with pytest.raises(ValueError, match="2048"):
        replace(RULES, longest=frames(3))


scores_of_speech = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from([0.0, 0.3, 0.4, 0.6, 0.95])), max_size=12
).map(lambda runs: [score for length, score in runs for _ in range(length)])
"""Probabilities of voice activity as they come: in runs."""


@given(scores_of_speech, st.integers(4, 80), st.integers(1, 40))
def test_windows_are_bounded_ordered_and_hold_all_speech_and_nothing_else(
    scores: list[float], longest: int, apart: int
) -> None:
    rules = replace(RULES, longest=frames(longest), apart=frames(apart))
    span = scored(scores)

    spoken = speech_in(scores, span, rules)
    found = windows_of(spoken, scores, span, rules)

    assert all(0 < window.length <= rules.longest for window in found)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert sum(w.overlap(s) for w in found for s in spoken) == sum(s.length for s in spoken)
    edges = {edge for each in spoken for edge in (each.start, each.end)}
    cuts = {before.end for before, after in pairwise(found) if before.end == after.start}
    assert {edge for each in found for edge in (each.start, each.end)} <= edges | cuts
    for before, after in pairwise(spoken):
        pause = Span(before.end, after.start)
        inside = max((window.overlap(pause) for window in found), default=0)
        assert inside == 0 or pause.length < rules.apart


@given(scores_of_speech)
def test_each_voiced_frame_that_is_no_click_is_speech(scores: list[float]) -> None:
    span = scored(scores)

    found = speech_in(scores, span, RULES)

    assert all(before.end < after.start for before, after in pairwise(found))
    assert all(span.start <= each.start < each.end <= span.end for each in found)
    for number in range(len(scores) - 2):
        if min(scores[number : number + 3]) >= RULES.begin:
            frame = Span(Samples(START + number * FRAME), Samples(START + (number + 1) * FRAME))
            assert any(each.overlap(frame) == FRAME for each in found)


@given(scores_of_speech)
def test_windows_are_the_same_every_time(scores: list[float]) -> None:
    assert windows(scores) == windows(list(scores))
