"""The command line: `python -m loadtest accuracy`, `latency` and `soak`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from loadtest.accuracy import AccuracyReport, measure_accuracy
from loadtest.errors import LoadtestError
from loadtest.recordings import conversations, read_recording
from loadtest.report import accuracy_table, write_json
from loadtest.rules import rule_names, settings_for
from loadtest.whole_file import WholeFileRecognizer
from server.app import engine_config
from server.errors import PeerMistake, StartError
from server.messages import Finals, Start
from server.options import read_settings
from streaming.core.endpointing import EndpointRules
from streaming.core.settings import LiveRules
from streaming.engines.loading import load
from streaming.errors import StreamingError

FAILED, INTERRUPTED = 1, 130


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.carry_out(options)
    except (LoadtestError, PeerMistake, StartError, StreamingError) as error:
        print(f"loadtest: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadtest",
        description="Measure accuracy, latency and endurance.",
        epilog="Models and their settings come from the variables of `trax serve`: TRAX_LIVE_MODEL "
        "and others.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_accuracy(commands.add_parser("accuracy", help="word and speaker errors, without a server"))
    return parser


def _add_accuracy(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(carry_out=_accuracy)
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="recordings with .words.json beside them (default: the conversations of tests/data)",
    )
    _add_session_options(parser)
    parser.add_argument("--max-delay-ms", type=int, default=Start().max_delay_ms, metavar="MS")
    parser.add_argument("--diarization-latency-ms", type=int, metavar="MS")
    parser.add_argument("--finals", choices=[each.value for each in Finals], default=Finals.WORD)
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
    _add_out(parser)


def _add_session_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--language", default="en", help="ISO 639-1 code, or `auto` to detect it (default: en)"
    )
    parser.add_argument("--lookahead-ms", type=int, metavar="MS", help="default: the server's")
    parser.add_argument("--no-diarization", action="store_true", help="do not tell speakers apart")


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the result as JSON")


def _accuracy(options: argparse.Namespace) -> None:
    console = Console()
    server = read_settings({}, os.environ)
    config = engine_config(server)
    start = Start(
        language=options.language,
        lookahead_ms=options.lookahead_ms,
        max_delay_ms=options.max_delay_ms,
        diarization=not options.no_diarization,
        diarization_latency_ms=options.diarization_latency_ms,
        finals=Finals(options.finals),
    )
    reports: list[AccuracyReport] = []
    with console.status("Loading models ...") as status:
        engines = load(config)
        settings = settings_for(start, server, engines.languages, options.rule)
        whole_file = None if options.no_whole_file else WholeFileRecognizer(config)
        for path in options.files or conversations():
            recording = read_recording(path)
            status.update(f"Hearing {recording.name}, {recording.duration_s:.0f} s of audio ...")
            reports.append(measure_accuracy(recording, engines, settings, whole_file))
    console.print(accuracy_table(reports))
    if options.out is not None:
        write_json(options.out, {"settings": settings, "recordings": reports})
