"""The command line: `python -m loadtest accuracy`, `latency`, `soak`, `editors` and others."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.status import Status

from loadtest.accuracy import AccuracyReport, measure_accuracy
from loadtest.clients import Caller
from loadtest.crashes import measure_crashes
from loadtest.crashes_audit import CrashReport
from loadtest.crashes_report import crashes_table
from loadtest.editors import EditingReport, Typing, measure_editing
from loadtest.editors_documents import measure_opening, write_meetings
from loadtest.editors_report import EditorsReport, editing_table, openings_table
from loadtest.errors import LoadtestError
from loadtest.fuzz_command import add_fuzz
from loadtest.jobs import JobsReport, jobs_table, measure_jobs
from loadtest.latency import LatencyReport, measure_latency
from loadtest.living import LivingReport, Plan, measure_living
from loadtest.living_report import findings_table, meeting_table
from loadtest.measured_server import MeasuredServer, running_server
from loadtest.progress import watched
from loadtest.recordings import Recording, conversations, read_recording
from loadtest.report import accuracy_table, latency_table, soak_table, write_json
from loadtest.rules import rule_names, settings_for
from loadtest.soak import SoakReport, long_talk, measure_soak, write_script
from loadtest.whole_file import WholeFileRecognizer
from server.app import engine_config
from server.errors import PeerMistake, StartError
from server.messages import Finals, Start
from server.options import read_settings
from server.settings import Settings
from streaming.core.endpointing import EndpointRules
from streaming.core.settings import LiveRules
from streaming.engines.loading import load
from streaming.errors import StreamingError
from trax_client import TraxError

FAILED, INTERRUPTED = 1, 130

MINUTES_A_TALK = 30
"""Enough for 200 kills; then there is nothing more to say."""

MOST_LIVING_MINUTES = 20
"""Then editors run out of characters that nobody wrote yet."""


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; return the exit code."""
    options = _parser().parse_args(arguments)
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
    _add_accuracy(commands.add_parser("accuracy", help="word and speaker errors, without a server"))
    _add_latency(commands.add_parser("latency", help="how long words take, in real time"))
    _add_soak(commands.add_parser("soak", help="one long session: memory, and the last word"))
    _add_editors(commands.add_parser("editors", help="how long edits and documents take"))
    _add_crashes(commands.add_parser("crashes", help="kill -9 again and again: what is missing"))
    _add_living(commands.add_parser("living", help="edit what is being said, and lose connections"))
    add_fuzz(commands.add_parser("fuzz", help="accurate passes against edits, at random"))
    _add_jobs(commands.add_parser("jobs", help="how soon jobs begin, also after a kill -9"))
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


def _add_latency(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(carry_out=_latency)
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a recording; without .words.json beside it, words end where the recognizer says",
    )
    parser.add_argument("--streams", type=_count, default=1, metavar="N", help="clients at once")
    parser.add_argument(
        "--stagger-ms",
        type=int,
        default=700,
        metavar="MS",
        help="how long after each other they begin (default: 700)",
    )
    _add_session_options(parser)
    parser.add_argument(
        "--url", help="a server that runs already; default: one of our own, whose use is measured"
    )
    parser.add_argument("--token", help="its token, if it is not in the URL")
    _add_out(parser)


def _add_soak(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(carry_out=_soak)
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="recordings, streamed one after another, again and again "
        "(default: the conversations of tests/data)",
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="of audio (default: 60)")
    engines = parser.add_mutually_exclusive_group()
    engines.add_argument(
        "--real",
        action="store_false",
        dest="scripted",
        default=False,
        help="with the real models (default)",
    )
    engines.add_argument(
        "--scripted",
        action="store_true",
        help="with engines that play what is said: everything but the models",
    )
    _add_session_options(parser)
    _add_out(parser)


