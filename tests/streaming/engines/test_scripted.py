"""Tests of `streaming.engines.scripted`: what the engines promise beyond their ports.

`tests/contracts/test_engine_ports.py` holds them to the ports.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.core.domain import FRAME, Pcm, Permille, Samples, Span, Speaker, Turn, Word
from streaming.core.ports import Effort, RecognitionWindow
from streaming.engines.script import Script
from streaming.engines.scripted import (
    Conduct,
    ScriptedDiarizer,
    ScriptedFailure,
    ScriptedRecognizer,
    ScriptedVad,
)

FRAME_OF_SILENCE = np.zeros(FRAME, dtype=np.float32)


def said(text: str, start: int, end: int, speaker: str = "ann") -> Word:
    return Word(text, Span(Samples(start), Samples(end)), Permille(900), Speaker(speaker))


SCRIPT = Script.of(
    [
        said(" one", 1_000, 2_000),
        said(" two", 2_000, 4_000),
        said(" three", 20_000, 30_000, "ben"),
        said(" four", 30_000, 31_000, "ben"),
    ],
    language="de",
)


def silence(samples: int) -> Pcm:
    return np.zeros(samples, dtype=np.float32)


def window(
    start: int, end: int, *, effort: Effort = Effort.LIVE, language: str = "de"
) -> RecognitionWindow:
    return RecognitionWindow(Samples(start), silence(end - start), effort, language)


def heard(asked: RecognitionWindow, *, hesitates: bool = False) -> list[str]:
    (transcription,) = ScriptedRecognizer(SCRIPT, hesitates=hesitates).recognize([asked])
    return [word.text for word in transcription.words]


# --- Voice activity -------------------------------------------------------------------------------


def test_a_frame_scores_the_part_of_it_that_is_speech() -> None:
    vad = ScriptedVad(SCRIPT)

    scores = [vad.score(FRAME_OF_SILENCE) for _ in range(10)]

    # Speech from 1000 to 4000, in frames of 512.
    assert scores == [0, (1024 - 1000) / 512, 1, 1, 1, 1, 1, (4000 - 3584) / 512, 0, 0]


@given(
    st.lists(st.tuples(st.integers(0, 9_000), st.integers(1, 2_000), st.sampled_from("ab"))),
)
def test_scores_add_up_to_the_speech_there_is(spoken: list[tuple[int, int, str]]) -> None:
    script = Script.of([said(" x", start, start + n, who) for start, n, who in spoken])
    spoken_samples = np.zeros(24 * FRAME, dtype=bool)
    for turn in script.turns:
        spoken_samples[turn.span.start : turn.span.end] = True
    vad = ScriptedVad(script)

    assert sum(vad.score(FRAME_OF_SILENCE) for _ in range(24)) == spoken_samples.sum() / FRAME


def test_a_session_may_begin_within_the_script() -> None:
    vad = ScriptedVad(SCRIPT, start=Samples(4_000 - FRAME))

    assert [vad.score(FRAME_OF_SILENCE) for _ in range(2)] == [1, 0]


def test_a_frame_that_failed_is_scored_when_it_comes_again() -> None:
    vad = ScriptedVad(SCRIPT, Conduct(fails_at=frozenset({2})))
    vad.score(FRAME_OF_SILENCE)
    vad.score(FRAME_OF_SILENCE)
    with pytest.raises(ScriptedFailure, match="call 2"):
        vad.score(FRAME_OF_SILENCE)

    assert vad.score(FRAME_OF_SILENCE) == 1


# --- Diarization ----------------------------------------------------------------------------------


def turn(start: int, end: int, speaker: str) -> Turn:
    return Turn(Span(Samples(start), Samples(end)), Speaker(speaker))


def test_turns_are_known_to_the_end_of_the_window_and_fixed_until_the_latency() -> None:
    diarizer = ScriptedDiarizer(SCRIPT, Samples(8_000))

    first = diarizer.label(silence(80_000), Samples(24_000 - 80_000))
    second = diarizer.label(silence(80_000), Samples(32_000 - 80_000))

    assert first.turns == (turn(1_000, 4_000, "S1"), turn(20_000, 24_000, "S2"))
    assert first.fixed_until == 16_000
    assert second.turns == (turn(20_000, 31_000, "S2"),)
    assert second.fixed_until == 24_000


def test_a_turn_that_may_be_revised_is_first_given_to_the_speaker_before() -> None:
    diarizer = ScriptedDiarizer(SCRIPT, Samples(8_000), hesitates=True)

    hesitant = diarizer.label(silence(80_000), Samples(24_000 - 80_000))
    sure = diarizer.label(silence(80_000), Samples(32_000 - 80_000))

    assert hesitant.turns == (turn(1_000, 4_000, "S1"), turn(20_000, 24_000, "S1"))
    assert sure.turns == (turn(20_000, 31_000, "S2"),)


def test_a_diarizer_that_failed_answers_the_window_when_it_comes_again() -> None:
    diarizer = ScriptedDiarizer(SCRIPT, Samples(8_000), conduct=Conduct(fails_at=frozenset({0})))
    with pytest.raises(ScriptedFailure):
        diarizer.label(silence(80_000), Samples(-56_000))

    assert diarizer.label(silence(80_000), Samples(-56_000)).fixed_until == 16_000


# --- Recognition ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (0, 40_000, [" one", " two", " three", " four"]),
        (1_500, 4_000, [" one", " two"]),
        (1_501, 4_000, [" two"]),
        (0, 3_999, [" one"]),
        (4_000, 20_000, []),
    ],
)
def test_a_word_is_heard_from_its_middle_on_to_its_end(
    start: int, end: int, words: list[str]
) -> None:
    assert heard(window(start, end)) == words


def test_a_word_cut_at_its_beginning_starts_with_the_window() -> None:
    (transcription,) = ScriptedRecognizer(SCRIPT).recognize([window(1_200, 4_000)])

    assert transcription.words[0].span == Span(Samples(1_200), Samples(2_000))


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (3_000, [" one"]),
        (3_001, [" one", " wot"]),
        (3_999, [" one", " wot"]),
        (4_000, [" one", " two"]),
    ],
)
def test_the_word_that_the_window_cuts_is_misheard_or_missed(end: int, words: list[str]) -> None:
    assert heard(window(0, end), hesitates=True) == words


def test_a_misheard_word_ends_with_the_window_and_has_little_confidence() -> None:
    (transcription,) = ScriptedRecognizer(SCRIPT, hesitates=True).recognize([window(0, 3_500)])

    sure, unsure = transcription.words
    assert unsure.span == Span(Samples(2_000), Samples(3_500))
    assert unsure.confidence < sure.confidence


def test_an_utterance_is_never_misheard() -> None:
    assert heard(window(0, 3_500, effort=Effort.UTTERANCE), hesitates=True) == [" one"]


def test_the_language_is_that_of_the_script() -> None:
    asked = RecognitionWindow(Samples(0), silence(100), Effort.LIVE, None)
    (transcription,) = ScriptedRecognizer(SCRIPT).recognize([asked])

    assert transcription.language is not None
    assert transcription.language.code == "de"


# --- Conduct --------------------------------------------------------------------------------------

CALLS: dict[str, Callable[[Conduct], object]] = {
    "vad": lambda conduct: ScriptedVad(SCRIPT, conduct).score(FRAME_OF_SILENCE),
    "diarizer": lambda conduct: ScriptedDiarizer(SCRIPT, Samples(0), conduct=conduct).label(
        silence(80_000), Samples(0)
    ),
    "recognizer": lambda conduct: ScriptedRecognizer(SCRIPT, conduct=conduct).recognize([]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_slow_engine_sleeps_in_the_thread_that_calls_it(
    call: Callable[[Conduct], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[tuple[float, int]] = []
    monkeypatch.setattr(
        time, "sleep", lambda seconds: slept.append((seconds, threading.get_ident()))
    )

    call(Conduct())
    call(Conduct(delay_s=1.5))

    assert slept == [(1.5, threading.get_ident())]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_engine_fails_at_the_calls_it_was_told_to(call: Callable[[Conduct], object]) -> None:
    call(Conduct(fails_at=frozenset({1})))
    with pytest.raises(ScriptedFailure, match="told to fail at call 0"):
        call(Conduct(fails_at=frozenset({0})))
