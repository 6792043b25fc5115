"""What the defaults of settings depend on: this machine, and whose it is."""

from __future__ import annotations

import os
from pathlib import Path


def usable_cores() -> int:
    """Return how many processor cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def data_folder() -> Path:
    """Return where a user's programs keep what they were given."""
    from platformdirs import user_data_path  # noqa: PLC0415 - `--help` does not need it

    return user_data_path("trax")


def cache_folder() -> Path:
    """Return where a user's programs keep what they can fetch again."""
    from streaming.weights import default_cache  # noqa: PLC0415 - `--help` does not need it

    return default_cache()
