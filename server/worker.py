"""Workers, here or as the command `trax worker`: jobs from the database, audio from the recordings.

The server runs some itself. Others may run elsewhere, with the same database, the same Redis, and
recordings that they can read: the same data folder, or the same object store. Jobs whose recording
a worker does not see are left to others.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from types import FrameType

from offline.child import Dropped, Ending, Failed, Heard, Hire
from offline.errors import BoardUnavailable, QueueUnavailable, Unheard
from offline.jobs import Claim, Failure, FailureCode, Task
from offline.layers import Words, layers
from offline.queue import JobQueue, Workforce
from offline.worker import PATIENT, Crew, Patience
from server.errors import AudioStoreError, StartError
from server.hearing import is_seen, open_archive
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

LOOK_AGAIN_S = 60.0
"""How often it is looked for a recording that was not seen: it may come into the object store."""

MOST_UNSEEN = 1_000
"""Where so many are not seen, nothing is taken until some are looked for again."""

PASS_ON_S = 0.3
"""Before a message is sent to others that this worker can do nothing about; it may come back."""

DISMISSAL_S = 2.0
"""How long workers may take to give their jobs back when the process stops."""


class StoreBoard:
    """The jobs of a store, as workers see them: implements `JobBoard`."""

    def __init__(
        self,
        store: Store,
        sees: Callable[[str], bool],
        *,
        told: Callable[[], None] = lambda: None,
        hold_ms: int = HOLD_MS,
    ) -> None:
        """Show the jobs of a store.

        Args:
            store: Of the workers alone.
            sees: Whether a session's recording can be read here.
            told: Called in a worker's thread whenever one is done with a job.
            hold_ms: For how long a job is claimed.
        """
        self._store = store
        self._sees = sees
        self._told = told
        self._hold_ms = hold_ms
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._looking = threading.Lock()
        self._blind: dict[str, float] = {}
        self._said = False

    def claim(self, *, urgent: bool) -> Claim | None:
        """Take the most urgent job whose recording is seen here; see `JobBoard.claim`."""
        claims = self._store.claims
        with _translated():
            while len(unseen := self._unseen()) < MOST_UNSEEN:
                claim = claims.take(self._name, self._hold_ms, urgent=urgent, without=unseen)
                if claim is None or self._sees(claim.task.session):
                    return claim
                self._pass_on(claim)
        return None

    def left(self) -> str | None:
        """Return a job that waits for a worker which sees its recording; `None` if none does.

        Raises:
            BoardUnavailable: Nobody knows now.
        """
        unseen = self._unseen()
        if not unseen:
            return None
        with _translated():
            return next(iter(self._store.claims.due(sessions=unseen, limit=1)), None)

    def _unseen(self) -> frozenset[str]:
        """Return the sessions that are not looked for now."""
        now_s = time.monotonic()
        with self._looking:
            for session in [each for each, until_s in self._blind.items() if until_s <= now_s]:
                del self._blind[session]
            return frozenset(self._blind)

    def _pass_on(self, claim: Claim) -> None:
        """Give a job back whose recording is not seen here, and look for it again only later."""
        with self._looking:
            self._blind[claim.task.session] = time.monotonic() + LOOK_AGAIN_S
            said, self._said = self._said, True
        expected = f"a worker that can read the recording expected, got {self._name}"
        self._store.claims.pass_on(claim, Failure(FailureCode.UNAVAILABLE, expected, retry=True))
        if not said:
            logger.error(
                "recordings cannot be read here, and their jobs are left to other workers; this "
                "one needs the --data-dir of the server, or the same --recordings-url",
                extra={"session": claim.task.session},
            )

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

        The first rows are those of the live engine, `offline.accurate.LIVE_ROWS`, empty or not.

        Raises:
            Unheard: The session is not in the transcript any more.
            BoardUnavailable: It cannot be read now.
        """
        with _translated():
            session = self._store.sessions.find(task.session)
            if session is None or session.transcript != task.transcript:
                expected = "a session of the transcript expected, got none"
                raise Unheard(Failure(FailureCode.NO_AUDIO, expected, retry=False))
            heard = self._store.excerpts.of(session, task.start_ms, task.end_ms)
        whole: dict[PassKind, Words] = {PassKind.LIVE: (), PassKind.UTTERANCE: ()}
        whole |= {each.kind: each.words for each in heard if each.kind in whole}
        parts = [each.words for each in heard if each.kind not in whole]
        rows = layers(whole.values(), parts)
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
            AudioStoreError: The object store's address is wrong.
            StorageError: The database cannot be used.
        """
        passes_of(settings)  # children would fail, job after job
        archive = open_archive(settings)
        self._store = Store(settings.database_url)
        sees = partial(is_seen, archive)
        self._board = board = StoreBoard(self._store, sees, told=told, hold_ms=hold_ms)
        self._queue = queue
        self._stopping = threading.Event()
        memory_bytes = settings.worker_memory_mb * 1_000_000 or None
        self.crew = Crew(
            board,
            hire,
            board.recall,
            workers=settings.workers,
            memory_bytes=memory_bytes,
            patience=patience,
        )
        self._force: Workforce = queue.employ(self._work, workers=self.crew.threads)

    def _work(self) -> None:
        """Do what is to be done here; what only others can do wakes up one of them."""
        self.crew.work()
        with suppress(BoardUnavailable, QueueUnavailable):  # the server sends another message
            left = self._board.left() if self._queue.is_shared else None
            if left is not None and not self._stopping.wait(PASS_ON_S):
                self._queue.send(left)

    def stop(self) -> None:
        """Have jobs given back; never blocks."""
        self._stopping.set()
        self.crew.stop()

    def close(self) -> None:
        """Wait until jobs are given back, and end all children. Blocks for a moment."""
        self.stop()
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
    except (AudioStoreError, StorageError) as error:
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
