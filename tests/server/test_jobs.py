"""The jobs of a server: submitted, woken up for, watched and fetched, whatever the broker does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import pytest

from offline import queue as queue_module
from offline.errors import QueueUnavailable
from offline.jobs import Claim, Failure, FailureCode, Job, JobKind, JobState, Task
from offline.queue import JobQueue
from server import jobs as module
from server.errors import Overload
from server.jobs import Jobs
from server.lifecycle import Serving
from server.storage.errors import UnknownJob
from server.storage.jobs import Bounds, NewJob
from server.storage.store import Store
from server.store_threads import StoreThreads
from server.telemetry import Telemetry
from streaming.core.domain import Permille
from tests.redis_server import RedisServer
from tests.server.talking import DEADLINE_S, running, talk

TRANSCRIPT = "transcript-aaaaaaaaaa"
TASK = Task(JobKind.PASSAGE, TRANSCRIPT, "session1", 0, 30_000)
HOPELESS = Failure(FailureCode.MODEL_MISSING, "a model expected, got none", retry=False)


class Office:
    """Jobs over a store, without anybody who works."""

    def __init__(self, folder: Path, redis_url: str | None = None) -> None:
        self.store = Store(f"sqlite:///{folder / 'trax.db'}")
        self.store.library.create(TRANSCRIPT, started_ms=0)
        self.queue = JobQueue(redis_url)
        self.telemetry = Telemetry()
        self._threads = StoreThreads()
        self.jobs = Jobs(self.store, self._threads, self.queue, self.telemetry, Bounds(2, 3))

    async def submit(self, key: str | None = None) -> Job:
        return await self.jobs.submit(NewJob(TASK, key))

    def taken(self) -> Claim:
        claim = self.store.claims.take("worker", 60_000)
        assert claim is not None
        return claim

    async def messages(self, count: int) -> None:
        """Wait until so many wait, and see that there are no more."""
        while True:
            with suppress(QueueUnavailable):
                if (waiting := self.queue.waiting()) >= count:
                    assert waiting == count
                    return
            await asyncio.sleep(0.01)

    async def found(self, *, reachable: bool) -> None:
        """Wait until it is found out whether Redis answers."""
        while self.jobs._reachable is not reachable:  # noqa: ASYNC110 - there is nothing to await
            await asyncio.sleep(0.01)

    async def aclose(self) -> None:
        await self.jobs.aclose()
        self._threads.close()
        self.queue.close()
        self.store.close()


@asynccontextmanager
async def office(folder: Path, redis_url: str | None = None) -> AsyncIterator[Office]:
    opened = Office(folder, redis_url)
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield opened
    finally:
        await opened.aclose()


async def test_a_job_that_is_submitted_wakes_a_worker_up(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        first = await here.submit("k")
        again = await here.submit("k")

        assert again == first == await here.jobs.get(first.id)
        assert here.queue.waiting() == 2  # the second finds nothing to do


async def test_more_than_may_wait_is_refused(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        await here.submit()
        await here.submit()

        with pytest.raises(Overload, match="fewer than 2 jobs under way in this transcript") as no:
            await here.submit()

        assert no.value.retry_after_ms == module.RETRY_AFTER_MS


@pytest.mark.slow
async def test_whoever_watches_sees_a_job_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    async with office(tmp_path) as here, aclosing(here.jobs.watch("nothing")) as unknown:
        with pytest.raises(UnknownJob):
            await anext(unknown)
        job, claim = await here.submit(), None
        seen: list[tuple[JobState, int]] = []
        async for now in here.jobs.watch(job.id):
            seen.append((now.state, now.progress))
            match now.state, now.progress:
                case JobState.WAITING, _:
                    claim = here.taken()
                case JobState.RUNNING, 0:
                    assert claim is not None
                    here.store.claims.renew(claim, Permille(400), 60_000)
                case JobState.RUNNING, _:
                    assert claim is not None
                    here.store.claims.finish(claim, b"heard")
                case JobState.HEARD, _:
                    here.store.jobs.applied(job.id, None)

    assert seen == [
        (JobState.WAITING, 0),
        (JobState.RUNNING, 0),
        (JobState.RUNNING, 400),
        (JobState.HEARD, 1000),
        (JobState.DONE, 1000),
    ]


async def test_news_are_looked_at_once_and_by_all_who_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", DEADLINE_S)
    async with office(tmp_path) as here:
        job = await here.submit()
        looks: list[str] = []
        read = here.store.jobs.get

        def look(each: str) -> Job:
            looks.append(each)
            return read(each)

        monkeypatch.setattr(here.store.jobs, "get", look)
        async with (
            aclosing(here.jobs.watch(job.id)) as one,
            aclosing(here.jobs.watch(job.id)) as other,
        ):
            both = [await anext(one), await anext(other)]
            ends = [asyncio.ensure_future(anext(each)) for each in (one, other)]
            for _ in range(5):
                await asyncio.sleep(0)
            await here.jobs.cancel(job.id)
            both += [await each for each in ends]

        assert [each.state for each in both] == [JobState.WAITING] * 2 + [JobState.CANCELLED] * 2
        assert len(looks) <= 6  # and not again and again


async def test_what_was_heard_comes_again_until_it_is_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    async with office(tmp_path) as here, aclosing(here.jobs.heard()) as heard:
        coming = asyncio.ensure_future(anext(heard))
        first, second = await here.submit(), await here.submit()
        here.store.claims.finish(here.taken(), b"1")

        assert (await coming).id == first.id
        assert (await anext(heard)).id == first.id
        here.store.jobs.applied(first.id, None)
        here.store.claims.finish(here.taken(), b"2")
        here.jobs.notice()

        assert (await anext(heard)).id == second.id


async def test_a_job_is_ended_and_tried_again(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        job = await here.submit()
        assert (await here.jobs.cancel(job.id)).state is JobState.CANCELLED
        other = await here.submit()
        here.store.claims.fail(here.taken(), HOPELESS)
        before = here.queue.waiting()

        assert (await here.jobs.retry(other.id)).state is JobState.WAITING
        assert here.queue.waiting() == before + 1


async def test_a_job_is_not_tried_again_where_too_much_waits(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        failed = await here.submit()
        here.store.claims.fail(here.taken(), HOPELESS)
        await here.submit()
        await here.submit()

        with pytest.raises(Overload):
            await here.jobs.retry(failed.id)


@pytest.mark.redis
async def test_a_message_that_was_lost_is_sent_again(
    tmp_path: Path, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.01)
    async with office(tmp_path, redis_server.url) as here:
        await here.submit()
        redis_server.flush()
        here.jobs.start()
        await here.messages(1)

        redis_server.flush()
        await here.messages(1)


@pytest.mark.redis
async def test_jobs_wait_for_a_redis_that_is_away_and_it_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.01)
    caplog.set_level("DEBUG", "server.jobs")
    server = RedisServer()
    server.kill()
    async with office(tmp_path, server.url) as here:
        here.jobs.start()
        job = await here.submit()
        await here.submit()
        assert (await here.jobs.get(job.id)).state is JobState.WAITING

        server.start()
        try:
            await here.messages(2)
            while "jobs sent again" not in caplog.messages:  # noqa: ASYNC110 - nothing to await
                await asyncio.sleep(0.01)
        finally:
            server.kill()

    said = [record.message for record in caplog.records]
    assert said[0] == "jobs wait for Redis"
    assert "Redis is back" in said
    (again, *_) = [record for record in caplog.records if record.message == "jobs sent again"]
    assert again.levelname == "DEBUG"
    assert said.count("jobs wait for Redis") <= 2  # it goes away once more at the end


async def test_jobs_that_were_over_long_ago_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(tmp_path) as here:
        old = await here.submit()
        await here.jobs.cancel(old.id)
        await here.jobs._tidy()
        assert (await here.jobs.get(old.id)).state is JobState.CANCELLED

        monkeypatch.setattr(module, "KEPT_MS", -60_000)
        await here.jobs._tidy()  # it was done only now
        assert (await here.jobs.get(old.id)).state is JobState.CANCELLED
        here.jobs._forgetting_ms = 0
        await here.jobs._tidy()

        with pytest.raises(UnknownJob):
            await here.jobs.get(old.id)


@pytest.mark.redis
async def test_nobody_waits_for_a_redis_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.01)
    monkeypatch.setattr(module, "SEND_S", 0.1)
    monkeypatch.setattr(queue_module, "ANSWER_S", 0.3)
    server = RedisServer()
    try:
        async with office(tmp_path, server.url) as here:
            server.freeze()
            jobs = [await here.submit(), await here.submit()]
            assert {(await here.jobs.get(job.id)).state for job in jobs} == {JobState.WAITING}

            here.jobs.start()
            await here.found(reachable=False)
            server.thaw()
            await here.found(reachable=True)
            assert here.queue.waiting() >= 2
    finally:
        server.kill()


@pytest.mark.slow
async def test_metrics_tell_how_many_jobs_there_are(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        state = server.app._lifecycle.state
        assert isinstance(state, Serving)
        store = state.store
        store.library.create(TRANSCRIPT, started_ms=0)
        await state.jobs.submit(NewJob(TASK))
        await state.jobs._tidy()

        _, _, text = await server.get("/metrics")

    # Its worker may have taken the job already.
    assert sum(map(float, re.findall(r"^trax_jobs{.*} (.*)$", text, re.MULTILINE))) == 1
    assert "trax_jobs_wait_seconds" in text
