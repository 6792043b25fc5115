"""The command `python -m loadtest streams`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from loadtest.clients import Caller
from loadtest.comparison import HEADINGS, cells_of
from loadtest.latency import LatencyReport, measure_latency
from loadtest.options import (
    add_language,
    add_out_folder,
    add_peers,
    add_talk,
    read_talk,
)
from loadtest.plots import plot_streams
from loadtest.progress import watched
from loadtest.recordings import CONTINUOUS, Recording
from loadtest.report import write_json
from loadtest.rivals import Rival, Running, ours, theirs
from loadtest.streams import LIMIT_S, SPREAD_S, StreamsReport, measure_streams
from loadtest.values import above_zero, several, whole

COUNTS = (1, 2, 4, 6, 8, 12, 16, 24, 32)


def add_streams(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(carry_out=_streams)
    add_talk(parser, CONTINUOUS)
    parser.add_argument(
        "--counts",
        type=several(whole(1)),
        default=COUNTS,
        metavar="N,N,...",
        help=f"clients at once, step by step (default: {','.join(map(str, COUNTS))})",
    )
    parser.add_argument(
        "--limit-s",
        type=above_zero(),
        default=LIMIT_S,
        metavar="S",
        help="stop when a tenth of the words takes longer to be final, by the median of the rounds "
        f"(default: {LIMIT_S:g})",
    )
    parser.add_argument(
        "--rounds",
        type=whole(1),
        default=1,
        metavar="N",
        help="measure each number of clients so often; medians are told (default: 1)",
    )
    add_language(parser)
    parser.add_argument("--lookahead-ms", type=whole(0), metavar="MS", help="default: the server's")
    parser.add_argument(
        "--diarization",
        choices=("both", "on", "off"),
        default="both",
        help="whether our server tells speakers apart (default: both, one after the other)",
    )
    add_peers(parser)
    add_out_folder(parser)


def _streams(options: argparse.Namespace) -> None:
    talk, console = read_talk(options.files), Console()
    reports: list[StreamsReport] = []

    def keep(report: StreamsReport) -> None:
        if options.out is not None:
            write_json(options.out / "streams.json", {"servers": [*reports, report]})
            plot_streams([*reports, report], options.out / "streams.png")

    for rival in _rivals(options):
        reports.append(asyncio.run(_climb(talk, rival, options, keep)))
        console.print(streams_table(reports[-1]))


def _rivals(options: argparse.Namespace) -> list[Rival]:
    caller = Caller("", language=options.language, lookahead_ms=options.lookahead_ms)
    kinds = {"off": "trax, no speakers", "on": "trax, speakers told apart"}
    mine = [
        ours(replace(caller, diarization=kind == "on"), name)
        for kind, name in kinds.items()
        if options.diarization in ("both", kind)
    ]
    others = theirs(options.against, options.language, options.peer_token)
    return [*mine, *others]


async def _climb(
    talk: Recording,
    rival: Rival,
    options: argparse.Namespace,
    keep: Callable[[StreamsReport], None],
) -> StreamsReport:
    """Measure one server; what is known is kept after each step, for it takes long."""
    async with rival.running(max(options.counts)) as running:
        measure = partial(_measure, talk, running)
        climbed = measure_streams(
            rival.name, options.counts, options.rounds, options.limit_s, measure
        )
        async for report in climbed:
            keep(report)
        return report


async def _measure(talk: Recording, running: Running, count: int) -> LatencyReport:
    names = [f"client {number + 1} of {count}" for number in range(count)]
    with watched(names, talk.duration_s) as watch:
        return await measure_latency(
            talk, running.client, count, SPREAD_S / count, running.server, watch
        )


def streams_table(report: StreamsReport) -> Table:
    """Return the steps, one a row."""
    most = f"{report.most}" if report.bounded else f"{report.most} or more"
    table = Table(
        title=f"{report.server}: {most} streams with nine of ten words final within "
        f"{report.limit_s:g} s",
        caption="\n".join(f"{s.streams}: {s.failure}" for s in report.steps if s.failure) or None,
        box=SIMPLE_HEAD,
    )
    table.add_column("streams", justify="right")
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for step in report.steps:
        told = step.figures
        cells: Sequence[str] = ["failed"] if told is None else cells_of(told)
        kept = "yes" if told is not None and told.real_time else "NO"
        padding = [""] * (len(HEADINGS) - 1 - len(cells))
        table.add_row(str(step.streams), *cells, *padding, "failed" if step.failure else kept)
    return table
