"""The shared models, and who may use them next.

Three lanes carry a server's work, each with threads of its own, so that short work never waits
behind long: voice activity (milliseconds), diarization (tens of them), recognition (hundreds).
Within the recognition lane the earliest deadline goes first: a live window is wanted at once, an
utterance pass within `PASS_SLACK_S`, or when no window waits where its session can do without it.
Live windows therefore overtake passes, and passes are not starved. Nor do passes, which take ten
times as long, ever take all threads where there are several. Windows that wait are recognised
together where that costs less, and with the audio that came while they waited. A session has at
most one live window and one pass out at a time, so that first come, first served is fair between
sessions, and a lane never queues more than twice its sessions' number.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

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

logger = logging.getLogger(__name__)

W = TypeVar("W")
R = TypeVar("R")

PASS_SLACK_S = 1.0
"""How much later than a live window an utterance pass is wanted: about the pause after it."""

OPTIONAL_S = 2.0
"""How long a pass that may be left out waits until nothing else does."""


class _GivenUp(Exception):
    """Work did not begin in time."""


@dataclass(frozen=True, slots=True, order=True)
class _Waiting(Generic[W, R]):
    deadline_s: float
    number: int
    work: W = field(compare=False)
    kin: Hashable = field(compare=False)
    patient: bool = field(compare=False)
    outcome: asyncio.Future[R] = field(compare=False)
    renew: Callable[[W], W] | None = field(compare=False)

    def newest(self) -> W:
        """Return the work as it is now."""
        try:
            return self.work if self.renew is None else self.renew(self.work)
        except Exception:
            logger.exception("work stays as it was asked for")
            return self.work


class Lane(Generic[W, R]):
    """Threads for one kind of work; used in one event loop, owned by the `Pool`.

    Work that waits is carried out together with its kin, as far as that waits too: nothing waits
    for company. Patient work leaves a thread to what is urgent, where there are several.
    """

    def __init__(
        self,
        name: str,
        threads: int,
        carry_out: Callable[[Sequence[W]], Sequence[R]],
        most: int = 1,
    ) -> None:
        """Start with nothing waiting.

        Args:
            name: Of the threads.
            threads: How many.
            carry_out: Blocking; returns what came of each piece of work.
            most: How many pieces it is given at once, at most.
        """
        self._free = threads
        self._patient = max(1, threads - 1)
        """How many pieces of patient work may begin now."""
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._carry_out = carry_out
        self._most = most
        self._waiting: list[_Waiting[W, R]] = []
        self._numbers = itertools.count()
        self._closed = False

    @property
    def depth(self) -> int:
        """Pieces of work that wait for a thread."""
        return len(self._waiting)

    async def run(
        self,
        work: W,
        slack_s: float = 0.0,
        kin: Hashable = None,
        renew: Callable[[W], W] | None = None,
    ) -> R:
        """Carry out `work` in a thread of this lane and return what came of it.

        Args:
            work: What to do.
            slack_s: How much later than work without slack it may come; if it may, it is patient.
            kin: Work that has the same may be carried out with it; `None`: none.
            renew: Returns work that had to wait as it is when its turn comes, in the event loop.
                It may be kin of others then.

        Raises:
            RuntimeError: The lane was closed before.
            Exception: What carrying it out raises, by itself.
        """
        due_s = asyncio.get_running_loop().time() + slack_s
        return await self._outcome(self._enter(work, due_s, kin, patient=slack_s > 0, renew=renew))

    async def run_if_idle(self, work: W, patience_s: float) -> R | None:
        """Carry out patient work once nothing else waits, or return `None` if that takes too long.

        Raises:
            RuntimeError: The lane was closed before.
            Exception: What carrying it out raises, by itself.
        """
        waiting = self._enter(work, math.inf, None, patient=True)
        timer = asyncio.get_running_loop().call_later(patience_s, self._give_up, waiting)
        try:
            return await self._outcome(waiting)
        except _GivenUp:
            return None
        finally:
            timer.cancel()

    async def aclose(self) -> None:
        """Drop what waits, and wait for what runs."""
        self._closed = True
        for waiting in self._waiting:
            waiting.outcome.cancel()
        self._waiting.clear()
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)

    def _enter(
        self,
        work: W,
        due_s: float,
        kin: Hashable,
        *,
        patient: bool,
        renew: Callable[[W], W] | None = None,
    ) -> _Waiting[W, R]:
        """Let work wait for its turn, which may be now."""
        if self._closed:
            raise RuntimeError("an open lane expected")
        outcome: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(due_s, next(self._numbers), work, kin, patient, outcome, renew)
        self._waiting.append(waiting)
        self._dispatch(waiting)
        return waiting

    async def _outcome(self, waiting: _Waiting[W, R]) -> R:
        try:
            return await waiting.outcome
        finally:
            self._forget(waiting)

    def _give_up(self, waiting: _Waiting[W, R]) -> None:
        """Let work go that did not begin."""
        if waiting in self._waiting and not waiting.outcome.done():
            self._forget(waiting)
            waiting.outcome.set_exception(_GivenUp)

    def _dispatch(self, new: _Waiting[W, R] | None = None) -> None:
        """Give free threads to the most urgent work; what is new did not have to wait."""
        while self._free and (together := self._next()):
            self._free -= 1
            self._patient -= together[0].patient
            loop = asyncio.get_running_loop()
            works = [each.work if each is new else each.newest() for each in together]
            running = loop.run_in_executor(self._executor, self._outcomes, works)
            running.add_done_callback(partial(self._settle, together))

    def _next(self) -> list[_Waiting[W, R]]:
        """Take the most urgent work that may begin, with the most urgent of its kin; or nothing."""
        ready = sorted(each for each in self._waiting if not each.patient or self._patient)
        if not ready:
            return []
        first, *others = ready
        kin = [each for each in others if each.kin == first.kin is not None]
        together = [first, *kin[: self._most - 1]]
        for each in together:
            self._waiting.remove(each)
        return together

    def _outcomes(self, works: Sequence[W]) -> Sequence[R | Exception]:
        """Carry out work, in a thread. Where that fails, each by itself: one may be at fault."""
        try:
            return [outcome for _, outcome in zip(works, self._carry_out(works), strict=True)]
        except Exception as error:  # noqa: BLE001 - is told to whoever waits for the outcome
            if len(works) == 1:
                return [error]
        return [outcome for work in works for outcome in self._outcomes([work])]

    def _forget(self, waiting: _Waiting[W, R]) -> None:
        """Let go of work that does not wait any more, with the audio that it holds."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)

    def _settle(
        self,
        together: Sequence[_Waiting[W, R]],
        done: asyncio.Future[Sequence[R | Exception]],
    ) -> None:
        self._free += 1
        self._patient += together[0].patient
        if done.cancelled():
            for waiting in together:
                waiting.outcome.cancel()
        else:
            for waiting, outcome in zip(together, done.result(), strict=True):
                if waiting.outcome.done():
                    continue
                if isinstance(outcome, Exception):
                    waiting.outcome.set_exception(outcome)
                else:
                    waiting.outcome.set_result(outcome)
        self._dispatch()


