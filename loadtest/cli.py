"""The command line: `python -m loadtest accuracy`, `latency`, `streams`, `soak` and others."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from loadtest.accuracy_command import add_accuracy
from loadtest.corrections_command import add_corrections
from loadtest.crashes_command import add_crashes
from loadtest.crowd_command import add_crowd
from loadtest.editors_command import add_editors
from loadtest.errors import LoadtestError
from loadtest.fuzz_command import add_fuzz
from loadtest.jobs_command import add_jobs
from loadtest.latency_command import add_latency
from loadtest.living_command import add_living
from loadtest.lookahead_command import add_lookahead
from loadtest.machine import machine
from loadtest.page_command import add_page
from loadtest.soak_command import add_soak
from loadtest.streams_command import add_streams
from server.errors import PeerMistake, StartError
from streaming.errors import StreamingError
from trax_client import TraxError

FAILED, INTERRUPTED = 1, 130


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; return the exit code."""
    options = _parser().parse_args(arguments)
    machine()  # As it is before anything is measured.
    # So that servers are stopped that were started.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        options.carry_out(options)
    except (LoadtestError, PeerMistake, StartError, StreamingError, TraxError) as error:
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
    add_accuracy(commands.add_parser("accuracy", help="word and speaker errors, without a server"))
    add_latency(commands.add_parser("latency", help="how long words take, in real time"))
    add_streams(commands.add_parser("streams", help="how many streams keep real time"))
    add_lookahead(
        commands.add_parser("lookahead", help="latency and errors against the look-ahead")
    )
    add_soak(commands.add_parser("soak", help="one long session: memory, and the last word"))
    add_crowd(commands.add_parser("crowd", help="what sessions cost in which nobody speaks"))
    add_editors(commands.add_parser("editors", help="how long edits and documents take"))
    add_crashes(commands.add_parser("crashes", help="kill -9 again and again: what is missing"))
    add_living(commands.add_parser("living", help="edit what is being said, and lose connections"))
    add_fuzz(commands.add_parser("fuzz", help="accurate passes against edits, at random"))
    add_corrections(
        commands.add_parser("corrections", help="how long corrections take, and what they cost")
    )
    add_jobs(commands.add_parser("jobs", help="how soon jobs begin, also after a kill -9"))
    add_page(commands.add_parser("page", help="how fast the web page is with a long meeting"))
    return parser
