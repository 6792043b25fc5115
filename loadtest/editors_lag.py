"""How long event loops are held up: the server's, as it says itself, and that of this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from server.telemetry import BEAT_S

METRIC = "trax_event_loop_lag_seconds"

OWN_BEAT_S = 0.001
"""How often this process's loop is asked: nothing that holds it is missed by more than this."""

LONG_S = 0.02
"""A loop that is held up for longer is felt."""


@dataclass(frozen=True, slots=True)
class LoopLag:
    """How late the event loop woke up, in a stretch of time.

    Attributes:
        beats: How often it was asked: 20 times a second at most, so that of what blocks it for less
            than 50 ms only a part is seen.
        long: Of them, how often it was later than `LONG_S`.
        most_s: It was never seen later than this, which is the bound of a bucket; `None`: it was
            later than the last bound.
    """

    beats: int
    long: int
    most_s: float | None


def lag_between(before: str, after: str) -> LoopLag:
    """Return how late the loop was between two answers of `/metrics`."""
    then, now = _buckets(before), _buckets(after)
    grown = {bound_s: now[bound_s] - then[bound_s] for bound_s in sorted(now)}
    beats = grown.pop(float("inf"))
    most_s = next((bound_s for bound_s, count in grown.items() if count == beats), None)
    return LoopLag(beats, beats - grown[LONG_S], most_s)


@asynccontextmanager
async def lag_watched(server_url: str, tell: Callable[[LoopLag], None]) -> AsyncIterator[None]:
    """Tell how late the server's loop was while the context lasted."""
    before = await _metrics(server_url)
    yield
    await asyncio.sleep(2 * BEAT_S)  # How late the last beat was is known only after it.
    tell(lag_between(before, await _metrics(server_url)))


@asynccontextmanager
async def own_lag_watched(late_ms: list[float]) -> AsyncIterator[None]:
    """Write down how late the loop of this process wakes up, while the context lasts."""
    clock = asyncio.get_running_loop().time

    async def watch() -> None:
        while True:
            due_s = clock() + OWN_BEAT_S
            await asyncio.sleep(OWN_BEAT_S)
            late_ms.append(1000 * max(0.0, clock() - due_s))

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait([watching])


def _buckets(metrics: str) -> dict[float, int]:
    """Return how many beats were at most so late, by bound."""
    return {
        float(sample.labels["le"]): int(sample.value)
        for family in text_string_to_metric_families(metrics)
        if family.name == METRIC
        for sample in family.samples
        if sample.name == f"{METRIC}_bucket"
    }


async def _metrics(server_url: str) -> str:
    url = f"http://{urlsplit(server_url).netloc}/metrics?{urlsplit(server_url).query}"

    def read() -> str:
        with urlopen(url) as answer:
            text: str = answer.read().decode()
            return text

    return await asyncio.to_thread(read)
