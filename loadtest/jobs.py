"""How soon jobs begin, and begin again when whoever hears them is killed.

Everything is real but what is heard: database, queue, workers and their children. A child answers
at once, or works until it is killed.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess

from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.distribution import Distribution
from loadtest.report import spread
from offline.child import Hear
from offline.domain import PassWord
from offline.jobs import Job, JobKind, JobState, Task
from offline.queue import JobQueue
from offline.results import Hearing
from server.jobs import Jobs
from server.recordings import unix_ms
from server.settings import Settings
from server.storage.jobs import Bounds, NewJob
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.store_threads import StoreThreads
from server.telemetry import Telemetry
from server.worker import HOLD_MS, Workers, work

DEADLINE_S = 120.0
POLL_S = 0.005
SLOW = "slow"
"""The language of a job that goes on until its worker is killed."""

Tell = Callable[[str], None]
"""Told what is being measured."""


@dataclass(frozen=True, slots=True)
class JobsReport:
    """What was measured, in seconds.

    Attributes:
        place: Where the queue was.
        first_begun_s: From submission to the beginning of the first job.
        first_heard_s: From submission to the end of the first job, whose child has to be started.
        begun_s: From submission to beginning, of each job that came to idle workers.
        heard_s: From submission to end, of the same.
        hold_s: After so long without a sign of life a worker is believed to be dead.
        again_s: From the death of a worker to the beginning of its job with another one.
    """

    place: str
    first_begun_s: float
    first_heard_s: float
    begun_s: tuple[float, ...]
    heard_s: tuple[float, ...]
    hold_s: float
    again_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """Hears nothing: at once, or never."""

    def __call__(self) -> Hear:
        """Need nothing."""
        return self._hear

    def _hear(
        self,
        task: Task,
        earlier: Sequence[Sequence[PassWord]],  # noqa: ARG002 - nothing is heard
        progress: Callable[[float], None],
    ) -> Hearing:
        while task.language == SLOW:
            progress(0.5)
            time.sleep(0.1)
        return Hearing(0, 0, ())


async def measure_jobs(
    settings: Settings, jobs: int, kills: int, tell: Tell, *, hold_ms: int = HOLD_MS
) -> JobsReport:
    """Measure over an empty data folder; with Redis if the settings name one.

    Args:
        settings: Of a server; its database is written to.
        jobs: How many jobs to time.
        kills: How many workers to kill; needs Redis.
        tell: Told what is being measured.
        hold_ms: After so long without a sign of life a worker is believed to be dead.
    """
    async with _office(settings, hold_ms) as office:
        with office.employed():
            tell("the first job")
            first = await office.ended(await office.submit())
            timed: list[Job] = []
            for number in range(jobs):
                tell(f"job {number + 1} of {jobs}")
                timed.append(await office.ended(await office.submit()))
        again_s: list[float] = []
        for number in range(kills if settings.redis_url is not None else 0):
            tell(f"kill {number + 1} of {kills}, up to {hold_ms / 1000:.0f} s each")
            again_s.append(await office.kill())
    return JobsReport(
        place="this process" if settings.redis_url is None else "Redis",
        first_begun_s=_begun_s(first),
        first_heard_s=_heard_s(first),
        begun_s=tuple(map(_begun_s, timed)),
        heard_s=tuple(map(_heard_s, timed)),
        hold_s=hold_ms / 1000,
        again_s=tuple(again_s),
    )


def jobs_table(report: JobsReport) -> Table:
    """Return what was measured."""
    table = Table(title=f"jobs, the queue in {report.place}", box=SIMPLE_HEAD)
    for heading in ("seconds", "n", "median", "p90", "max"):
        table.add_column(heading, justify="left" if heading == "seconds" else "right")
    rows = (
        ("first job: submitted to begun", [report.first_begun_s]),
        ("  to heard, with the start of a child", [report.first_heard_s]),
        ("idle worker: submitted to begun", report.begun_s),
        ("  to heard", report.heard_s),
        (f"kill -9 to begun again (held for {report.hold_s:.0f} s)", report.again_s),
    )
    for heading, values in rows:
        table.add_row(heading, str(len(values)), *spread(Distribution.of(values)))
    return table


class _Office:
    """A server's jobs without the rest of it; owned by the measurement."""

    def __init__(self, settings: Settings, threads: StoreThreads, hold_ms: int) -> None:
        self._settings = settings
        self._hold_ms = hold_ms
        self._store = Store(settings.database_url)
        self._queue = JobQueue(settings.redis_url)
        self.jobs = Jobs(self._store, threads, self._queue, Telemetry(), Bounds(1000, 1000))
        transcript, session = secrets.token_hex(8), secrets.token_hex(8)
        recording = settings.data_dir / "sessions" / session
        recording.mkdir(parents=True)
        (recording / "audio.pcm").write_bytes(b"\0\0")
        self._store.library.create(transcript, started_ms=0)
        self._store.sessions.add(self._store.documents.lease(transcript), NewSession(session, 0))
        self._task = Task(JobKind.STRETCH, transcript, session)

    @contextmanager
    def employed(self) -> Iterator[None]:
        """Have a worker, in this process or, with Redis, in another one."""
        if self._settings.redis_url is not None:
            with _process(self._settings, self._hold_ms):
                yield
            return
        workers = Workers(self._settings, self._queue, Answers())
        try:
            yield
        finally:
            workers.close()

    async def submit(self, *, slow: bool = False) -> Job:
        task = replace(self._task, language=SLOW if slow else None)
        return await self.jobs.submit(NewJob(task))

    async def ended(self, job: Job) -> Job:
        return await self._until(job, lambda now: now.state is JobState.HEARD)

    async def kill(self) -> float:
        """Kill a worker in the midst of a job; return when another one begins with it."""
        with _process(self._settings, self._hold_ms) as first:
            job = await self._until(await self.submit(slow=True), lambda now: now.progress > 0)
            with _process(self._settings, self._hold_ms):
                first.kill()
                killed_ms = unix_ms()
                begun = await self._until(job, lambda now: now.attempts > job.attempts)
                await self.jobs.cancel(job.id)
        assert begun.started_ms is not None
        return (begun.started_ms - killed_ms) / 1000

    async def _until(self, job: Job, holds: Callable[[Job], bool]) -> Job:
        async with asyncio.timeout(DEADLINE_S):
            while not holds(now := await self.jobs.get(job.id)):  # noqa: ASYNC110 - a clock runs
                await asyncio.sleep(POLL_S)
        return now

    async def aclose(self) -> None:
        await self.jobs.aclose()
        self._queue.close()
        self._store.close()


@asynccontextmanager
async def _office(settings: Settings, hold_ms: int) -> AsyncIterator[_Office]:
    threads = StoreThreads()
    office = _Office(settings, threads, hold_ms)
    office.jobs.start()
    try:
        yield office
    finally:
        await office.aclose()
        threads.close()


@contextmanager
def _process(settings: Settings, hold_ms: int) -> Iterator[BaseProcess]:
    """Run a worker in a process of its own; killed at the end."""
    spawn = multiprocessing.get_context("spawn")
    hears = spawn.Event()
    process = spawn.Process(target=_work, args=(settings, hold_ms, hears.set))
    process.start()
    try:
        hears.wait(DEADLINE_S)
        yield process
    finally:
        process.kill()
        process.join()


def _work(settings: Settings, hold_ms: int, begun: Callable[[], object]) -> None:
    def announce(_what: str) -> None:
        begun()

    work(settings, Answers(), announce, hold_ms=hold_ms)


def _begun_s(job: Job) -> float:
    assert job.started_ms is not None
    return (job.started_ms - job.created_ms) / 1000


def _heard_s(job: Job) -> float:
    return (job.updated_ms - job.created_ms) / 1000
