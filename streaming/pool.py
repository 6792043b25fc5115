"""The shared models, and who may use them next.

Three lanes carry a server's work, each with threads of its own, so that short work never waits
behind long: voice activity (milliseconds), diarization (tens of them), recognition (hundreds).
Within the recognition lane the earliest deadline goes first: a live window is wanted at once, an
utterance pass within `PASS_SLACK_S`. Live windows therefore overtake passes, and passes are not
starved. A session has at most one live window and one pass out at a time, so that first come,
first served is fair between sessions, and a lane never queues more than its sessions' number.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from streaming.core.domain import Samples, Voice
from streaming.core.ports import (
    Diarization,
    Diarizer,
    Effort,
    RecognitionWindow,
    Transcription,
    Vad,
)
from streaming.core.work import Diarize, Score
from streaming.engines.loading import EngineSet

T = TypeVar("T")

PASS_SLACK_S = 1.0
"""How much later than a live window an utterance pass is wanted: about the pause after it."""


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    deadline_s: float
    number: int
    call: Callable[[], object] = field(compare=False)
    outcome: asyncio.Future[object] = field(compare=False)


class Lane:
    """Threads for one kind of work; used in one event loop, owned by the `Pool`."""

    def __init__(self, name: str, threads: int) -> None:
        """Start with nothing waiting."""
        self._free = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self._closed = False

    @property
    def depth(self) -> int:
        """Calls that wait for a thread."""
        return len(self._waiting)

    async def run(self, call: Callable[[], T], slack_s: float = 0.0) -> T:
        """Carry out `call` in a thread of this lane and return what it returns.

        Args:
            call: Blocking.
            slack_s: How much later than a call without slack it may come.

        Raises:
            RuntimeError: The lane was closed before.
            Exception: What `call` raises.
        """
        if self._closed:
            raise RuntimeError("an open lane expected")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(loop.time() + slack_s, next(self._numbers), call, loop.create_future())
        heapq.heappush(self._waiting, waiting)
        self._dispatch()
        try:
            return await waiting.outcome  # type: ignore[return-value]  # it is what `call` returns
        finally:
            self._forget(waiting)

    async def aclose(self) -> None:
        """Drop what waits, and wait for what runs."""
        self._closed = True
        for waiting in self._waiting:
            waiting.outcome.cancel()
        self._waiting.clear()
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)

    def _dispatch(self) -> None:
        """Give free threads to the most urgent calls."""
        while self._free and self._waiting:
            waiting = heapq.heappop(self._waiting)
            self._free -= 1
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(self._executor, waiting.call)
            running.add_done_callback(partial(self._settle, waiting.outcome))

    def _forget(self, waiting: _Waiting) -> None:
        """Let go of a call that was cancelled before its turn, with the audio that it holds."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)
            heapq.heapify(self._waiting)

    def _settle(self, outcome: asyncio.Future[object], done: asyncio.Future[object]) -> None:
        self._free += 1
        if done.cancelled():
            outcome.cancel()
        elif (error := done.exception()) is not None:
            if not outcome.done():
                outcome.set_exception(error)
        elif not outcome.done():
            outcome.set_result(done.result())
        self._dispatch()


class Pool:
    """The engines of a server with the threads that run them; owned by the application."""

    def __init__(self, engines: EngineSet) -> None:
        """Make the threads; there is one recognition thread per worker of the recognizer."""
        self._engines = engines
        self._scoring = Lane("vad", 1)
        self._labelling = Lane("diarizer", 1)
        self._recognition = Lane("recognizer", engines.recognizer_workers)

    @property
    def queue_depth(self) -> int:
        """Windows that wait for a recognition thread."""
        return self._recognition.depth

    def vad(self, start: Samples) -> Vad:
        """Return the voice-activity detector of a session whose audio begins at `start`."""
        return self._engines.vad(start)

    def diarizer(self, latency: Samples, known: Sequence[Voice] = ()) -> Diarizer:
        """Return the diarizer of a new session that may hear known voices again."""
        return self._engines.diarizer(latency, known)

    async def score(self, vad: Vad, work: Score) -> tuple[float, ...]:
        """Score the frames of `work` in order."""
        return await self._scoring.run(lambda: tuple(vad.score(frame) for frame in work.frames))

    async def label(self, diarizer: Diarizer, work: Diarize) -> Diarization:
        """Label the window of `work`."""
        return await self._labelling.run(lambda: diarizer.label(work.window, work.start))

    async def recognize(self, window: RecognitionWindow) -> Transcription:
        """Recognise one window, when its turn comes."""
        slack_s = PASS_SLACK_S if window.effort is Effort.UTTERANCE else 0.0
        recognizer = self._engines.recognizer
        return (await self._recognition.run(lambda: recognizer.recognize([window]), slack_s))[0]

    async def aclose(self) -> None:
        """Stop the threads, after the calls that run."""
        for lane in (self._scoring, self._labelling, self._recognition):
            await lane.aclose()
