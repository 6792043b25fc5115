"""Options that several commands have, and what they mean."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.status import Status

from loadtest.clients import Caller
from loadtest.peers.calling import KINDS
from loadtest.recordings import Recording, long_talk, read_recording
from loadtest.values import folder, peer, whole
from server.messages import Finals


def add_session_options(parser: argparse.ArgumentParser) -> None:
    """Add what a client asks for when it starts a session."""
    add_language(parser)
    parser.add_argument("--lookahead-ms", type=whole(0), metavar="MS", help="default: the server's")
    parser.add_argument("--no-diarization", action="store_true", help="do not tell speakers apart")
    parser.add_argument(
        "--finals",
        choices=[each.value for each in Finals],
        default=Finals.WORD.value,
        help="which pass final words come from (default: word)",
    )


def add_language(parser: argparse.ArgumentParser) -> None:
    """Add what is spoken."""
    parser.add_argument(
        "--language", default="en", help="ISO 639-1 code, or `auto` to detect it (default: en)"
    )


def caller_of(options: argparse.Namespace, url: str) -> Caller:
    """Return how clients connect to a server of ours, as `add_session_options` reads it."""
    return Caller(
        url=url,
        language=options.language,
        lookahead_ms=options.lookahead_ms,
        diarization=not options.no_diarization,
        finals=options.finals,
    )


def add_peers(parser: argparse.ArgumentParser) -> None:
    """Add which other servers are measured beside ours."""
    parser.add_argument(
        "--against",
        type=peer,
        action="append",
        default=[],
        metavar="KIND=URL",
        help="another server, which runs already, measured beside ours; repeatable. "
        f"Kinds: {', '.join(KINDS)}",
    )
    parser.add_argument("--peer-token", metavar="TOKEN", help="of the other servers")


def add_talk(parser: argparse.ArgumentParser, default: Sequence[Path] = ()) -> None:
    """Add what is spoken: several recordings are one talk."""
    parser.add_argument(
        "files",
        nargs="*" if default else "+",
        type=Path,
        default=list(default),
        metavar="FILE",
        help="a recording, or several, spoken one after another; without .words.json beside it, "
        "words end where the recognizer says",
    )


def read_talk(files: Sequence[Path]) -> Recording:
    """Return what is spoken.

    Raises:
        LoadtestError: A file cannot be read, or there are several and nobody knows their words.
    """
    recordings = [read_recording(file) for file in files]
    return recordings[0] if len(recordings) == 1 else long_talk(recordings, 0)


def add_out_folder(parser: argparse.ArgumentParser) -> None:
    """Add where results go."""
    parser.add_argument(
        "--out", type=folder, metavar="FOLDER", help="write the result as JSON, and what it draws"
    )


def starting() -> Status:
    """Say that a server is being started."""
    return Console(stderr=True).status("Starting a server ...")