class Pool:
    """The engines of a server with the threads that run them; owned by the application."""

    def __init__(self, engines: EngineSet) -> None:
        """Make the threads; there is one recognition thread per worker of the recognizer."""
        self._engines = engines
        self._scoring = Lane("vad", 1, _score)
        self._labelling = Lane("diarizer", 1, _label)
        self._recognition = Lane(
            "recognizer",
            engines.recognizer_workers,
            engines.recognizer.recognize,
            engines.recognizer_batch,
        )

    @property
    def queue_depth(self) -> int:
        """Windows that wait for a recognition thread."""
        return self._recognition.depth

    def vad(self, start: Samples) -> Vad:
        """Return the voice-activity detector of a session whose audio begins at `start`."""
        return self._engines.vad(start)

    def diarizer(self, latency: Samples, known: Sequence[Voice] = ()) -> Diarizer:
        """Return the diarizer of a new session that may hear known voices again.

        Nobody asks for one where speakers are not told apart.
        """
        assert self._engines.diarizer is not None
        return self._engines.diarizer(latency, known)

    async def score(self, vad: Vad, work: Score) -> tuple[float, ...]:
        """Score the frames of `work` in order."""
        return await self._scoring.run((vad, work))

    async def label(
        self,
        diarizer: Diarizer,
        work: Diarize,
        renew: Callable[[Diarize], Diarize],
    ) -> Diarization:
        """Label one window, when its turn comes.

        Args:
            diarizer: Of the session.
            work: As it is now.
            renew: Returns what it is by then, if it had to wait.
        """
        return await self._labelling.run(
            (diarizer, work), renew=lambda waiting: (diarizer, renew(waiting[1]))
        )

    async def recognize(
        self,
        window: RecognitionWindow,
        renew: Callable[[RecognitionWindow], RecognitionWindow] | None = None,
    ) -> Transcription:
        """Recognise one window, when its turn comes.

        Args:
            window: As it is now.
            renew: Returns what it is by then, if it had to wait.
        """
        slack_s = PASS_SLACK_S if window.effort is Effort.UTTERANCE else 0.0
        kin = self._engines.recognizer.kin(window)
        return await self._recognition.run(window, slack_s, kin, renew)

    async def recognize_if_idle(self, window: RecognitionWindow) -> Transcription | None:
        """Recognise one window, unless others have more need of the machine."""
        return await self._recognition.run_if_idle(window, OPTIONAL_S)

    async def aclose(self) -> None:
        """Stop the threads, after the calls that run."""
        for lane in (self._scoring, self._labelling, self._recognition):
            await lane.aclose()


def _score(works: Sequence[tuple[Vad, Score]]) -> Sequence[tuple[float, ...]]:
    return [tuple(vad.score(frame) for frame in work.frames) for vad, work in works]


def _label(works: Sequence[tuple[Diarizer, Diarize]]) -> Sequence[Diarization]:
    return [diarizer.label(work.window, work.start) for diarizer, work in works]
