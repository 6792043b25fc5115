"""The command `python -m loadtest corrections`."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from loadtest.corrections import StretchesReport, measure_stretches
from loadtest.corrections_meeting import MeetingReport, measure_meeting
from loadtest.corrections_report import (
    CorrectionsReport,
    meeting_tables,
    stretches_table,
)
from loadtest.editors_documents import write_meetings
from loadtest.measured_server import running_server
from loadtest.plots import plot_stretches
from loadtest.recordings import conversations, long_talk, read_recording
from loadtest.report import write_json
from loadtest.scripted import add_scripted, script_flags
from loadtest.values import above_zero, hours

TYPING_S = 30.0
"""How long people type while a document is corrected."""


def add_corrections(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(carry_out=_corrections)
    parser.add_argument(
        "--rounds",
        type=int,
        default=2,
        metavar="N",
        help="sessions with workers, and as many without; 0 leaves them out (default: 2)",
    )
    parser.add_argument(
        "--seconds", type=above_zero(), default=120.0, metavar="S", help="of each (default: 120)"
    )
    add_scripted(parser)
    parser.add_argument(
        "--hours",
        type=hours,
        default=3.0,
        metavar="N",
        help="of a document that is corrected as a whole; 0 leaves it out (default: 3)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write the results as JSON and as a picture"
    )


def _corrections(options: argparse.Namespace) -> None:
    console = Console()
    report = asyncio.run(_measure(options))
    if report.stretches is not None:
        console.print(stretches_table(report.stretches))
    if report.meeting is not None:
        console.print(*meeting_tables(report.meeting))
    if options.out is not None:
        write_json(options.out / "corrections.json", report)
        if report.stretches is not None:
            plot_stretches(report.stretches, options.out / "corrections.png")


async def _measure(options: argparse.Namespace) -> CorrectionsReport:
    return CorrectionsReport(
        await _stretches(options) if options.rounds else None,
        await _meeting(options) if options.hours else None,
    )


async def _stretches(options: argparse.Namespace) -> StretchesReport:
    recordings = [read_recording(path) for path in conversations()]
    talk = long_talk(recordings, options.seconds / 60 + 1)
    async with AsyncExitStack() as stack:
        flags = script_flags(talk, stack) if options.scripted else ()
        status = stack.enter_context(Console(stderr=True).status("Starting a server ..."))
        return await measure_stretches(talk, options.rounds, options.seconds, flags, status.update)


async def _meeting(options: argparse.Namespace) -> MeetingReport:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="trax-loadtest-")))
        status = stack.enter_context(Console(stderr=True).status("Writing a document ..."))
        (meeting,) = await write_meetings(folder, [options.hours])
        status.update("Correcting it ...")
        # Its engines hear nothing: what is heard is made up.
        (script := folder / "script.json").write_text("[]", encoding="utf-8")
        flags = ("--live-model", f"scripted:{script}", "--data-dir", str(folder))
        server = await stack.enter_async_context(running_server(flags))
        return await measure_meeting(server.url, folder, meeting, TYPING_S)
