"""Worker processes whose children do what tests tell them, to be stopped or killed.

`python -m tests.server.workers DATA_DIR REDIS_URL GATE HOLD_MS DATABASE` runs one: `trax worker`,
but for what its children do.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.logs import configure
from server.settings import Settings
from server.worker import work
from tests.offline.hands import Does


@contextmanager
def worker(
    data_dir: Path,
    redis_url: str,
    gate: Path,
    hold_ms: int = 20_000,
    database: str | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Run a worker until it said what it does; killed at the end if it is still there."""
    arguments = [str(data_dir), redis_url, str(gate), str(hold_ms), database or ""]
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    with process, process.stdout:
        try:
            process.stdout.readline()
            yield process
        finally:
            process.kill()


def main(data_dir: str, redis_url: str, gate: str, hold_ms: str, database: str) -> None:
    """Work until asked to stop."""
    configure("info", "text")
    settings = Settings(data_dir=Path(data_dir), redis_url=redis_url, database=database or None)
    work(
        settings,
        Does(Path(gate)),
        lambda what: print(what, flush=True),  # noqa: T201 - for whoever started this
        hold_ms=int(hold_ms),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
