"""What keeps processes that hear for hours from growing."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys

ARENA_MAX = -8
ARENAS = 2
"""glibc gives every thread an arena of its own, and windows of many lengths leave holes in each: an
hour of audio took 1 GB, a quarter of which `malloc_trim` gave back at once. `ARENA_MAX` is
`M_ARENA_MAX` of mallopt(3)."""

TRIM_S = 5.0
"""How often free memory goes back to the system. Eight streams of continuous speech leave 300 MB of
holes otherwise."""


def bound_arenas() -> None:
    """Make this process's threads share `ARENAS` arenas of memory, where glibc is the allocator."""
    if (libc := _glibc()) is not None:
        libc.mallopt(ARENA_MAX, ARENAS)


async def give_back() -> None:
    """Give what is free back to the system again and again, until cancelled."""
    libc = _glibc()
    while libc is not None:
        await asyncio.sleep(TRIM_S)
        await asyncio.to_thread(libc.malloc_trim, 0)


def _glibc() -> ctypes.CDLL | None:
    """Return glibc, if that is the allocator."""
    glibc = sys.platform == "linux" and os.confstr("CS_GNU_LIBC_VERSION")
    return ctypes.CDLL(None) if glibc else None
