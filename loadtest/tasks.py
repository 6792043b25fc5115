"""Tasks that belong to one measurement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from loadtest.errors import LoadtestError

POLL_S = 0.01


@asynccontextmanager
async def grouped() -> AsyncIterator[asyncio.TaskGroup]:
    """Group tasks, of whose failures one is enough to say why nothing was measured.

    Raises:
        Exception: What the first task raised that failed.
    """
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures


async def until(holds: Callable[[], bool], expected: str, within_s: float) -> None:
    """Wait until something holds that depends on several who do not know each other.

    Args:
        holds: Whether it does; asked again and again, so cheap.
        expected: What it is, in words.
        within_s: It will not come later.

    Raises:
        LoadtestError: It does not hold.
    """
    try:
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110 - there is no event that tells it
                await asyncio.sleep(POLL_S)
    except TimeoutError as error:
        raise LoadtestError(f"{expected} expected within {within_s:g} s, got no end") from error
