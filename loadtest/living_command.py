"""The command `python -m loadtest living`."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from loadtest.errors import LoadtestError
from loadtest.living import LivingReport, Plan, measure_living
from loadtest.living_report import findings_table, meeting_table
from loadtest.recordings import conversations, long_talk, read_recording
from loadtest.report import write_json
from loadtest.scripted import script_flags
from loadtest.values import above_zero

MOST_MINUTES = 20
"""Then editors run out of characters that nobody wrote yet."""


def add_living(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(carry_out=_living)
    parser.add_argument(
        "--minutes", type=above_zero(MOST_MINUTES), default=3.0, metavar="N", help="default: 3"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
    parser.add_argument(
        "--real",
        action="store_false",
        dest="scripted",
        help="with the real models; default: with engines that play what is said",
    )
    parser.add_argument("--kills", action="store_true", help="kill the server now and then, too")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the result as JSON")


def _living(options: argparse.Namespace) -> None:
    report = asyncio.run(_measure_living(options))
    console = Console()
    console.print(meeting_table(report))
    console.print(findings_table(report))
    if options.out is not None:
        write_json(options.out, report)
    if not report.complete:
        raise LoadtestError("nothing missing and nothing doubled expected, got the above")


async def _measure_living(options: argparse.Namespace) -> LivingReport:
    talk = long_talk([read_recording(path) for path in conversations()], options.minutes + 1)
    async with AsyncExitStack() as stack:
        flags = script_flags(talk, stack) if options.scripted else ()
        status = stack.enter_context(Console(stderr=True).status("Starting a server ..."))

        def tell(seconds: float) -> None:
            status.update(f"{seconds:.0f} of {60 * options.minutes:.0f} s ...")

        plan = Plan(60 * options.minutes, options.seed, options.kills)
        return await measure_living(talk, flags, plan, tell)
