"""The thread in which it is planned what machines write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Planner:
    """Plans in a thread of its own; one for the whole server, used in its event loop.

    It is one thread because Python computes in one at a time: a second plan at the same moment
    would be finished no sooner, and the event loop would wait for both. Apart from the workbench,
    where requests compute for a second, because words of a session cannot wait so long.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="planner")

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` in the thread; returns when it is done, even if its caller is cancelled.

        What waits is bounded by those who ask: each room asks for one plan at a time.
        """
        planned = asyncio.get_running_loop().run_in_executor(self._thread, work)
        cancelled: asyncio.CancelledError | None = None
        while not planned.done():
            try:
                await asyncio.wait([planned])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            planned.exception()
            raise cancelled
        return planned.result()

    def close(self) -> None:
        """Finish what was begun; blocks for that long."""
        self._thread.shutdown()
