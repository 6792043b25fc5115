"""Noise and silence hold no speech, so no words may come of them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from streaming.core.domain import SAMPLE_RATE, Pcm
from streaming.core.events import Correction, Event, Final, Partial
from streaming.core.session import StreamSession
from streaming.core.settings import SessionSettings
from streaming.core.work import Diarize, Recognize, Recognized, Score, Scored
from streaming.engines.loading import EngineConfig, EngineSet, load
from streaming.weights import default_cache

MINUTE = 60 * SAMPLE_RATE

pytestmark = [pytest.mark.models, pytest.mark.slow]


@pytest.fixture(scope="module")
def engines() -> EngineSet:
    cache = Path(os.environ.get("TRAX_CACHE_DIR") or default_cache())
    return load(EngineConfig("whisper-base", cache, "cpu", "int8", 1))


def coloured(exponent: float, level: float, seed: int) -> Pcm:
    """Return a minute of noise whose power falls with `frequency ** exponent`, at an RMS level."""
    noise = np.fft.rfft(np.random.default_rng(seed).standard_normal(MINUTE))
    noise[1:] /= np.arange(1, len(noise)) ** (exponent / 2)
    signal = np.fft.irfft(noise)
    noise_level = float(np.sqrt(np.mean(signal**2)))
    return np.clip(signal * (level / noise_level), -1, 1).astype(np.float32)


@pytest.mark.parametrize("level", [0.0, 0.003, 0.03, 0.3])
@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0], ids=["white", "pink", "brown"])
def test_minutes_of_noise_hold_no_words(engines: EngineSet, exponent: float, level: float) -> None:
    session = StreamSession(SessionSettings(diarization=False))
    vad = engines.vad(session.received)
    events: list[Event] = []
    audio = coloured(exponent, level, seed=int(10 * exponent + 1000 * level))
    for start in range(0, len(audio), SAMPLE_RATE):
        session.feed(audio[start : start + SAMPLE_RATE])
        if start + SAMPLE_RATE >= len(audio):
            session.finish()
        while (work := session.next_work()) is not None:
            match work:
                case Score():
                    session.complete(Scored(work.id, tuple(vad.score(f) for f in work.frames)))
                case Recognize():
                    (heard,) = engines.recognizer.recognize([work.window])
                    session.complete(Recognized(work.id, heard))
                case Diarize():
                    pytest.fail("diarization was switched off")
        events += session.events()

    assert session.finished
    told = [e for e in events if isinstance(e, Final | Partial | Correction)]
    assert [word.text for event in told for word in event.words] == []
