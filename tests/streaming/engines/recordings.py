"""Recordings with known words, and the real weights, for tests of engines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from streaming.core.domain import FRAME, SAMPLE_RATE, Pcm, Samples, Span, Turn
from streaming.core.ports import Diarization, Diarizer
from streaming.core.settings import (
    DIARIZATION_WINDOW,
    SHORTEST_DIARIZATION_LATENCY,
    diarization_step,
)
from streaming.engines.script import Script
from streaming.weights import default_cache

SPEECH = Path(__file__).parents[2] / "data"


@dataclass(frozen=True, slots=True)
class Recording:
    """Audio at 16 kHz, and what is said in it."""

    pcm: Pcm
    script: Script

    @classmethod
    def read(cls, name: str) -> Recording:
        """Read a recording of `tests/data` that has words, such as `items/jfk`."""
        pcm, rate = soundfile.read(SPEECH / f"{name}.flac", dtype="float32")
        assert rate == SAMPLE_RATE
        words = (SPEECH / f"{name}.words.json").read_text(encoding="utf-8")
        return cls(pcm, Script.from_json(words))


def weights(name: str) -> Path:
    """Return the folder of a model's files in the cache, where `trax models fetch` put them."""
    cache = os.environ.get("TRAX_CACHE_DIR")
    return (Path(cache) if cache else default_cache()) / name


def frames(pcm: Pcm) -> Pcm:
    """Return the whole voice-activity frames of a recording, shape `(n, FRAME)`."""
    return pcm[: len(pcm) // FRAME * FRAME].reshape(-1, FRAME)


def diarization_windows(
    pcm: Pcm, latency: Samples = SHORTEST_DIARIZATION_LATENCY
) -> Iterator[tuple[Pcm, Samples]]:
    """Yield the windows that a session makes of a recording, each with its start."""
    apart = diarization_step(latency)
    before = DIARIZATION_WINDOW - apart
    steps = -(-len(pcm) // apart)
    padded = np.pad(pcm, (before, steps * apart - len(pcm)))
    for step in range(steps):
        begin = step * apart
        yield padded[begin : begin + DIARIZATION_WINDOW], Samples(begin - before)


def answers(
    diarizer: Diarizer, pcm: Pcm, latency: Samples = SHORTEST_DIARIZATION_LATENCY
) -> list[Diarization]:
    """Return what a diarizer of this latency says to a recording, window by window."""
    return [diarizer.label(window, start) for window, start in diarization_windows(pcm, latency)]


def fixed_turns(said: list[Diarization]) -> list[Turn]:
    """Return the turns that were fixed, and after them those of the last answer."""
    turns: list[Turn] = []
    since = Samples(0)
    for answer in said:
        turns = [*clipped(turns, since), *answer.turns]
        since = answer.fixed_until
    return turns


def clipped(turns: list[Turn], end: Samples) -> list[Turn]:
    """Return what of the turns lies before `end`."""
    return [
        Turn(Span(turn.span.start, min(turn.span.end, end)), turn.speaker)
        for turn in turns
        if turn.span.start < end
    ]
