"""The threads that wait for the database, so that neither the event loop nor audio ever does.

A database that is locked answers after seconds. Who waits for it must hold up nobody else:
recordings have threads of their own (`server.disk`), and readers, who need not wait for a lock
where the database lets them read meanwhile, have others than writers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from server.storage.errors import StorageUnavailable, Trouble

T = TypeVar("T")

READERS = 2
"""A long document, whose words take 0.1 s, does not hold up who asks for a link."""

MOST_WAITING = 1_000
"""Writes, and reads: each takes about a millisecond where nothing is locked."""


class StoreThreads:
    """Does what a `Store` does, in one thread that writes and a few that read.

    One for the whole server. Writes are done in the order in which they are given. What was begun
    is done, even if its caller is cancelled.
    """

    def __init__(self, *, most_waiting: int = MOST_WAITING) -> None:
        """Begin with nothing to do.

        Args:
            most_waiting: Beyond so many writes, or reads, another one is refused.
        """
        self._writing = _Line(1, "store-writer", most_waiting)
        self._reading = _Line(READERS, "store-reader", most_waiting)

    async def write(self, work: Callable[[], T]) -> T:
        """Do what may have to wait for a lock.

        Raises:
            StorageUnavailable: Too much waits already.
        """
        return await self._writing.run(work)

    async def read(self, work: Callable[[], T]) -> T:
        """Do what waits for no lock.

        Raises:
            StorageUnavailable: Too much waits already.
        """
        return await self._reading.run(work)

    def close(self) -> None:
        """Finish what was begun; blocks for that long."""
        self._writing.close()
        self._reading.close()


class _Line:
    """Work that waits for some threads."""

    def __init__(self, threads: int, name: str, most_waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most_waiting = most_waiting
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._most_waiting:
            raise StorageUnavailable("the database", Trouble.BUSY, f"{self._waiting} wait")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._threads.shutdown()