def _add_editors(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(carry_out=_editors)
    parser.add_argument(
        "--editors",
        nargs="+",
        type=_pair,
        default=[2, 50],
        metavar="N",
        help="so many at once, one number after the other (default: 2 50)",
    )
    parser.add_argument(
        "--seconds", type=float, default=30.0, help="so long each time (default: 30)"
    )
    parser.add_argument(
        "--edits-per-s", type=float, default=2.0, metavar="N", help="by each editor (default: 2)"
    )
    parser.add_argument(
        "--flooders",
        type=int,
        default=0,
        metavar="N",
        help="members besides, who send presence and ask for the document without end (default: 0)",
    )
    parser.add_argument(
        "--hours",
        nargs="*",
        type=float,
        default=[1.0, 3.0],
        help="open documents of so many hours of speech (default: 1 3)",
    )
    _add_out(parser)


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError(text)
    return count


def _add_crashes(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(carry_out=_crashes)
    parser.add_argument("--kills", type=_count, default=20, metavar="N", help="default: 20")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
    parser.add_argument(
        "--real",
        action="store_false",
        dest="scripted",
        help="with the real models; default: with engines that play what is said",
    )
    _add_out(parser)


def _add_living(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(carry_out=_living)
    parser.add_argument("--minutes", type=_minutes, default=3.0, metavar="N", help="default: 3")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
    parser.add_argument(
        "--real",
        action="store_false",
        dest="scripted",
        help="with the real models; default: with engines that play what is said",
    )
    parser.add_argument("--kills", action="store_true", help="kill the server now and then, too")
    _add_out(parser)


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes <= MOST_LIVING_MINUTES:
        raise ValueError(text)
    return minutes


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(carry_out=_jobs)
    parser.add_argument("--jobs", type=_count, default=50, metavar="N", help="default: 50")
    parser.add_argument(
        "--kills", type=int, default=5, metavar="N", help="of workers, with Redis (default: 5)"
    )
    parser.add_argument("--redis-url", help="default: the queue is in this process")
    _add_out(parser)


def _pair(text: str) -> int:
    count = int(text)
    if count < 2:
        raise ValueError(text)
    return count


def _add_session_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--language", default="en", help="ISO 639-1 code, or `auto` to detect it (default: en)"
    )
    parser.add_argument("--lookahead-ms", type=int, metavar="MS", help="default: the server's")
    parser.add_argument("--no-diarization", action="store_true", help="do not tell speakers apart")
    parser.add_argument(
        "--finals",
        choices=[each.value for each in Finals],
        default=Finals.WORD.value,
        help="which pass final words come from (default: word)",
    )


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


def _latency(options: argparse.Namespace) -> None:
    report = asyncio.run(_measure_latency(options))
    Console().print(latency_table(report))
    if options.out is not None:
        write_json(options.out, report)


async def _measure_latency(options: argparse.Namespace) -> LatencyReport:
    recording = read_recording(options.file)
    async with AsyncExitStack() as stack:
        server: MeasuredServer | None = None
        url = options.url
        if url is None:
            # One more than that would be turned away.
            room = ("--max-sessions", str(options.streams))
            with _starting():
                server = await stack.enter_async_context(running_server(room))
            url = server.url
        names = [f"client {number + 1}" for number in range(options.streams)]
        watch = stack.enter_context(watched(names, recording.duration_s))
        return await measure_latency(
            recording,
            replace(_caller(options, url), token=options.token),
            options.streams,
            options.stagger_ms / 1000,
            server,
            watch,
        )


def _soak(options: argparse.Namespace) -> None:
    report = asyncio.run(_measure_soak(options))
    Console().print(soak_table(report))
    if options.out is not None:
        write_json(options.out, report)


async def _measure_soak(options: argparse.Namespace) -> SoakReport:
    recordings = [read_recording(path) for path in options.files or conversations()]
    talk = long_talk(recordings, options.minutes)
    async with AsyncExitStack() as stack:
        flags = _script_flags(talk, stack) if options.scripted else ()
        with _starting():
            server = await stack.enter_async_context(running_server(flags))
        watch = stack.enter_context(watched(["session"], talk.duration_s))
        caller = _caller(options, server.url)
        return await measure_soak(talk, caller, server, partial(watch, 0))


def _editors(options: argparse.Namespace) -> None:
    report = asyncio.run(_measure_editors(options))
    console = Console()
    console.print(editing_table(report.editing))
    if report.openings:
        console.print(openings_table(report.openings))
    if options.out is not None:
        write_json(options.out, report)


async def _measure_editors(options: argparse.Namespace) -> EditorsReport:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="trax-loadtest-")))
        status = stack.enter_context(Console(stderr=True).status("Writing documents ..."))
        # One with nothing in it for each measurement of editing.
        blank = await write_meetings(folder, [0.0] * len(options.editors))
        meetings = await write_meetings(folder, options.hours)
        status.update("Starting a server ...")
        # Its engines hear nothing; the real ones would take a while to load.
        (script := folder / "script.json").write_text("[]", encoding="utf-8")
        flags = ("--live-model", f"scripted:{script}", "--data-dir", str(folder))
        server = await stack.enter_async_context(running_server(flags))
        editing: list[EditingReport] = []
        for editors, empty in zip(options.editors, blank, strict=True):
            status.update(f"{editors} editors for {options.seconds:g} s ...")
            pace = Typing(options.seconds, options.edits_per_s, options.flooders)
            editing.append(await measure_editing(server.url, empty.transcript, editors, pace))
        openings = [await measure_opening(server.url, each) for each in meetings]
    return EditorsReport(tuple(editing), tuple(openings))


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
        flags = _script_flags(talk, stack) if options.scripted else ()
        status = stack.enter_context(Console(stderr=True).status("Starting a server ..."))

        def tell(kills: int) -> None:
            status.update(f"{kills} of {options.kills} kills ...")

        return await measure_crashes(talk, flags, options.kills, options.seed, tell)


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
        flags = _script_flags(talk, stack) if options.scripted else ()
        status = stack.enter_context(Console(stderr=True).status("Starting a server ..."))

        def tell(seconds: float) -> None:
            status.update(f"{seconds:.0f} of {60 * options.minutes:.0f} s ...")

        plan = Plan(60 * options.minutes, options.seed, options.kills)
        return await measure_living(talk, flags, plan, tell)


def _script_flags(talk: Recording, stack: AsyncExitStack) -> tuple[str, ...]:
    """Return the flags of a server that plays a talk, from a script that the stack removes."""
    script = Path(stack.enter_context(TemporaryDirectory())) / "script.json"
    write_script(talk, script)
    return ("--live-model", f"scripted:{script}")


def _jobs(options: argparse.Namespace) -> None:
    report = asyncio.run(_measure_jobs(options))
    Console().print(jobs_table(report))
    if options.out is not None:
        write_json(options.out, report)


async def _measure_jobs(options: argparse.Namespace) -> JobsReport:
    with (
        TemporaryDirectory(prefix="trax-loadtest-") as folder,
        Console(stderr=True).status("Measuring ...") as status,
    ):
        settings = Settings(data_dir=Path(folder), redis_url=options.redis_url)
        return await measure_jobs(settings, options.jobs, options.kills, status.update)


def _caller(options: argparse.Namespace, url: str) -> Caller:
    return Caller(
        url=url,
        language=options.language,
        lookahead_ms=options.lookahead_ms,
        diarization=not options.no_diarization,
        finals=options.finals,
    )


def _starting() -> Status:
    return Console(stderr=True).status("Starting a server ...")
