"""The command `python -m loadtest lookahead`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from loadtest.clients import Caller, trax
from loadtest.latency import LatencyReport, measure_latency
from loadtest.lookahead import LookaheadReport
from loadtest.measured_server import MeasuredServer, running_server
from loadtest.options import add_language, add_out_folder, add_talk, starting
from loadtest.plots import plot_lookahead
from loadtest.progress import watched
from loadtest.recordings import Recording, conversations, read_recording
from loadtest.report import NOTHING, percent, seconds, write_json
from loadtest.values import several, whole

LOOKAHEADS_MS = (0, 300, 600, 1000, 2000, 4000)


def add_lookahead(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(carry_out=_lookahead)
    add_talk(parser, conversations())
    parser.add_argument(
        "--lookaheads-ms",
        type=several(whole(0)),
        default=LOOKAHEADS_MS,
        metavar="MS,MS,...",
        help=f"in turn (default: {','.join(map(str, LOOKAHEADS_MS))})",
    )
    add_language(parser)
    parser.add_argument("--no-diarization", action="store_true", help="do not tell speakers apart")
    add_out_folder(parser)


def _lookahead(options: argparse.Namespace) -> None:
    reports = asyncio.run(_measure(options))
    Console().print(lookahead_table(reports))
    if options.out is not None:
        write_json(options.out / "lookahead.json", {"lookaheads": reports})
        plot_lookahead(reports, options.out / "lookahead.png")


async def _measure(options: argparse.Namespace) -> list[LookaheadReport]:
    recordings = [read_recording(file) for file in options.files]
    reports: list[LookaheadReport] = []
    with starting() as status:
        async with running_server(("--max-sessions", "1")) as server:
            status.stop()
            caller = Caller(
                server.url, language=options.language, diarization=not options.no_diarization
            )
            for lookahead_ms in options.lookaheads_ms:
                waiting = replace(caller, lookahead_ms=lookahead_ms)
                heard = [await _listen(each, waiting, server) for each in recordings]
                reports.append(LookaheadReport(lookahead_ms, heard))
    return reports


async def _listen(recording: Recording, caller: Caller, server: MeasuredServer) -> LatencyReport:
    name = f"{recording.name}, look-ahead {caller.lookahead_ms} ms"
    with watched([name], recording.duration_s) as watch:
        return await measure_latency(recording, trax(caller), 1, 0, server, watch)


def lookahead_table(reports: Sequence[LookaheadReport]) -> Table:
    """Return the look-aheads, one a row."""
    table = Table(title="Against the look-ahead", box=SIMPLE_HEAD)
    for heading in ("look-ahead s", "shown p50 s", "final p50 s", "final p90 s"):
        table.add_column(heading, justify="right")
    for heading in ("word errors %", "speaker errors %", "without edges %"):
        table.add_column(heading, justify="right")
    for each in reports:
        times = (each.shown_p50_s, each.final_p50_s, each.final_p90_s)
        table.add_row(
            seconds(each.lookahead_ms / 1000),
            *(NOTHING if value is None else seconds(value) for value in times),
            NOTHING if each.live is None else percent(each.live.rate),
            NOTHING if each.speakers is None else percent(each.speakers.rate),
            NOTHING if each.speakers is None else percent(each.speakers.core_rate),
        )
    return table
