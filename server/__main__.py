"""The command `trax`, also as `python -m server`."""

from __future__ import annotations

import os
import sys

from server.cli import run

SINGLE_THREADED = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
"""Work is parallel across sessions. Within one, the threads of numpy's BLAS spin after every
product, which made a recognition window a third dearer. Read when numpy is first imported."""


def main() -> int:
    """Run the command with this process's arguments and environment; return its exit code."""
    for variable in SINGLE_THREADED:
        os.environ.setdefault(variable, "1")
    return run(sys.argv[1:], os.environ)


if __name__ == "__main__":
    sys.exit(main())
