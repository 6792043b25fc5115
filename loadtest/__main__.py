"""The command `python -m loadtest`."""

from __future__ import annotations

import sys

from loadtest.cli import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
