"""What the defaults of settings depend on: this machine, and whose it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def usable_cores() -> int:
    """Return how many processor cores this process may use: a container may have few of many."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        cores = os.cpu_count() or 1
    return max(1, min(cores, _quota()))


def _quota(file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return how many cores' time a container may have, as Linux tells it (`cgroup-v2.rst`)."""
    try:
        allowed_us, period_us = map(int, file.read_text(encoding="ascii").split())
    except (OSError, ValueError):  # none, or "max"
        return sys.maxsize
    return -(-allowed_us // period_us)


def data_folder() -> Path:
    """Return where a user's programs keep what they were given."""
    from platformdirs import user_data_path  # noqa: PLC0415 - `--help` does not need it

    return user_data_path("trax")


def cache_folder() -> Path:
    """Return where a user's programs keep what they can fetch again."""
    from streaming.weights import default_cache  # noqa: PLC0415 - `--help` does not need it

    return default_cache()
