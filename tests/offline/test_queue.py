"""The queue: whoever works is woken up, in this process or through a real Redis."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from offline.errors import QueueUnavailable
from offline.queue import JobQueue
from tests.redis_server import RedisServer

DEADLINE_S = 60.0


@pytest.fixture(params=["here", pytest.param("redis", marks=pytest.mark.redis)])
def redis_url(request: pytest.FixtureRequest) -> str | None:
    """Where messages go."""
    if request.param == "here":
        return None
    server: RedisServer = request.getfixturevalue("redis_server")
    return server.url


@pytest.fixture
def jobs(redis_url: str | None) -> Iterator[JobQueue]:
    """An empty queue."""
    made = JobQueue(redis_url)
    yield made
    made.close()


class Bell:
    """Work that tells when it begins, and goes on until it is let go."""

    def __init__(self) -> None:
        self.begun: queue.Queue[None] = queue.Queue()
        self.go_on = threading.Semaphore(0)

    def __call__(self) -> None:
        self.begun.put(None)
        assert self.go_on.acquire(timeout=DEADLINE_S)

    def rings(self) -> None:
        self.begun.get(timeout=DEADLINE_S)


@contextmanager
def employed(jobs: JobQueue, bell: Bell, workers: int = 1) -> Iterator[None]:
    force = jobs.employ(bell, workers=workers)
    try:
        yield
    finally:
        bell.go_on.release(1000)
        force.dismiss(DEADLINE_S)


@pytest.mark.slow
def test_each_message_wakes_a_worker_up_once(jobs: JobQueue) -> None:
    bell = Bell()
    jobs.send("a")
    assert jobs.waiting() == 1
    with employed(jobs, bell, workers=2):
        bell.rings()
        jobs.send("b")
        bell.rings()

        assert jobs.waiting() == 0
        bell.go_on.release(2)
    assert bell.begun.empty()


@pytest.mark.slow
def test_a_worker_that_works_takes_no_message_from_others(jobs: JobQueue) -> None:
    bell = Bell()
    with employed(jobs, bell):
        jobs.send("a")
        bell.rings()
        jobs.send("b")
        jobs.send("c")
        bell.go_on.release()
        bell.rings()

        assert jobs.waiting() == 1


def test_what_was_lost_is_sent_again_and_nothing_else(jobs: JobQueue) -> None:
    jobs.send("a")

    assert jobs.top_up(["a", "b", "c"]) == 2
    assert jobs.top_up(["a", "b", "c"]) == 0
    assert jobs.top_up([]) == 0
    assert jobs.waiting() == 3


@pytest.mark.slow
def test_a_mistake_in_the_work_ends_neither_worker_nor_queue(
    jobs: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    rings: queue.Queue[None] = queue.Queue()

    def fail() -> None:
        rings.put(None)
        raise ArithmeticError

    force = jobs.employ(fail, workers=1)
    for job in ("a", "b"):
        jobs.send(job)
        rings.get(timeout=DEADLINE_S)
    force.dismiss(DEADLINE_S)

    assert jobs.waiting() == 0
    assert [record.message for record in caplog.records].count("a worker failed") == 2


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="Redis URL must specify"):
        JobQueue("postgresql://trax@localhost")


def test_a_place_is_told_without_its_password() -> None:
    assert JobQueue("redis://me:secret@redis.example/3").place == "redis.example:6379/3"
    assert JobQueue("unix:///run/redis.sock").place == "/run/redis.sock"
    assert JobQueue().place == "this process"


@pytest.mark.redis
def test_a_redis_that_is_away_is_told_apart_and_used_again_when_it_is_back() -> None:
    server = RedisServer()
    jobs = JobQueue(server.url)
    jobs.send("a")
    server.kill()
    try:
        with pytest.raises(QueueUnavailable, match=f"127.0.0.1:{server.port}/0: expected a Redis"):
            jobs.send("b")
        with pytest.raises(QueueUnavailable):
            jobs.top_up(["a", "b"])

        server.start()

        assert jobs.waiting() == 0
        assert jobs.top_up(["a", "b"]) == 2
    finally:
        jobs.close()
        server.kill()


@pytest.mark.redis
def test_a_worker_finds_redis_when_it_comes_back() -> None:
    server = RedisServer()
    server.kill()
    jobs, bell = JobQueue(server.url), Bell()
    try:
        with employed(jobs, bell):
            server.start()
            jobs.send("a")
            bell.rings()
    finally:
        jobs.close()
        server.kill()
