"""Workers, here or as the command `trax worker`: jobs from the database, audio from the recordings.

The server runs some itself. Others may run elsewhere, with the same database, the same Redis, and
recordings that they can read: the same data folder, or the same object store.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

from offline.child import Dropped, Ending, Failed, Heard, Hire
from offline.errors import BoardUnavailable, QueueUnavailable, Unheard
from offline.jobs import Claim, Failure, FailureCode, Task
from offline.layers import Words, layers
from offline.queue import JobQueue, Workforce
from offline.worker import PATIENT, Crew, Patience
from server.errors import StartError
from server.passes import passes_of
from server.settings import Settings
from server.storage.errors import StorageError
from server.storage.store import Store
from server.storage.values import PassKind
from streaming.core.domain import Permille

logger = logging.getLogger(__name__)

HOLD_MS = 20_000
"""After so long without a sign of life a worker is believed to be dead, and its job is another's.
It gives one every two seconds, and a locked database may take five of them."""

DISMISSAL_S = 2.0
"""How long workers may take to give their jobs back when the process stops."""


class StoreBoard:
    """The jobs of a store, as workers see them: implements `JobBoard`."""

    def __init__(
        self,
        store: Store,
        *,
        told: Callable[[], None] = lambda: None,
        hold_ms: int = HOLD_MS,
    ) -> None:
        """Show the jobs of a store.

        Args:
            store: Of the workers alone.
            told: Called in a worker's thread whenever one is done with a job.
            hold_ms: For how long a job is claimed.
        """
        self._store = store
        self._told = told
        self._hold_ms = hold_ms
        self._name = f"{socket.gethostname()}:{os.getpid()}"

    def claim(self, *, urgent: bool) -> Claim | None:
        """Take the most urgent job; see `JobBoard.claim`."""
        with _translated():
            return self._store.claims.take(self._name, self._hold_ms, urgent=urgent)

    def renew(self, claim: Claim, progress: Permille) -> bool:
        """Say that the work goes on; see `JobBoard.renew`."""
        with _translated():
            return self._store.claims.renew(claim, progress, self._hold_ms)

    def end(self, claim: Claim, ending: Ending) -> None:
        """Say what became of a job; see `JobBoard.end`."""
        claims = self._store.claims
        with _translated():
            match ending:
                case Heard(result=result):
                    claims.finish(claim, result)
                case Failed(failure=failure):
                    claims.fail(claim, failure)
                case Dropped():
                    claims.give_back(claim)
        self._told()

    def recall(self, task: Task) -> tuple[Words, ...]:
        """Return what was taken for said in a task's span after each pass, the oldest first.

        Raises:
            Unheard: The session is not in the transcript any more.
            BoardUnavailable: It cannot be read now.
        """
        with _translated():
            session = self._store.sessions.find(task.session)
            if session is None or session.transcript != task.transcript:
                expected = "a session of the transcript expected, got none"
                raise Unheard(Failure(FailureCode.NO_AUDIO, expected, retry=False))
            passes = [
                each
                for each in self._store.passes.of(task.transcript)
                if each.session == task.session
            ]
            heard = self._store.passes.words(task.transcript, [each.id for each in passes])
        accurate = PassKind.ACCURATE
        rows = layers(
            [heard[each.id] for each in passes if each.kind is not accurate],
            [heard[each.id] for each in passes if each.kind is accurate],
        )
        return tuple(_cut(row, task, session.offset_ms) for row in rows)


class Workers:
    """The workers of this process; owned by the server, or by `trax worker`."""

    def __init__(
        self,
        settings: Settings,
        queue: JobQueue,
        hire: Hire,
        *,
        told: Callable[[], None] = lambda: None,
        hold_ms: int = HOLD_MS,
        patience: Patience = PATIENT,
    ) -> None:
        """Begin to work. Blocks: it opens the database, with connections of its own.

        Raises:
            SettingsError: The passes cannot be understood.
            StorageError: The database cannot be used.
        """
        passes_of(settings)  # children would fail, job after job
        self._store = Store(settings.database_url)
        board = StoreBoard(self._store, told=told, hold_ms=hold_ms)
        memory_bytes = settings.worker_memory_mb * 1_000_000 or None
        self.crew = Crew(
            board,
            hire,
            board.recall,
            workers=settings.workers,
            memory_bytes=memory_bytes,
            patience=patience,
        )
        self._force: Workforce = queue.employ(self.crew.work, workers=self.crew.threads)

    def stop(self) -> None:
        """Have jobs given back; never blocks."""
        self.crew.stop()

    def close(self) -> None:
        """Wait until jobs are given back, and end all children. Blocks for a moment."""
        self.crew.stop()
        self._force.dismiss(DISMISSAL_S)
        self.crew.close()
        self._store.close()


def work(
    settings: Settings, hire: Hire, announce: Callable[[str], None], *, hold_ms: int = HOLD_MS
) -> None:
    """Work in this process until it is asked to stop (SIGINT, SIGTERM); the second time at once.

    Args:
        settings: Of the server that submits the jobs.
        hire: What the workers' children do.
        announce: Told, in a line, what this process does.
        hold_ms: For how long a job is claimed.

    Raises:
        StartError: It cannot work, in one line.
    """
    if settings.redis_url is None:
        raise StartError("--redis-url (TRAX_REDIS_URL): expected that of the server, got none")
    if settings.workers == 0:
        raise StartError("--workers (TRAX_WORKERS): expected at least 1 for a worker, got 0")
    try:
        queue = JobQueue(settings.redis_url)
    except ValueError as error:
        raise StartError(f"--redis-url (TRAX_REDIS_URL): {error}") from error
    asked = _asked_to_stop()
    try:
        workers = Workers(settings, queue, hire, hold_ms=hold_ms)
    except StorageError as error:
        raise StartError(str(error)) from error
    try:
        queue.waiting()
        announce(f"hears up to {settings.workers} recordings at once, woken up by {queue.place}")
    except QueueUnavailable as error:
        announce(f"waits for Redis: {error}")
    asked.wait()
    logger.info("stopping")
    workers.close()
    queue.close()


def _asked_to_stop() -> threading.Event:
    """Return what is set once this process is to stop."""
    asked = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            os._exit(1)
        asked.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)
    return asked


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        raise BoardUnavailable(str(error)) from error


def _cut(row: Words, task: Task, offset_ms: int) -> Words:
    """Return the words in a task's span, on the clock of its session."""
    start_ms = task.start_ms + offset_ms
    end_ms = math.inf if task.end_ms is None else task.end_ms + offset_ms
    return tuple(
        replace(word, start_ms=word.start_ms - offset_ms, end_ms=word.end_ms - offset_ms)
        for word in row
        if word.end_ms > start_ms and word.start_ms < end_ms
    )
