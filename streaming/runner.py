"""A `StreamSession` in asyncio: carries out the work it asks for on the shared models.

The runner belongs to one session and lives in one event loop. Audio goes in by `feed`, events come
out of `batches`; in between, each piece of work is a task on the `Pool`, and its outcome goes back
to the session as soon as it is there. An engine that raises is a failed piece of work: the session
asks again, and gives up after several failures in a row.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import assert_never

from streaming.core.domain import SAMPLE_RATE, Pcm, Samples, UtteranceId, Voice
from streaming.core.events import Event
from streaming.core.ports import Diarization, Diarizer, Transcription
from streaming.core.session import StreamSession
from streaming.core.settings import SessionSettings
from streaming.core.work import (
    Diarize,
    Diarized,
    Failed,
    LeftOut,
    Recognize,
    Recognized,
    Result,
    Score,
    Scored,
    Work,
)
from streaming.pool import Pool

logger = logging.getLogger(__name__)

UNREAD_EVENTS = 1_000
"""Events that may wait to be read; with more, the runner takes no audio until they are."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session begins: all zero, or where an interrupted one goes on.

    Attributes:
        at: Number of its first sample.
        utterance: Number of its first utterance.
        voices: Whom it heard before, or may hear.
    """

    at: Samples = Samples(0)
    utterance: int = 0
    voices: tuple[Voice, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a session is.

    Attributes:
        received: End of the audio fed.
        processed: How far it was heard: what lies between is the session's lag.
        step: New audio between the last two live windows.
        skipped_passes: Utterance passes left out under load.
    """

    received: Samples
    processed: Samples
    step: Samples
    skipped_passes: int


class SessionRunner:
    """Hears one session; made and used in the event loop that owns the session."""

    def __init__(self, pool: Pool, settings: SessionSettings, *, origin: Origin = Origin()) -> None:
        """Begin to hear; costs the diarizer's and the detector's state, no model is loaded."""
        self._pool = pool
        self._session = StreamSession(settings, origin.at, UtteranceId(origin.utterance))
        self._vad = pool.vad(origin.at)
        self._settings = settings
        latency = settings.diarization_latency
        self._diarizer = pool.diarizer(latency, origin.voices) if settings.diarization else None
        self._labelling_s = 0.0
        """How long the last diarization window took, its turn included."""
        self._voices = origin.voices
        self._unread: list[Event] = []
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._mistake: Exception | None = None

    @property
    def room(self) -> Samples:
        """How much audio `feed` takes now."""
        return Samples(0) if len(self._unread) > UNREAD_EVENTS else self._session.room

    @property
    def progress(self) -> Progress:
        """How far the session is."""
        session = self._session
        return Progress(session.received, session.processed, session.step, session.skipped_passes)

    @property
    def voices(self) -> tuple[Voice, ...]:
        """What the speakers named so far sound like."""
        return self._voices

    def feed(self, pcm: Pcm) -> None:
        """Take audio; never blocks.

        Raises:
            BacklogFull: There is more of it than the session holds; nothing was taken. What `room`
                allowed once is taken, even if events wait to be read since.
            SessionFinished: `finish` was called before.
        """
        self._session.feed(pcm)
        self._pump()

    def flush(self) -> None:
        """Make everything fed so far final."""
        self._session.flush()
        self._pump()

    def finish(self) -> None:
        """Take no more audio; `batches` ends when everything is final."""
        self._session.finish()
        self._pump()

    async def batches(self) -> AsyncIterator[tuple[Event, ...]]:
        """Yield events as they become true, until the session is finished or was closed.

        For one reader. Batches are never empty.

        Raises:
            Exception: The session itself failed on an outcome: a mistake in the core.
        """
        while True:
            await self._news.wait()
            self._news.clear()
            if self._mistake is not None:
                raise self._mistake
            if self._unread:
                batch = tuple(self._unread)
                self._unread.clear()
                yield batch
            if self._closed or (self._session.finished and not self._unread):
                return

    async def aclose(self) -> None:
        """Let go of the session: what waits is dropped, what runs is finished for nobody."""
        self._closed = True
        self._news.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _pump(self) -> None:
        """Start all work there is, and pass on what became true."""
        while not self._closed and (work := self._session.next_work()) is not None:
            task = asyncio.create_task(self._carry_out(work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        events = self._session.events()
        self._unread += events
        if events or self._session.finished:
            self._news.set()

    async def _carry_out(self, work: Work) -> None:
        outcome = await self._outcome(work)
        try:
            self._session.complete(outcome)
            self._pump()
        except Exception as error:  # Our mistake; unnoticed, it would stall the session.
            logger.exception("session failed", extra={"work": type(work).__name__})
            self._mistake = error
            self._news.set()

    async def _recognize(self, work: Recognize) -> Transcription:
        newest = self._session.renewed
        return await self._pool.recognize(work.window, lambda _: newest(work).window)

    async def _label(self, diarizer: Diarizer, work: Diarize) -> Diarization:
        """Label a window, or a later one where this or the one before takes a whole step."""
        loop, asked_s = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        step_s = self._settings.diarization_step / SAMPLE_RATE
        slow = self._labelling_s >= step_s

        def newest(asked: Diarize) -> Diarize:
            late = slow or loop.time() - asked_s >= step_s
            return self._session.caught_up(asked) if late else asked

        diarization = await self._pool.label(diarizer, newest(work), newest)
        self._labelling_s = loop.time() - asked_s
        return diarization

    async def _outcome(self, work: Work) -> Result:
        try:
            match work:
                case Score():
                    return Scored(work.id, await self._pool.score(self._vad, work))
                case Recognize(optional=True):
                    heard = await self._pool.recognize_if_idle(work.window)
                    return LeftOut(work.id) if heard is None else Recognized(work.id, heard)
                case Recognize():
                    return Recognized(work.id, await self._recognize(work))
                case Diarize():
                    assert self._diarizer is not None
                    diarization = await self._label(self._diarizer, work)
                    self._voices = diarization.voices
                    return Diarized(work.id, diarization)
                case _:
                    assert_never(work)
        except Exception as error:  # The end of the work's life: the session decides what follows.
            logger.exception("engine failed", extra={"work": type(work).__name__})
            return Failed(work.id, type(error).__name__)
