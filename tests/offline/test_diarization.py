"""Tests of `offline.diarization`, with a script in place of models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from offline.diarization import EngineDiarizer, OfflineDiarization, VoiceTurn, overlaps
from streaming.core.domain import SAMPLE_RATE, Pcm, Samples, Span, Speaker, Turn, Voice, from_ms
from streaming.core.ports import Diarization
from streaming.engines.script import Script
from streaming.engines.scripted import ScriptedRecordingDiarizer


@dataclass(frozen=True)
class Ramp:
    """An `AudioSource` whose samples are their own numbers."""

    samples: Samples

    def read(self, span: Span) -> Pcm:
        """Return a stretch."""
        return np.arange(span.start, span.end, dtype=np.float32)


class Listening:
    """A `RecordingDiarizer` that keeps what it was given."""

    def __init__(self, found: Diarization) -> None:
        """Answer `found`."""
        self.found = found
        self.heard: list[float] = []

    def diarize(
        self, read: Callable[[Span], Pcm], samples: Samples, progress: Callable[[float], None]
    ) -> Diarization:
        """Read all in two pieces."""
        half = Samples(samples // 2)
        for span in (Span(Samples(0), half), Span(half, samples)):
            self.heard += read(span).tolist()
        progress(1.0)
        return self.found


def seconds(start: float, end: float) -> Span:
    return Span(Samples(round(start * SAMPLE_RATE)), Samples(round(end * SAMPLE_RATE)))


def voice(name: str, weight: float) -> Voice:
    return Voice(Speaker(name), np.ones(2, dtype="<f4").tobytes(), weight)


def test_turns_are_on_the_clock_of_the_session_and_voices_are_numbered() -> None:
    turns = (
        Turn(seconds(0.5, 2.0), Speaker("S1")),
        Turn(seconds(1.5, 3.0), Speaker("S2")),
        Turn(seconds(3.0, 4.0), Speaker("S1")),
    )
    voices = (voice("S1", 9.0), voice("S2", 1.0))
    engine = Listening(Diarization(turns, Samples(0), voices))
    found = EngineDiarizer(engine).diarize(
        Ramp(Samples(200_000)), seconds(1.0, 6.0), lambda _: None
    )
    assert found.turns == (
        VoiceTurn(1500, 3000, 0), VoiceTurn(2500, 4000, 1), VoiceTurn(4000, 5000, 0),
    )  # fmt: skip
    assert [each.speech_ms for each in found.voices] == [2500, 1500]
    assert engine.heard == list(range(16_000, 96_000))


def test_a_voice_hardly_heard_sounds_like_nothing() -> None:
    turns = (Turn(seconds(0, 1), Speaker("S1")), Turn(seconds(1, 2), Speaker("S2")))
    engine = Listening(Diarization(turns, Samples(0), (voice("S1", 3.9), voice("S2", 4.0))))
    found = EngineDiarizer(engine).diarize(Ramp(Samples(64_000)), seconds(0, 4), lambda _: None)
    assert [bool(each.print) for each in found.voices] == [False, True]


def test_a_script_is_played() -> None:
    script = Script.from_json(
        '[{"word": "one", "start": 0.5, "end": 1, "speaker": "a"},'
        ' {"word": "two", "start": 2, "end": 3, "speaker": "b"},'
        ' {"word": "three", "start": 9, "end": 11, "speaker": "a"}]'
    )
    told: list[float] = []
    diarizer = EngineDiarizer(ScriptedRecordingDiarizer(script))
    found = diarizer.diarize(Ramp(Samples(160_000)), seconds(0, 10), told.append)
    assert found.turns == (
        VoiceTurn(500, 1000, 0), VoiceTurn(2000, 3000, 1), VoiceTurn(9000, 10_000, 0),
    )  # fmt: skip
    first, second = (np.frombuffer(each.print, "<f4") for each in found.voices)
    assert first @ first == pytest.approx(1.0)
    assert first @ second == pytest.approx(0.0)
    assert told[-1] == 1.0
    assert diarizer.diarize(Ramp(Samples(0)), seconds(0, 0), told.append) == OfflineDiarization(
        (), ()
    )


def test_several_talk_at_once_where_their_turns_overlap() -> None:
    turns = [
        VoiceTurn(0, 1_000, 0),
        VoiceTurn(500, 3_000, 1),
        VoiceTurn(900, 1_500, 2),  # three at once for a moment, which counts once
        VoiceTurn(2_000, 2_100, 0),
        VoiceTurn(3_000, 4_000, 0),
    ]
    milliseconds = [(500, 1_000), (1_000, 1_500), (2_000, 2_100)]

    assert overlaps(turns) == [Span(from_ms(start), from_ms(end)) for start, end in milliseconds]
    assert overlaps(turns[:1]) == overlaps([]) == []
