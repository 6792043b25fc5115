"""The command `python -m loadtest crashes`."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from loadtest.crashes import measure_crashes
from loadtest.crashes_audit import CrashReport
from loadtest.crashes_report import crashes_table
from loadtest.errors import LoadtestError
from loadtest.recordings import conversations, long_talk, read_recording
from loadtest.report import write_json
from loadtest.scripted import script_flags
from loadtest.values import whole

MINUTES_A_TALK = 30
"""Enough for 200 kills; then there is nothing more to say."""


def add_crashes(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(carry_out=_crashes)
    parser.add_argument("--kills", type=whole(1), default=20, metavar="N", help="default: 20")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
    parser.add_argument(
        "--real",
        action="store_false",
        dest="scripted",
        help="with the real models; default: with engines that play what is said",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the result as JSON")


def _crashes(options: argparse.Namespace) -> None:
    report = asyncio.run(_measure_crashes(options))
    Console().print(crashes_table(report))
    if options.out is not None:
        write_json(options.out, report)
    if not report.complete:
        raise LoadtestError("nothing missing and nothing doubled expected, got the above")


async def _measure_crashes(options: argparse.Namespace) -> CrashReport:
    talk = long_talk([read_recording(path) for path in conversations()], MINUTES_A_TALK)
    async with AsyncExitStack() as stack:
        flags = script_flags(talk, stack) if options.scripted else ()
        status = stack.enter_context(Console(stderr=True).status("Starting a server ..."))

        def tell(kills: int) -> None:
            status.update(f"{kills} of {options.kills} kills ...")

        return await measure_crashes(talk, flags, options.kills, options.seed, tell)
