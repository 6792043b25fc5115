"""How fast the loaded models are on this machine, in seconds of audio heard per second.

The recognizer found out how fast it is when it was loaded (`streaming.engines.calibration`); the
others hear audio that is made up. For numbers to rely on, see `python -m loadtest`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from server.app import engine_config
from server.defaults import usable_cores
from server.settings import Settings
from streaming.core.domain import FRAME, SAMPLE_RATE, Pcm, Samples, from_ms
from streaming.core.settings import DIARIZATION_WINDOW, diarization_step
from streaming.engines.calibration import LONGER, Pace
from streaming.engines.loading import EngineSet, MakeDiarizer, load

WINDOW = from_ms(10_000)
LATENCY = from_ms(2_000)
STEPS = 6

ENOUGH = 5.0
"""Times real time below which a model is slow: several sessions and passes share it."""

ENOUGH_RECOGNITION = 1.5
"""The same of all recognition threads together: one session needs it once, and corrections more."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast one model is, for people.

    Attributes:
        name: The model.
        realtime: Audio for each second of computing.
        detail: What was measured.
        relief: What helps where it is too slow.
        enough: Below this `realtime` it is too slow.
    """

    name: str
    realtime: float
    detail: str
    relief: str
    enough: float = ENOUGH


@dataclass(frozen=True, slots=True)
class Speeds:
    """What `measure` found.

    Attributes:
        loading_s: How long loading took, with trying how many windows are best recognised at once.
        speeds: Of each model.
        sessions: In how many somebody may speak at once before words come later; `None` where
            engines are scripted.
    """

    loading_s: float
    speeds: tuple[Speed, ...]
    sessions: float | None


def measure(settings: Settings) -> Speeds:
    """Load the engines and time each; takes ten seconds or so.

    Raises:
        StreamingError: One cannot be loaded.
    """
    began_s = time.perf_counter()
    engines = load(engine_config(settings))
    loading_s = time.perf_counter() - began_s
    speeds = [_voice_activity(engines)]
    if engines.diarizer is not None:
        speeds.append(_diarization(engines, engines.diarizer))
    if engines.pace is None:
        return Speeds(loading_s, tuple(speeds), None)
    recognition = _recognition(engines, engines.pace)
    beside = sum(1 / speed.realtime for speed in speeds) / usable_cores()
    sessions = 1 / (1 / recognition.realtime + beside)
    # Each of the others has one thread.
    sessions = min(sessions, *(speed.realtime for speed in speeds))
    return Speeds(loading_s, (*speeds, recognition), sessions)


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


def _recognition(engines: EngineSet, found: Pace) -> Speed:
    longer_s = LONGER / SAMPLE_RATE
    return Speed(
        name=f"recognition ({engines.names.recognizer}, {engines.computes})",
        realtime=longer_s / found.step_s * found.at_once,
        detail=f"{found.step_s * 1000:.0f} ms for {longer_s:g} s more of a window, "
        f"{found.workers} at once do {found.at_once:.1f} times as much as one, "
        f"{found.batch} together",
        relief="serve fewer sessions, or a smaller --live-model",
        enough=ENOUGH_RECOGNITION,
    )


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
