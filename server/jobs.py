"""Jobs for the rest of the server: submitted, watched, ended, and fetched once they are heard.

    submit -> table `jobs` -> message -> worker, here or elsewhere -> table `jobs` -> heard

Everything goes through the database, so it does not matter which process hears a job. Messages
only wake workers up: those that a broker lost, or could not take, are sent again by a sweep.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from offline.errors import QueueUnavailable
from offline.jobs import Job, JobState
from offline.queue import JobQueue
from server.codes import ErrorCode
from server.errors import Overload
from server.recordings import unix_ms
from server.storage.errors import StorageError, TooManyJobs
from server.storage.jobs import Bounds, NewJob
from server.storage.store import Store
from server.store_threads import StoreThreads
from server.telemetry import Telemetry

logger = logging.getLogger(__name__)

T = TypeVar("T")

SWEEP_S = 5.0
"""How often messages that were lost are sent again."""

SEND_S = 1.0
"""How long whoever submits a job waits for the broker. It is in the database by then."""

LOOK_S = 1.0
"""How often the database is asked for what other processes heard, or how far a job is."""

KEPT_MS = 30 * 86_400_000
"""How long jobs that are over can be looked up."""

FORGET_MS = 3_600_000
"""How often older ones are removed."""

RETRY_AFTER_MS = 30_000
"""When somebody is to come again whose job was not taken."""


class Jobs:
    """The jobs of one server; used in its event loop."""

    def __init__(
        self,
        store: Store,
        threads: StoreThreads,
        queue: JobQueue,
        telemetry: Telemetry,
        bounds: Bounds,
    ) -> None:
        self._store = store
        self._threads = threads
        self._queue = queue
        self._telemetry = telemetry
        self._bounds = bounds
        # A Redis that does not answer must not hold up the threads of the disk.
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="queue")
        self._news = asyncio.Event()
        self._sweeping: asyncio.Task[None] | None = None
        self._stopping = False
        self._reachable = True
        self._forgetting_ms = 0

    def start(self) -> None:
        """Begin to send what waits."""
        self._sweeping = asyncio.create_task(self._sweep())

    def drain(self) -> None:
        """Let go of those who watch: the server stops."""
        self._stopping = True
        self.notice()

    async def aclose(self) -> None:
        """Send no more; jobs wait in the database until a server comes back."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self._sender.shutdown)

    async def submit(self, new: NewJob) -> Job:
        """Have something heard, unless a job with this key is there already.

        Raises:
            UnknownTranscript: There is no such transcript.
            Overload: Too many jobs are under way.
            StorageError: It cannot be stored now.
        """
        _, job = await self.submit_with(lambda bounds: (None, self._store.jobs.submit(new, bounds)))
        return job

    async def submit_with(self, write: Callable[[Bounds], tuple[T, Job]]) -> tuple[T, Job]:
        """Have something heard that is stored in one step with its job.

        Args:
            write: Stores both, in a thread.

        Raises:
            Overload: Too many jobs are under way.
            StorageError: It cannot be stored now.
        """
        stored, job = await self._bounded(write)
        if job.state is JobState.WAITING:
            await self._send(job.id)
        return stored, job

    async def _bounded(self, write: Callable[[Bounds], T]) -> T:
        try:
            return await self._threads.write(lambda: write(self._bounds))
        except TooManyJobs as error:
            raise Overload(
                ErrorCode.OVERLOADED,
                "Too much waits to be heard",
                expected=f"fewer than {error.limit} jobs under way in {error.where}",
                got="another one",
                retry_after_ms=RETRY_AFTER_MS,
            ) from error

    async def get(self, job: str) -> Job:
        """Return a job as it is now.

        Raises:
            UnknownJob: There is none.
            StorageError: It cannot be read now.
        """
        return await self._threads.read(lambda: self._store.jobs.get(job))

    async def cancel(self, job: str) -> Job:
        """End a job that is under way; return it. Its worker stops within seconds.

        Raises:
            UnknownJob: There is none.
            StorageError: It cannot be changed now.
        """
        ended = await self._threads.write(lambda: self._store.jobs.cancel(job))
        self.notice()
        return ended

    async def retry(self, job: str) -> Job:
        """Have a job that failed done once more; return it.

        Raises:
            UnknownJob: There is none.
            WrongJobState: It did not fail.
            Overload: Too many jobs are under way.
            StorageError: It cannot be changed now.
        """
        waiting = await self._bounded(lambda bounds: self._store.jobs.retry(job, bounds))
        self.notice()
        await self._send(job)
        return waiting

    async def watch(self, job: str, left: asyncio.Event | None = None) -> AsyncGenerator[Job, None]:
        """Yield a job as it is, and whenever it is further, until it is over or the server stops.

        Args:
            job: Its id.
            left: Once it is set, nothing more comes, and the end within `LOOK_S`.

        Raises:
            UnknownJob: There is none, or it went with its transcript.
            StorageError: It cannot be read now.
        """
        told: object = None
        while True:
            news = self._news
            found = await self.get(job)
            if left is not None and left.is_set():
                return
            if (shown := (found.state, found.progress, found.attempts)) != told:
                told = shown
                yield found
            if found.state.over or self._stopping:
                return
            await _look(news)

    async def heard(self) -> AsyncGenerator[Job, None]:
        """Yield, for ever, jobs whose hearings wait to be written, the most urgent first.

        A job comes again, usually a second later, until it is noted as applied, rejected or
        cancelled. Other servers get the same jobs.
        """
        while True:
            news = self._news
            try:
                jobs = await self._threads.read(self._store.jobs.heard)
            except StorageError as error:
                logger.warning("jobs not read", extra={"reason": type(error).__name__})
                jobs = ()
            for job in jobs:
                yield job
            await _look(news)

    def notice(self) -> None:
        """Look at once: a worker in this process is done with something."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _send(self, job: str) -> None:
        """Wake a worker up; if that is not possible at once, the sweep does it later."""
        if not self._reachable:
            return
        with suppress(QueueUnavailable, TimeoutError):
            async with asyncio.timeout(SEND_S):
                await self._in_queue(lambda: self._queue.send(job))

    async def _in_queue(self, work: Callable[[], T]) -> T:
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._sender, work)
        except QueueUnavailable as error:
            if self._reachable:
                logger.warning("jobs wait for Redis", extra={"reason": str(error)})
            self._reachable = False
            raise
        if not self._reachable:
            logger.info("Redis is back", extra={"place": self._queue.place})
        self._reachable = True
        return result

    async def _sweep(self) -> None:
        """Send again what was lost, for ever."""
        while True:
            try:
                await self._tidy()
            except QueueUnavailable:
                pass
            except StorageError as error:
                logger.warning("jobs not swept", extra={"reason": type(error).__name__})
            await asyncio.sleep(SWEEP_S)

    async def _tidy(self) -> None:
        store = self._store
        self._telemetry.jobs_counted(await self._threads.read(store.jobs.census), unix_ms())
        await self._forget(unix_ms())
        due = await self._threads.read(store.claims.due)
        sent = await self._in_queue(lambda: self._queue.top_up(due))
        if sent:
            # Also those that a busy worker has fetched already: nothing that anybody has to know.
            logger.debug("jobs sent again", extra={"jobs": sent})

    async def _forget(self, now_ms: int) -> None:
        """Remove jobs that were over long ago, once in a while: it looks at all of them."""
        if now_ms >= self._forgetting_ms:
            await self._threads.write(lambda: self._store.jobs.sweep(now_ms - KEPT_MS))
            self._forgetting_ms = now_ms + FORGET_MS


async def _look(news: asyncio.Event) -> None:
    """Wait until it is time to look into the database, or something is known to be new."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_S):
            await news.wait()
