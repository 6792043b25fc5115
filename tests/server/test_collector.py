"""What is old is looked through for garbage in quiet moments only."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from server import collector
from server.collector import Collector


class Knot:
    """Something that refers to itself, and goes only when it is collected."""

    def __init__(self) -> None:
        self.itself = self


@asynccontextmanager
async def collecting(quiet: Callable[[], bool]) -> AsyncIterator[None]:
    running = asyncio.create_task(Collector(quiet).run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def old_garbage() -> weakref.ref[Knot]:
    knot = Knot()
    gc.collect(1)  # It is old now.
    return weakref.ref(knot)


async def gone(found: weakref.ref[Knot]) -> None:
    async with asyncio.timeout(60):
        while found() is not None:  # noqa: ASYNC110 - nobody tells it
            await asyncio.sleep(0.001)


async def test_old_objects_are_left_alone_while_somebody_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collector, "LOOK_S", 0.001)
    asked: list[None] = []

    def busy() -> bool:
        asked.append(None)
        return False

    async with collecting(busy):
        before = gc.get_stats()
        kept = [[number] for number in range(300_000)]
        while len(asked) < 3:  # noqa: ASYNC110 - it is asked again and again
            await asyncio.sleep(0.001)
        after = gc.get_stats()

    assert len(kept) == 300_000
    assert after[1]["collections"] > before[1]["collections"]
    assert after[2]["collections"] == before[2]["collections"]


async def test_old_garbage_goes_in_a_quiet_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "LOOK_S", 0.001)
    quiet = False
    async with collecting(lambda: quiet):
        found = old_garbage()
        await asyncio.sleep(0.02)
        assert found() is not None
        quiet = True
        await gone(found)


async def test_old_garbage_goes_at_last_where_it_is_never_quiet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collector, "LOOK_S", 0.001)
    monkeypatch.setattr(collector, "MOST_S", 0.05)
    async with collecting(lambda: False):
        await gone(old_garbage())


async def test_it_is_left_as_it_was_found() -> None:
    before = gc.get_threshold()
    async with collecting(lambda: False):
        assert gc.get_threshold() != before
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
