"""Tests of `offline.kept_diarization`, with a diarizer that plays a script."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from offline.audio import HeldAudio
from offline.cache import ResultCache
from offline.diarization import EngineDiarizer, OfflineDiarizer
from offline.kept_diarization import READ_AT_ONCE, KeptDiarizer
from streaming.core.domain import SAMPLE_RATE, Samples, Span
from streaming.engines.script import Script
from streaming.engines.scripted import ScriptedRecordingDiarizer

SCRIPT = Script.from_json(
    '[{"word": "one", "start": 0, "end": 1, "speaker": "a"},'
    ' {"word": "two", "start": 4, "end": 5, "speaker": "b"}]'
)
LENGTH = Samples(READ_AT_ONCE + SAMPLE_RATE)
WHOLE = Span(Samples(0), LENGTH)


def noise(seed: int) -> HeldAudio:
    return HeldAudio(np.random.default_rng(seed).random(LENGTH, dtype=np.float32))


class Loading:
    """Makes diarizers, and counts them."""

    def __init__(self) -> None:
        self.loads = 0

    def load(self) -> OfflineDiarizer:
        self.loads += 1
        return EngineDiarizer(ScriptedRecordingDiarizer(SCRIPT))


def test_what_was_found_once_is_found_without_loading_anything(tmp_path: Path) -> None:
    cache, first, second = ResultCache(tmp_path, 1_000_000), Loading(), Loading()
    told: list[float] = []
    found = KeptDiarizer(first.load, cache).diarize(noise(1), WHOLE, lambda _part: None)
    again = KeptDiarizer(second.load, cache).diarize(noise(1), WHOLE, told.append)

    assert again == found
    assert [turn.voice for turn in found.turns] == [0, 1]
    assert (first.loads, second.loads) == (1, 0)
    assert told == [0.0, 0.0, 1.0]


def test_other_audio_or_another_part_of_it_is_listened_to(tmp_path: Path) -> None:
    loading = Loading()
    kept = KeptDiarizer(loading.load, ResultCache(tmp_path, 1_000_000))
    part = Span(Samples(SAMPLE_RATE), LENGTH)
    answers = [
        kept.diarize(audio, span, lambda _part: None)
        for audio, span in ((noise(1), WHOLE), (noise(2), WHOLE), (noise(1), part))
    ]

    assert answers[0] == answers[1]
    assert answers[2].turns != answers[0].turns
    assert loading.loads == 1
