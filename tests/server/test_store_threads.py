"""Waiting for the database: writers in order, readers beside them, and only so many."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from server.storage.errors import StorageUnavailable, Trouble
from server.store_threads import StoreThreads
from tests.server.talking import DEADLINE_S


@pytest.fixture
async def threads() -> AsyncIterator[StoreThreads]:
    threads = StoreThreads(most_waiting=4)
    yield threads
    threads.close()


@pytest.fixture
def lock() -> threading.Event:
    return threading.Event()


async def test_readers_do_not_wait_for_writers(
    threads: StoreThreads, lock: threading.Event
) -> None:
    writes = [asyncio.create_task(threads.write(lambda: lock.wait(DEADLINE_S))) for _ in range(4)]
    await asyncio.sleep(0)

    assert await threads.read(lambda: "read") == "read"

    assert not any(write.done() for write in writes)
    lock.set()
    assert await asyncio.gather(*writes) == [True] * 4


async def test_writes_are_done_one_after_the_other(
    threads: StoreThreads, lock: threading.Event
) -> None:
    done: list[int] = []
    first = asyncio.create_task(threads.write(lambda: lock.wait(DEADLINE_S)))
    await asyncio.sleep(0)
    others = [
        asyncio.create_task(threads.write(lambda number=number: done.append(number)))  # type: ignore[misc]  # a default
        for number in range(3)
    ]
    await asyncio.sleep(0)
    assert done == []
    lock.set()
    await asyncio.gather(first, *others)

    assert done == [0, 1, 2]


async def test_only_so_many_wait(threads: StoreThreads, lock: threading.Event) -> None:
    writes = [asyncio.create_task(threads.write(lambda: lock.wait(DEADLINE_S))) for _ in range(4)]
    await asyncio.sleep(0)

    with pytest.raises(StorageUnavailable) as refused:
        await threads.write(lambda: True)

    assert refused.value.trouble is Trouble.BUSY
    lock.set()
    await asyncio.gather(*writes)
    assert await threads.write(lambda: True)
