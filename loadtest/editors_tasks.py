"""Tasks that belong to one measurement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


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
