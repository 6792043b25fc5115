"""How fast the loaded models are on this machine, in seconds of audio heard per second.

The audio is made up, and no speech: how long a recognizer talks about it says little about real
talks. For numbers to rely on, see `python -m loadtest`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from server.app import engine_config
from server.settings import Settings
from streaming.core.domain import FRAME, SAMPLE_RATE, Pcm, Samples, from_ms
from streaming.core.ports import Effort, RecognitionWindow
from streaming.core.settings import DIARIZATION_WINDOW, diarization_step
from streaming.engines.loading import EngineSet, MakeDiarizer, load

WINDOW = from_ms(10_000)
LATENCY = from_ms(2_000)
STEPS = 6


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast one model is, for people.

    Attributes:
        name: The model.
        realtime: Audio for each second of computing.
        detail: What was measured.
        relief: What helps where it is too slow.
    """

    name: str
    realtime: float
    detail: str
    relief: str


@dataclass(frozen=True, slots=True)
class Speeds:
    """What `measure` found: how long loading took, and each model's speed."""

    loading_s: float
    speeds: tuple[Speed, ...]


def measure(settings: Settings) -> Speeds:
    """Load the engines and time each; takes ten seconds or so.

    Raises:
        StreamingError: One cannot be loaded.
    """
    began_s = time.perf_counter()
    engines = load(engine_config(settings))
    loading_s = time.perf_counter() - began_s
    speakers = () if engines.diarizer is None else (_diarization(engines, engines.diarizer),)
    return Speeds(loading_s, (_voice_activity(engines), *speakers, _recognition(engines)))


def _speed(name: str, took_s: float, audio: int, relief: str) -> Speed:
    audio_s = audio / SAMPLE_RATE
    detail = f"{took_s * 1000:.0f} ms for {audio_s:g} s of audio"
    return Speed(name, audio_s / took_s, detail, relief)


def _voice_activity(engines: EngineSet) -> Speed:
    vad = engines.vad(Samples(0))
    frames = _made_up(WINDOW)[: WINDOW // FRAME * FRAME].reshape(-1, FRAME)
    vad.score(frames[0])
    took_s = _timed(lambda: [vad.score(frame) for frame in frames])
    name = f"voice activity ({engines.names.vad})"
    return _speed(name, took_s, WINDOW, "serve fewer sessions")


def _diarization(engines: EngineSet, make: MakeDiarizer) -> Speed:
    diarizer = make(LATENCY, ())
    apart = diarization_step(LATENCY)
    audio = _made_up(Samples(DIARIZATION_WINDOW + STEPS * apart))

    def step(number: int) -> object:
        start = Samples(number * apart)
        return diarizer.label(audio[start : start + DIARIZATION_WINDOW], start)

    step(0)
    took_s = _timed(lambda: [step(number) for number in range(1, STEPS)]) / (STEPS - 1)
    name = f"speakers ({engines.names.diarizer})"
    return _speed(name, took_s, apart, "serve fewer sessions, or --no-diarization")


def _recognition(engines: EngineSet) -> Speed:
    language = "en" if "en" in engines.languages else min(engines.languages)
    window = RecognitionWindow(
        start=Samples(0),
        pcm=_made_up(WINDOW),
        effort=Effort.LIVE,
        language=language,
    )
    engines.recognizer.recognize([window])
    took_s = _timed(lambda: engines.recognizer.recognize([window]))
    name = f"recognition ({engines.names.recognizer})"
    return _speed(name, took_s, WINDOW, "serve fewer sessions, or a smaller --live-model")


def _timed(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return max(time.perf_counter() - began_s, 1e-6)


def _made_up(length: Samples) -> Pcm:
    """Return a humming that comes and goes four times a second, as syllables do."""
    t = np.arange(length) / SAMPLE_RATE
    hum = sum(np.sin(2 * np.pi * 140 * n * t) / n for n in range(1, 12))
    noise = np.random.default_rng(0).standard_normal(length) * 0.05
    swell = np.clip(np.sin(2 * np.pi * 4 * t), 0, 1)
    return np.asarray(0.2 * swell * hum + 0.1 * noise, dtype=np.float32)
