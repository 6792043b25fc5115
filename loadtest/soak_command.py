"""The command `python -m loadtest soak`."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from rich.console import Console

from loadtest.measured_server import running_server
from loadtest.options import add_out_folder, add_session_options, caller_of, starting
from loadtest.plots import plot_memory
from loadtest.progress import watched
from loadtest.recordings import conversations, long_talk, read_recording
from loadtest.report import soak_table, write_json
from loadtest.scripted import add_scripted, script_flags
from loadtest.soak import SoakReport, measure_soak
from loadtest.values import above_zero


def add_soak(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(carry_out=_soak)
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="recordings, streamed one after another, again and again "
        "(default: the conversations of tests/data)",
    )
    parser.add_argument("--minutes", type=above_zero(), default=60.0, help="of audio (default: 60)")
    engines = parser.add_mutually_exclusive_group()
    engines.add_argument(
        "--real",
        action="store_false",
        dest="scripted",
        default=False,
        help="with the real models (default)",
    )
    add_scripted(engines)
    add_session_options(parser)
    add_out_folder(parser)


def _soak(options: argparse.Namespace) -> None:
    report = asyncio.run(_measure_soak(options))
    Console().print(soak_table(report))
    if options.out is not None:
        write_json(options.out / "soak.json", report)
        plot_memory(report, options.out / "memory.png")


async def _measure_soak(options: argparse.Namespace) -> SoakReport:
    recordings = [read_recording(path) for path in options.files or conversations()]
    talk = long_talk(recordings, options.minutes)
    async with AsyncExitStack() as stack:
        flags = script_flags(talk, stack) if options.scripted else ()
        with starting():
            server = await stack.enter_async_context(running_server(flags))
        watch = stack.enter_context(watched(["session"], talk.duration_s))
        caller = caller_of(options, server.url)
        return await measure_soak(talk, caller, server, partial(watch, 0))
