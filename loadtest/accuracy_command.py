"""The command `python -m loadtest accuracy`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rich.console import Console

from loadtest.accuracy import AccuracyReport, measure_accuracy
from loadtest.accuracy_report import accuracy_table
from loadtest.options import add_session_options
from loadtest.passes import ear_of
from loadtest.plots import plot_accuracy
from loadtest.recordings import conversations, read_recording
from loadtest.report import write_json
from loadtest.rules import rule_names, settings_for
from loadtest.values import whole
from loadtest.whole_file import WholeFileRecognizer
from server.app import engine_config
from server.messages import Finals, Start
from server.options import read_settings
from streaming.core.domain import to_ms
from streaming.core.endpointing import EndpointRules
from streaming.core.settings import SHORTEST_DIARIZATION_LATENCY, LiveRules
from streaming.engines.loading import load


def add_accuracy(parser: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    parser.set_defaults(carry_out=_accuracy)
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="recordings with .words.json beside them (default: the conversations of tests/data)",
    )
    parser.add_argument(
        "--live-model", metavar="MODEL", help="of the live pass (default: the server's)"
    )
    parser.add_argument(
        "--passes", type=Path, metavar="FILE", help="which further passes hear (default: the usual)"
    )
    add_session_options(parser)
    parser.add_argument("--max-delay-ms", type=whole(0), default=Start().max_delay_ms, metavar="MS")
    parser.add_argument(
        "--diarization-latency-ms", type=whole(to_ms(SHORTEST_DIARIZATION_LATENCY)), metavar="MS"
    )
    names = ", ".join((*rule_names(LiveRules), *rule_names(EndpointRules)))
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"set a rule, lengths in milliseconds; repeatable. Rules: {names}",
    )
    parser.add_argument(
        "--no-whole-file", action="store_true", help="leave out the decode of the whole file"
    )
    parser.add_argument(
        "--no-later", action="store_true", help="leave out the passes after the live ones"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write the results as JSON and as plots"
    )


def _accuracy(options: argparse.Namespace) -> None:
    console = Console()
    named = {"live_model": options.live_model, "passes": options.passes}
    flags = {name: str(value) for name, value in named.items() if value is not None}
    server = read_settings(flags, os.environ)
    config = engine_config(server)
    start = Start(
        language=options.language,
        lookahead_ms=options.lookahead_ms,
        max_delay_ms=options.max_delay_ms,
        diarization=not options.no_diarization,
        diarization_latency_ms=options.diarization_latency_ms,
        finals=Finals(options.finals),
    )
    ear = None if options.no_later else ear_of(server)
    reports: list[AccuracyReport] = []
    with console.status("Loading models ...") as status:
        engines = load(config)
        settings = settings_for(start, server, engines.languages, options.rule)
        whole_file = None if options.no_whole_file else WholeFileRecognizer(config)
        for path in options.files or conversations():
            recording = read_recording(path)
            status.update(f"Hearing {recording.name}, {recording.duration_s:.0f} s of audio ...")
            reports.append(measure_accuracy(recording, engines, settings, whole_file, ear))
    console.print(accuracy_table(reports))
    if options.out is not None:
        write_json(options.out / "accuracy.json", {"settings": settings, "recordings": reports})
        plot_accuracy(reports, options.out)
