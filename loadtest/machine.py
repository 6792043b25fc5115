"""On what machine a measurement was made, and how busy that was before."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from server.cli import installed_version
from server.defaults import usable_cores

CPUINFO = Path("/proc/cpuinfo")
"""Where Linux names the processor."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a number has to be read with.

    Attributes:
        time: When the measurement began.
        trax: Version.
        processor: Its name, as far as the system tells.
        cores: Cores that may be used.
        load: Tasks that ran or waited to, on average, in the minute before.
    """

    time: str
    trax: str
    python: str
    processor: str
    cores: int
    load: float


@cache
def machine() -> Machine:
    """Return this machine as it is when it is asked for first: before anything is measured."""
    return Machine(
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        trax=installed_version(),
        python=platform.python_version(),
        processor=_processor(),
        cores=usable_cores(),
        load=os.getloadavg()[0],
    )


def _processor() -> str:
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
