"""One fetch at a time in a cache, across processes."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_POLL_S = 0.1


@contextmanager
def exclusive_lock(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold the lock named by a file, which stays behind.

    The kernel drops it when the process ends, however it ends, so a crash leaves no stale lock.
    Threads of one process exclude each other too. (`filelock` does the same, but importing it
    takes 90 ms, most of it asyncio.)

    Raises:
        TimeoutError: Somebody else held it for `timeout_s`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, time.monotonic() + timeout_s)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise TimeoutError from None
            time.sleep(_POLL_S)
        else:
            return
