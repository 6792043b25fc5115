"""`python -m trax_client`, and the script `trax-client`."""

import sys

from trax_client.cli import main as run


def main() -> None:
    """Run the command and leave with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
