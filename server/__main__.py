"""The command `trax`, also as `python -m server`."""

from __future__ import annotations

import os
import sys

from server.cli import run


def main() -> int:
    """Run the command with this process's arguments and environment; return its exit code."""
    return run(sys.argv[1:], os.environ)


if __name__ == "__main__":
    sys.exit(main())
