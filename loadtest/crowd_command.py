"""The command `python -m loadtest crowd`."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from loadtest.crowd import CrowdReport, measure_crowd
from loadtest.measured_server import running_server
from loadtest.options import add_out_folder
from loadtest.report import megabytes, seconds, write_json
from loadtest.values import whole

MORE = 100
"""Connections that a server lets in beyond the sessions."""


def add_crowd(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(carry_out=_crowd)
    parser.add_argument(
        "--sessions", type=whole(1), default=1000, metavar="N", help="at once (default: 1000)"
    )
    parser.add_argument(
        "--seconds", type=whole(1), default=20, metavar="S", help="to look (default: 20)"
    )
    parser.add_argument("--silence", action="store_true", help="each sends silence in real time")
    add_out_folder(parser)


def _crowd(options: argparse.Namespace) -> None:
    report = asyncio.run(_measure(options))
    Console().print(crowd_table(report))
    if options.out is not None:
        write_json(options.out / "crowd.json", report)


async def _measure(options: argparse.Namespace) -> CrowdReport:
    count: int = options.sessions
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "nothing.words.json"
        script.write_text("[]")
        flags = ("--live-model", f"scripted:{script}", "--max-sessions", str(count))
        async with running_server((*flags, "--max-connections", str(count + MORE))) as server:
            with Progress(console=Console(stderr=True)) as progress:
                bar = progress.add_task("sessions", total=count)
                return await measure_crowd(
                    server,
                    count,
                    options.seconds,
                    silence=options.silence,
                    opened=lambda there: progress.update(bar, completed=there),
                )


def crowd_table(report: CrowdReport) -> Table:
    """Return what each session costs."""
    doing = "send silence" if report.silence else "are open"
    table = Table(
        title=f"{report.sessions} sessions that {doing}", show_header=False, box=SIMPLE_HEAD
    )
    table.add_column("", no_wrap=True)
    table.add_column("", justify="right")
    table.add_row("all there after, s", seconds(report.opened_s))
    table.add_row("CPU ms a session, each second", f"{1000 * report.cpu_per_second:.2f}")
    table.add_row("memory a session, MB", megabytes(report.rss_bytes_each))
    return table
