"""Long computations, in a thread, one after the other.

Python computes in one thread at a time: a second computation at the same moment would finish
neither sooner, and the event loop would wait for both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from server.codes import ErrorCode
from server.errors import Overload

T = TypeVar("T")

MOST_WAITING = 32
"""Computations that may wait; one takes a second at most for three hours of speech."""

RETRY_AFTER_MS = 5_000


class Workbench:
    """Where requests compute; one for the whole server, used in its event loop."""

    def __init__(self) -> None:
        self._free = asyncio.Lock()
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` in a thread, when everything before it is done.

        Raises:
            Overload: Too much waits.
        """
        if self._waiting >= MOST_WAITING:
            raise Overload(
                ErrorCode.OVERLOADED,
                "Too much is being computed",
                expected=f"fewer than {MOST_WAITING} requests at once",
                got=str(self._waiting),
                retry_after_ms=RETRY_AFTER_MS,
            )
        self._waiting += 1
        try:
            async with self._free:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
