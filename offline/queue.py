"""The queue that wakes workers up; the only module that knows dramatiq and redis.

The database is the truth about jobs: what is to be done, by whom, how often, and when again. So a
message only says that a job waits. The worker that receives it takes from the database whatever is
most urgent at that moment, which is how a meeting that goes on comes before a file that was sent
first. From this follows the rest:

- Messages may be lost: whoever sweeps sends as many as are missing (`top_up`). They may come twice:
  then one of them finds nothing to do.
- dramatiq's own retries, age and time limits and dead letters are left out, as the database has
  all of them. A message is done as soon as its worker returns, whatever became of the job.
- A worker fetches nothing while it works, so that no message waits behind a job of an hour while
  another worker is idle.

Without Redis the queue lives in this process, and so do its workers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import assert_never
from urllib.parse import urlsplit

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker

from offline.errors import QueueUnavailable

logger = logging.getLogger(__name__)

QUEUE = "jobs"
NAMESPACE = "trax"
"""What the names of our keys in Redis begin with."""

CONNECT_S = 2.0
ANSWER_S = 5.0
"""How long Redis may take to let us in, and to answer."""

IDLE_MS = 100
"""How long a worker may sleep between two looks into Redis: what a job waits for at most, when
nobody works. Looking takes 0.1 ms."""

DEAD_MS = 30_000
"""After so long without a sign of life, Redis gives the messages of a worker to others."""

ALWAYS = 1_000_000
"""Redis looks for dead workers at each command; by default one in a thousand does."""


class JobQueue:
    """One end of the queue; owned by the process. Any thread may use it.

    Attributes:
        place: Where it is, without user and password.
    """

    def __init__(self, redis_url: str | None = None) -> None:
        """Open a queue; Redis is first spoken to when something is sent or fetched.

        Args:
            redis_url: `redis://USER:PASSWORD@HOST:PORT/NUMBER`; `None`: in this process.

        Raises:
            ValueError: It is no such address.
        """
        self.place = _place(redis_url)
        self._broker = StubBroker(middleware=[]) if redis_url is None else _redis(redis_url)
        self._work: Callable[[], None] | None = None
        make_actor = dramatiq.actor(broker=self._broker, actor_name="hear", queue_name=QUEUE)
        self._actor = make_actor(self._receive)

    @property
    def is_shared(self) -> bool:
        """Whether other processes may receive what is sent."""
        return isinstance(self._broker, RedisBroker)

    def send(self, job: str) -> None:
        """Wake a worker up, because this job waits.

        Raises:
            QueueUnavailable: Redis cannot be reached.
        """
        try:
            self._actor.send(job)
        except redis.RedisError as error:
            raise QueueUnavailable(self.place, type(error).__name__) from error

    def waiting(self) -> int:
        """Return how many messages no worker has fetched yet.

        Raises:
            QueueUnavailable: Redis cannot be reached.
        """
        match self._broker:
            case StubBroker(queues=queues):
                return int(queues[QUEUE].qsize())
            case RedisBroker(client=client):
                try:
                    return int(client.llen(f"{NAMESPACE}:{QUEUE}"))
                except redis.RedisError as error:
                    raise QueueUnavailable(self.place, type(error).__name__) from error
            case _:
                assert_never(self._broker)

    def top_up(self, due: Sequence[str]) -> int:
        """Send again what was lost: until there are as many messages as jobs that are due.

        Returns:
            How many were sent.

        Raises:
            QueueUnavailable: Redis cannot be reached.
        """
        missing = due[min(self.waiting(), len(due)) :]
        for job in missing:
            self.send(job)
        return len(missing)

    def employ(self, work: Callable[[], None], *, workers: int) -> Workforce:
        """Begin to receive; at most once for each queue.

        Args:
            work: Takes what is most urgent, does it and returns; called in threads of their own,
                and should raise nothing.
            workers: How many threads.
        """
        self._work = work
        return Workforce(self._broker, workers)

    def close(self) -> None:
        """Let go of Redis; harmless when called twice."""
        if isinstance(self._broker, RedisBroker):
            self._broker.client.close()

    def _receive(self, _job: str) -> None:
        if self._work is None:
            return
        try:
            self._work()
        except Exception:  # the message is done for: the sweep sends another one
            logger.exception("a worker failed")


class Workforce:
    """Threads that receive; owned by whoever employed them."""

    def __init__(self, broker: dramatiq.Broker, workers: int) -> None:
        self._worker = dramatiq.Worker(
            broker, queues={QUEUE}, worker_timeout=IDLE_MS, worker_threads=workers
        )
        self._worker.queue_prefetch = workers
        self._worker.start()

    def dismiss(self, within_s: float) -> None:
        """Receive no more; blocks until running work has returned, or for so long."""
        # At once, and not one kind after the other: each takes up to `IDLE_MS` to notice.
        for worker in self._worker.workers:
            worker.stop()
        for consumer in self._worker.consumers.values():
            consumer.stop()
        self._worker.stop(timeout=round(within_s * 1000))


def _redis(url: str) -> RedisBroker:
    client = redis.Redis.from_url(
        url, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S, health_check_interval=30
    )
    return RedisBroker(  # type: ignore[no-untyped-call]  # dramatiq leaves it untyped
        client=client,
        middleware=[],
        namespace=NAMESPACE,
        heartbeat_timeout=DEAD_MS,
        maintenance_chance=ALWAYS,
    )


def _place(url: str | None) -> str:
    if url is None:
        return "this process"
    parsed = urlsplit(url)
    if parsed.hostname is None:
        return parsed.path
    return f"{parsed.hostname}:{parsed.port or 6379}{parsed.path}"
