"""What keeps processes that hear for hours from growing."""

from __future__ import annotations

import ctypes
import os
import sys

ARENA_MAX = -8
ARENAS = 2
"""glibc gives every thread an arena of its own, and windows of many lengths leave holes in each: an
hour of audio took 1 GB, a quarter of which `malloc_trim` gave back at once. `ARENA_MAX` is
`M_ARENA_MAX` of mallopt(3)."""


def bound_arenas() -> None:
    """Make this process's threads share `ARENAS` arenas of memory, where glibc is the allocator."""
    if sys.platform == "linux" and os.confstr("CS_GNU_LIBC_VERSION"):
        ctypes.CDLL(None).mallopt(ARENA_MAX, ARENAS)
