"""What the passes after the live one make of a recording, each in a process of its own.

Only so do peak memory and processor time mean what they would in a worker. The audio is cut as a
server would cut it: the stretch pass hears closed utterances of about 30 s, the recording pass all
of it, and each is told what was heard before. Nothing is kept between passes.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from loadtest.recordings import Recording
from offline.accurate import AccuratePass, Ear
from offline.audio import HeldAudio
from offline.cache import ResultCache
from offline.diarization import EngineDiarizer, OfflineDiarization, VoiceTurn
from offline.domain import PassWord
from offline.jobs import JobKind, Task
from offline.passes import Passes
from offline.ports import AudioSource, Progress
from offline.results import HeardWord
from offline.voiced import VoicedPass
from server.passes import passes_of
from server.settings import Settings
from streaming.core.domain import Pcm, Span
from streaming.engines.diarizers import load_recording_diarizer
from streaming.engines.recognizers import Machine

STRETCH_MS = 30_000
"""Closed utterances that are this long together are a stretch."""

SpanMs = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is to hear.

    Attributes:
        ear: With what.
        pcm: The recording.
        tasks: What of it, in this order.
        earlier: The words of passes before, the oldest first.
    """

    ear: Ear
    pcm: Pcm = field(repr=False)
    tasks: tuple[Task, ...]
    earlier: tuple[tuple[PassWord, ...], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class HeardPass:
    """What one pass gave, and what it took.

    Attributes:
        heard: Words in time order, with their voices where they were told apart.
        turns: Of voices, where they were told apart.
        cpu_s: Processor time, without loading models.
        diarizer_cpu_s: What telling voices apart took of it.
        wall_s: Time.
        peak_rss_bytes: Memory of the process at its most, models included.
    """

    heard: tuple[HeardWord, ...] = field(repr=False)
    turns: tuple[VoiceTurn, ...] = field(repr=False)
    cpu_s: float
    diarizer_cpu_s: float
    wall_s: float
    peak_rss_bytes: int

    @property
    def words(self) -> tuple[PassWord, ...]:
        """The words without voices."""
        return tuple(heard.word for heard in self.heard)


@dataclass(frozen=True, slots=True)
class Later:
    """What came after the live pass and its utterance pass.

    Attributes:
        stretch: The pass over stretches; `None` where there is none.
        recording: The pass over everything.
        uncertain: The same, hearing only what the passes before were not sure of.
        upload: Everything, as of a file that nobody heard before, and by whom.
    """

    stretch: HeardPass | None
    recording: HeardPass
    uncertain: HeardPass
    upload: HeardPass


def ear_of(settings: Settings) -> Ear:
    """Return with what a server with these settings hears."""
    machine = Machine(settings.cache_dir, settings.device, settings.compute_type)
    return Ear(passes_of(settings), settings.live_model, machine)


def stretches(utterances: Iterable[SpanMs]) -> list[SpanMs]:
    """Return what is heard together while a session goes on: closed utterances, in their order.

    Args:
        utterances: Of a whole session; what is left at its end is left to the recording pass.
    """
    found: list[SpanMs] = []
    start_ms: int | None = None
    for first_ms, end_ms in utterances:
        start_ms = first_ms if start_ms is None else start_ms
        if end_ms - start_ms >= STRETCH_MS:
            found.append((start_ms, end_ms))
            start_ms = None
    return found


def hear_later(
    recording: Recording,
    ear: Ear,
    language: str | None,
    earlier: Sequence[tuple[PassWord, ...]],
    utterances: Iterable[SpanMs],
    *,
    voices: bool,
) -> Later:
    """Let all passes after the live one hear a recording.

    Args:
        recording: What.
        ear: With what.
        language: Which is spoken; `None` to detect it.
        earlier: What the live pass and its utterance pass heard.
        utterances: When.
        voices: Whether they are told apart in the file that nobody heard before.
    """
    task = Task(JobKind.RECORDING, "transcript", "session", language=language, diarization=False)
    order = Order(ear, recording.samples, (task,), tuple(earlier))
    stretch: HeardPass | None = None
    if ear.passes.of(JobKind.STRETCH):
        cut = tuple(
            replace(task, kind=JobKind.STRETCH, start_ms=start_ms, end_ms=end_ms)
            for start_ms, end_ms in stretches(utterances)
        )
        stretch = hear_apart(replace(order, tasks=cut))
        whole = _completed(stretch.words, cut, order.earlier)
        stretch = replace(stretch, heard=tuple(map(HeardWord, whole)))
        order = replace(order, earlier=(*order.earlier, whole))
    uncertain = replace(ear, passes=_uncertain(ear.passes))
    upload = replace(task, kind=JobKind.UPLOAD, diarization=voices)
    return Later(
        stretch,
        hear_apart(order),
        hear_apart(replace(order, ear=uncertain)),
        hear_apart(replace(order, tasks=(upload,), earlier=())),
    )


def hear_apart(order: Order) -> HeardPass:
    """Carry out an order in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        return processes.submit(_hear, order).result()


class _Measured:
    """A diarizer that keeps what it found, and what it took."""

    def __init__(self, ear: Ear) -> None:
        self._diarizer = EngineDiarizer(load_recording_diarizer(ear.live_model, ear.machine.cache))
        self.turns: tuple[VoiceTurn, ...] = ()
        self.cpu_s = 0.0

    def diarize(self, audio: AudioSource, span: Span, progress: Progress) -> OfflineDiarization:
        began_s = time.process_time()
        found = self._diarizer.diarize(audio, span, progress)
        self.cpu_s += time.process_time() - began_s
        self.turns += found.turns
        return found


def _hear(order: Order) -> HeardPass:
    accurate = AccuratePass(order.ear, ResultCache(Path(), 0))
    for task in order.tasks[:1]:  # To load the models.
        nothing = HeldAudio(np.zeros(0, dtype=np.float32))
        accurate.hear(nothing, replace(task, start_ms=0), (), _ignore)
    diarizer = _Measured(order.ear) if any(task.diarization for task in order.tasks) else None
    hear = accurate.hear if diarizer is None else VoicedPass(accurate, lambda: diarizer).hear
    began_s, cpu_s = time.perf_counter(), time.process_time()
    audio = HeldAudio(order.pcm)
    hearings = [hear(audio, task, _within(order.earlier, task), _ignore) for task in order.tasks]
    return HeardPass(
        heard=tuple(heard for hearing in hearings for heard in hearing.words),
        turns=() if diarizer is None else diarizer.turns,
        cpu_s=time.process_time() - cpu_s,
        diarizer_cpu_s=0.0 if diarizer is None else diarizer.cpu_s,
        wall_s=time.perf_counter() - began_s,
        peak_rss_bytes=peak_rss_bytes(),
    )


def peak_rss_bytes() -> int:
    """Return how much memory this process had at its most."""
    # What getrusage says counts the process that started this one, too.
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text(encoding="ascii").splitlines()
        (line,) = (line for line in lines if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _within(earlier: Sequence[Sequence[PassWord]], task: Task) -> list[list[PassWord]]:
    """Return what passes before heard where a task is."""
    end_ms = float("inf") if task.end_ms is None else task.end_ms
    return [
        [word for word in words if task.start_ms <= (word.start_ms + word.end_ms) / 2 < end_ms]
        for words in earlier
    ]


def _completed(
    words: tuple[PassWord, ...], tasks: Sequence[Task], earlier: Sequence[Sequence[PassWord]]
) -> tuple[PassWord, ...]:
    """Return the words of stretches with, where there is none, those of the pass before."""
    before = earlier[-1] if earlier else ()
    heard = {word for task in tasks for word in _within([before], task)[0]}
    rest = [word for word in before if word not in heard]
    return tuple(sorted((*words, *rest), key=lambda word: word.start_ms + word.end_ms))


def _uncertain(passes: Passes) -> Passes:
    recording = passes.of(JobKind.RECORDING)
    return Passes(
        tuple(
            replace(stage, uncertain_only=True) if stage in recording else stage
            for stage in passes.stages
        )
    )


def _ignore(_part: float) -> None:
    """Nobody waits for one pass."""
