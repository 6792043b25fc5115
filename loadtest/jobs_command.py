"""`python -m loadtest jobs`: what it is given, and what it prints."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from loadtest.jobs import JobsReport, jobs_table, measure_jobs
from loadtest.report import write_json
from server.settings import Settings


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(carry_out=_jobs)
    parser.add_argument("--jobs", type=int, default=50, metavar="N", help="default: 50")
    parser.add_argument(
        "--kills", type=int, default=5, metavar="N", help="of workers, with Redis (default: 5)"
    )
    parser.add_argument("--redis-url", help="default: the queue is in this process")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the result as JSON")


def _jobs(options: argparse.Namespace) -> None:
    report = asyncio.run(_measure(options))
    Console().print(jobs_table(report))
    if options.out is not None:
        write_json(options.out, report)


async def _measure(options: argparse.Namespace) -> JobsReport:
    with (
        TemporaryDirectory(prefix="trax-loadtest-") as folder,
        Console(stderr=True).status("Measuring ...") as status,
    ):
        settings = Settings(data_dir=Path(folder), redis_url=options.redis_url)
        return await measure_jobs(settings, options.jobs, options.kills, status.update)
