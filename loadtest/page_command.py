"""The command `python -m loadtest page`."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from loadtest.measured_server import running_server
from loadtest.page import PageReport, measure_page, memory_table, page_table, write_voice
from loadtest.page_meeting import write_meeting
from loadtest.recordings import conversations, long_talk, read_recording
from loadtest.report import write_json
from loadtest.scripted import script_flags
from loadtest.values import above_zero

SPARE_MIN = 1.0
"""Somebody still speaks while keys are pressed."""


def add_page(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(carry_out=_page)
    parser.add_argument(
        "--hours", type=above_zero(), default=3.0, help="of the meeting (default: 3)"
    )
    parser.add_argument(
        "--minutes",
        type=above_zero(),
        default=2.0,
        help="of speech that the page shows (default: 2)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the result as JSON")


def _page(options: argparse.Namespace) -> None:
    report = asyncio.run(_measure(options))
    Console().print(page_table(report), memory_table(report))
    if options.out is not None:
        write_json(options.out, report)


async def _measure(options: argparse.Namespace) -> PageReport:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="trax-loadtest-")))
        status = stack.enter_context(Console(stderr=True).status("Writing a meeting ..."))
        transcript = await asyncio.to_thread(write_meeting, folder, options.hours)
        recordings = [read_recording(path) for path in conversations()]
        talk = long_talk(recordings, options.minutes + SPARE_MIN)
        voice = folder / "voice.wav"
        write_voice(talk.audio, voice)
        status.update("Starting a server ...")
        flags = (*script_flags(talk, stack), "--data-dir", str(folder))
        server = await stack.enter_async_context(running_server(flags))
        return await measure_page(
            server.url, transcript, options.hours, voice, options.minutes, status.update
        )
