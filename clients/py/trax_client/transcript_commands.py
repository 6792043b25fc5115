"""The commands `trax-client transcripts ...`: list, show, follow, export, make, delete."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import get_args

from trax_client.library import ExportFormat, Library
from trax_client.lines import clock
from trax_client.records import TranscriptRecord
from trax_client.upload_command import add_upload, upload

Run = Callable[[argparse.Namespace], Awaitable[None]]


class OutputError(Exception):
    """What was asked for cannot be written or shown here."""


def add_transcript_commands(
    parser: argparse.ArgumentParser, add_server: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Add the commands; what is parsed then has `run`, which carries it out.

    Args:
        parser: Of `trax-client transcripts`.
        add_server: Adds the options that say where the server is.
    """
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: Run, what: str, *arguments: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=what, description=f"{what.capitalize()}.")
        for argument in arguments:
            added.add_argument(argument, metavar="ID", help="of the transcript")
        add_server(added)
        added.set_defaults(run=run)
        return added

    listing = command("list", _list, "list transcripts, the one that changed last first")
    listing.add_argument("--search", metavar="WORDS", help="only those with these words")
    shown = command("show", _show, "print what a transcript says now", "id")
    followed = command("follow", _follow, "print turns as they are spoken and edited", "id")
    exported = command("export", _export, "write a transcript to a file", "id")
    exported.add_argument("--format", choices=get_args(ExportFormat), default="txt")
    exported.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default: standard output"
    )
    add_upload(command("upload", upload, "send a recording of any usual format, to be heard"))
    made = command("create", _create, "make an empty transcript and print its id")
    made.add_argument("--title", default="")
    made.add_argument("--language", help="ISO 639-1 code")
    command("delete", _delete, "delete a transcript and its recordings, for ever", "id")
    for each in (listing, shown, followed, made):
        each.add_argument("--json", action="store_true", help="print JSON, one object a line")


def _library(options: argparse.Namespace) -> Library:
    return Library(options.url, options.token)


async def _list(options: argparse.Namespace) -> None:
    async for record in _library(options).transcripts(options.search):
        _write(_as_json(record) if options.json else _as_line(record))


async def _show(options: argparse.Namespace) -> None:
    reading = await _library(options).read(options.id)
    names = {speaker.id: speaker.name or speaker.id for speaker in reading.speakers}
    for turn in reading.turns:
        if options.json:
            _write(json.dumps(asdict(turn), ensure_ascii=False))
        elif turn.text.strip():
            time = "" if turn.start_ms is None else f"[{clock(turn.start_ms)}] "
            name = "" if turn.speaker is None else f"{names.get(turn.speaker, turn.speaker)}: "
            _write(f"{time}{name}{turn.text.strip()}")


async def _follow(options: argparse.Namespace) -> None:
    following = asyncio.create_task(_follow_until_lost(options))
    loop = asyncio.get_running_loop()
    # Ctrl-C is how one stops to follow, and no failure.
    loop.add_signal_handler(signal.SIGINT, following.cancel)
    try:
        await asyncio.wait([following])
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    if not following.cancelled():
        following.result()


async def _follow_until_lost(options: argparse.Namespace) -> None:
    try:
        # Late: they need libraries that the other commands do without.
        from trax_client.following import choose_view, follow  # noqa: PLC0415
        from trax_client.transcript import open_transcript  # noqa: PLC0415

        make_view = choose_view(sys.stdout, as_json=options.json)
    except ImportError as error:
        raise OutputError(f"pip install 'trax-client[cli,transcript]' ({error})") from error
    async with open_transcript(options.id, options.url, options.token) as transcript:
        changes = transcript.changes()
        with make_view(transcript) as view:
            await follow(changes, view)


async def _export(options: argparse.Namespace) -> None:
    content = await _library(options).export(options.id, options.format)
    if options.output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    try:
        await asyncio.to_thread(partial(options.output.write_bytes, content))
    except OSError as error:
        raise OutputError(f"{options.output}: {error.strerror}") from error


async def _create(options: argparse.Namespace) -> None:
    record = await _library(options).create(options.title, options.language)
    _write(_as_json(record) if options.json else record.id)


async def _delete(options: argparse.Namespace) -> None:
    await _library(options).delete(options.id)


def _as_json(record: TranscriptRecord) -> str:
    return json.dumps(asdict(record), ensure_ascii=False)


def _as_line(record: TranscriptRecord) -> str:
    return f"{record.id}  {clock(record.duration_ms):>8}  {record.state:6}  {record.title}"


def _write(line: str) -> None:
    """Write a line at once: whoever reads our output waits for it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
