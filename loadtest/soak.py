"""One long session at the fastest pace: does memory stay flat, and does every word arrive?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loadtest.arrivals import corrected_words, disordered_finals
from loadtest.clients import Caller, Pace, Watch, speak
from loadtest.measured_server import MeasuredServer, Usage, sampled
from loadtest.recordings import Recording
from loadtest.scoring import WordErrors, align_tokens, tokens_heard, tokens_said
from trax_client import Event, Final, UtteranceEnd

STEPS = 10
"""Memory is told at every tenth of the audio."""

WARM_UP = 0.2
"""The slope of memory is that of the rest: until then models and caches reach their size."""

LAST_WORDS = 5
"""So many words of the end are looked at by themselves."""


@dataclass(frozen=True, slots=True)
class MemorySample:
    """Memory of the server when it had heard so much audio."""

    heard_s: float
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class SoakReport:
    """What became of the long session.

    Attributes:
        audio_s: How long it was.
        wall_s: How long it took.
        cpu_per_audio_s: Processor seconds of the server for each second of audio.
        memory: At every tenth of the audio.
        slope_bytes_per_hour: By how much memory grew for each hour of audio, after `WARM_UP`.
        finals: Final words.
        errors: Errors of the words that stood at the end.
        disordered_finals: Final words that begin before the one before them ends: none.
        last_said: The last words said.
        last_heard: The last words heard.
    """

    audio_s: float
    wall_s: float
    cpu_per_audio_s: float
    memory: tuple[MemorySample, ...]
    slope_bytes_per_hour: float | None
    finals: int
    errors: WordErrors
    disordered_finals: int
    last_said: tuple[str, ...]
    last_heard: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether the last word said is the last word heard."""
        return bool(self.last_heard) and self.last_said[-1] == self.last_heard[-1]


async def measure_soak(
    talk: Recording, caller: Caller, server: MeasuredServer, watch: Watch
) -> SoakReport:
    """Stream a long talk as fast as the server takes it.

    Raises:
        TraxError: The session failed.
    """
    assert talk.words is not None, "long_talk has words"
    before = server.usage()
    heard_s = 0.0
    memory: list[MemorySample] = []

    def note_usage(usage: Usage) -> None:
        memory.append(MemorySample(heard_s, usage.rss_bytes))

    def note_event(event: Event) -> None:
        nonlocal heard_s
        if isinstance(event, UtteranceEnd):
            heard_s = event.end_ms / 1000
        watch(event)

    async with sampled(server, note_usage):
        fast = replace(caller, pace=Pace.FAST, keeps_partials=False)
        streamed = await speak(talk, fast, note_event)
        heard_s = talk.duration_s
    arrivals = streamed.arrivals
    said, heard = tokens_said(talk.words), tokens_heard(corrected_words(arrivals))
    finals = [each.event for each in arrivals if isinstance(each.event, Final)]
    return SoakReport(
        audio_s=talk.duration_s,
        wall_s=streamed.done_after_s + talk.duration_s,
        cpu_per_audio_s=(server.usage().cpu_s - before.cpu_s) / talk.duration_s,
        memory=at_steps(memory, talk.duration_s),
        slope_bytes_per_hour=slope_per_hour(memory, talk.duration_s),
        finals=sum(len(final.words) for final in finals),
        errors=align_tokens(said, heard).errors,
        disordered_finals=disordered_finals(arrivals),
        last_said=tuple(token.text for token in said[-LAST_WORDS:]),
        last_heard=tuple(token.text for token in heard[-LAST_WORDS:]),
    )


def at_steps(memory: Sequence[MemorySample], audio_s: float) -> tuple[MemorySample, ...]:
    """Return the first sample at or after each tenth of the audio, the beginning included."""
    wanted = [audio_s * step / STEPS for step in range(STEPS + 1)]
    return tuple(
        next((sample for sample in memory if sample.heard_s >= at_s), memory[-1]) for at_s in wanted
    )


def slope_per_hour(memory: Sequence[MemorySample], audio_s: float) -> float | None:
    """Return the slope of a straight line through the samples after the warm-up, up to the end.

    `None` when there are less than two points in time.
    """
    late = [sample for sample in memory if WARM_UP * audio_s <= sample.heard_s < audio_s]
    if len({sample.heard_s for sample in late}) < 2:
        return None
    hours = np.array([sample.heard_s / 3600 for sample in late])
    slope, _ = np.polyfit(hours, np.array([float(sample.rss_bytes) for sample in late]), 1)
    return float(slope)
