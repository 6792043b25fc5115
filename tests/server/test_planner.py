"""What is planned is planned in one thread, to its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from server.planner import Planner


@pytest.fixture
def planner() -> Iterator[Planner]:
    planner = Planner()
    yield planner
    planner.close()


async def test_one_plan_is_made_after_the_other_apart_from_everybody(planner: Planner) -> None:
    threads = await asyncio.gather(*(planner.run(threading.get_ident) for _ in range(4)))

    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


async def test_what_a_plan_raises_its_caller_gets(planner: Planner) -> None:
    with pytest.raises(ZeroDivisionError):
        await planner.run(lambda: 1 // 0)


@pytest.mark.parametrize("divisor", [1, 0])
async def test_who_is_cancelled_waits_for_what_was_begun(planner: Planner, divisor: int) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def plan() -> int:
        begun.set()
        go_on.wait()
        return 1 // divisor

    task = asyncio.create_task(planner.run(plan))
    await asyncio.to_thread(begun.wait)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
