"""The command `python -m loadtest editors`."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from loadtest.editors import EditingReport, Typing, measure_editing
from loadtest.editors_documents import measure_opening, write_meetings
from loadtest.editors_finals import spoken_meanwhile
from loadtest.editors_loop import Stretch, measure_loop
from loadtest.editors_report import EditorsReport, editing_table, loop_table, openings_table
from loadtest.measured_server import running_server
from loadtest.options import add_out_folder
from loadtest.plots import plot_editing
from loadtest.recordings import conversations, long_talk, read_recording
from loadtest.report import write_json
from loadtest.scripted import script_flags
from loadtest.values import above_zero, whole


def add_editors(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(carry_out=_editors)
    parser.add_argument(
        "--editors",
        nargs="+",
        type=whole(2),
        default=[2, 50],
        metavar="N",
        help="so many at once, one number after the other (default: 2 50)",
    )
    parser.add_argument(
        "--seconds", type=above_zero(), default=30.0, help="so long each time (default: 30)"
    )
    parser.add_argument(
        "--edits-per-s",
        type=above_zero(),
        default=2.0,
        metavar="N",
        help="by each editor (default: 2)",
    )
    parser.add_argument(
        "--flooders",
        type=whole(0),
        default=0,
        metavar="N",
        help="members besides, who send presence and ask for the document without end (default: 0)",
    )
    parser.add_argument(
        "--hours",
        nargs="*",
        type=above_zero(),
        default=[1.0, 3.0],
        help="open documents of so many hours of speech (default: 1 3)",
    )
    add_out_folder(parser)


def _editors(options: argparse.Namespace) -> None:
    report = asyncio.run(_measure_editors(options))
    console = Console()
    console.print(editing_table(report.editing))
    if report.openings:
        console.print(openings_table(report.openings))
        console.print(loop_table(report.loop))
    if options.out is not None:
        write_json(options.out / "editors.json", report)
        plot_editing(report.editing, options.out / "editors.png")


async def _measure_editors(options: argparse.Namespace) -> EditorsReport:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="trax-loadtest-")))
        status = stack.enter_context(Console(stderr=True).status("Writing documents ..."))
        # One with nothing in it for each measurement of editing.
        blank = await write_meetings(folder, [0.0] * len(options.editors))
        meetings = await write_meetings(folder, options.hours)
        status.update("Starting a server ...")
        # Its engines play what is said; the real ones would take the time of everything else.
        talk = long_talk([read_recording(path) for path in conversations()], 1)
        flags = (*script_flags(talk, stack), "--data-dir", str(folder))
        server = await stack.enter_async_context(running_server(flags))
        editing: list[EditingReport] = []
        for editors, empty in zip(options.editors, blank, strict=True):
            status.update(f"{editors} editors for {options.seconds:g} s ...")
            pace = Typing(options.seconds, options.edits_per_s, options.flooders)
            async with spoken_meanwhile(server.url, empty.transcript, talk.audio) as finals:
                editing.append(
                    await measure_editing(server.url, empty.transcript, editors, pace, finals)
                )
        openings = [await measure_opening(server.url, each) for each in meetings]
        stretches: tuple[Stretch, ...] = ()
        if meetings:
            longest = max(meetings, key=lambda meeting: meeting.hours)
            status.update(f"{longest.hours:g} hours are written, read and corrected ...")
            stretches = await measure_loop(server.url, folder, longest, talk.audio, options.seconds)
    return EditorsReport(tuple(editing), tuple(openings), stretches)
