"""The command `python -m loadtest`."""

from __future__ import annotations

import sys

try:
    from loadtest.cli import run
except ModuleNotFoundError as missing:
    sys.exit(f"loadtest: {missing.name} is not installed; `make dev` installs what is needed")

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
