"""Servers whose engines play what is said: everything of a server but the models."""

from __future__ import annotations

import argparse
import json
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from loadtest.errors import LoadtestError
from loadtest.recordings import Recording


def add_scripted(parser: argparse._ActionsContainer) -> None:
    """Give a command the option to measure such a server."""
    parser.add_argument(
        "--scripted",
        action="store_true",
        help="with engines that play what is said: everything but the models",
    )


def script_flags(talk: Recording, stack: ExitStack | AsyncExitStack) -> tuple[str, ...]:
    """Return the flags of a server that plays a talk, from a script that the stack removes.

    Raises:
        LoadtestError: Nobody knows what is said.
    """
    script = Path(stack.enter_context(TemporaryDirectory())) / "script.json"
    write_script(talk, script)
    return ("--live-model", f"scripted:{script}")


def write_script(talk: Recording, path: Path) -> None:
    """Write what is said as a script for a server that plays it (`scripted:PATH`).

    Raises:
        LoadtestError: Nobody knows what is said.
    """
    if talk.words is None:
        raise LoadtestError(f"{talk.name}: a .words.json expected beside it, to be played")
    rows = [
        {"word": word.text, "start": word.start_s, "end": word.end_s, "speaker": word.speaker}
        for word in talk.words
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")
