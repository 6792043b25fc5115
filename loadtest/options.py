"""Options that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path

from server.messages import Finals


def add_session_options(parser: argparse.ArgumentParser) -> None:
    """Add what a client asks for when it starts a session."""
    parser.add_argument(
        "--language", default="en", help="ISO 639-1 code, or `auto` to detect it (default: en)"
    )
    parser.add_argument("--lookahead-ms", type=int, metavar="MS", help="default: the server's")
    parser.add_argument("--no-diarization", action="store_true", help="do not tell speakers apart")
    parser.add_argument(
        "--finals",
        choices=[each.value for each in Finals],
        default=Finals.WORD.value,
        help="which pass final words come from (default: word)",
    )


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add where results go."""
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the result as JSON")
