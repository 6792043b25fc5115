"""The command line: what it understands, and who does it.

Nothing heavy is imported before it is known to be needed: `trax --help` and every mistake on the
command line are answered at once.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from server.errors import StartError
from server.options import add_flags, read_settings, settings_table, unknown_variables
from server.settings import Settings

DISTRIBUTION = "trax-server"
INTERRUPTED = 130
"""Exit code of a command that was stopped with Ctrl-C: 128 + SIGINT, as shells have it."""

UNREAD = 141
"""Exit code of a command whose output nobody reads any more: 128 + SIGPIPE."""

_SERVICES = ("serve", "worker")
"""Commands that write to others than who started them."""

_OF_WORKERS = (
    "data_dir",
    "cache_dir",
    "live_model",
    "device",
    "compute_type",
    "database",
    "recordings_url",
    "redis_url",
    "workers",
    "worker_memory_mb",
    "passes",
    "results_cache_mb",
    "upload_hours",
    "log_level",
    "log_format",
)

_OF_TRANSCRIBING = (
    "cache_dir",
    "live_model",
    "device",
    "compute_type",
    "passes",
    "results_cache_mb",
    "upload_hours",
)

_FORMATS = ("json", "txt", "srt", "vtt", "md", "docx", "rttm")
"""As in `server.exports`, which takes too long to import for `--help`."""

ABOUT = "Real-time transcription: words with speakers while people talk."


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Carry out one command line; return the exit code.

    Args:
        arguments: Without the program's name.
        environment: Where settings come from that no flag gives.
    """
    given = vars(_parser().parse_args(arguments))
    command = given.pop("command")
    try:
        exit_code = _carry_out(command, given, environment)
        sys.stdout.flush()
    except StartError as error:
        for line in str(error).splitlines():
            print(f"trax: {line}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        if command in _SERVICES:
            raise
        # Whoever read our output has left, such as `head`; Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    return exit_code


def installed_version() -> str:
    """Return our version, or say that there is none."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "not installed"


def _carry_out(command: str, given: dict[str, object], environment: Mapping[str, str]) -> int:
    match command:
        case "version":
            print(f"trax {installed_version()}, Python {platform.python_version()}")
            return 0
        case "settings":
            print(settings_table())
            return 0
    names = [str(name) for name in _as_list(given.pop("names", []))]
    as_json, all_of_them = given.pop("json", False) is True, given.pop("all", False) is True
    action, limit = given.pop("action", None), given.pop("limit", None)
    settings = read_settings(given, environment)
    for name in unknown_variables(environment):
        print(f"trax: {name} is set, but there is no such setting", file=sys.stderr)
    match command, action:
        case "serve", _:
            return _serve(settings)
        case "worker", _:
            return _work(settings)
        case "jobs", str(action):
            from server import job_commands

            most = limit if isinstance(limit, int) else job_commands.LISTED
            return job_commands.run(action, names, settings, as_json=as_json, limit=most)
        case "models", str(action):
            return _models(action, names, settings, as_json=as_json, all_of_them=all_of_them)
        case "transcribe", _:
            return _transcribe(names, given, settings)
        case "passes", _:
            from server import pass_commands

            return pass_commands.show(settings, as_json=as_json)
        case _:
            from server.doctor import examine

            return examine(settings, as_json=as_json)


def _models(
    action: str, names: list[str], settings: Settings, *, as_json: bool, all_of_them: bool
) -> int:
    from server import model_commands

    match action:
        case "list":
            return model_commands.show(settings, as_json=as_json)
        case "fetch":
            return model_commands.fetch(names, settings, all_of_them=all_of_them)
        case _:
            return model_commands.verify(names, settings, as_json=as_json)


def _serve(settings: Settings) -> int:
    from server.logs import configure
    from server.serving import serve

    configure(settings.log_level, settings.log_format)
    print("Trax loads its models ...", file=sys.stderr, flush=True)
    serve(settings, _announce)
    return 0


def _work(settings: Settings) -> int:
    from server.hearing import Hiring
    from server.logs import configure
    from server.worker import work

    configure(settings.log_level, settings.log_format)
    work(settings, Hiring(settings), lambda what: print(f"Trax {what}", flush=True))
    return 0


def _transcribe(names: list[str], given: Mapping[str, object], settings: Settings) -> int:
    from server.exports.formats import ExportFormat
    from server.storage.uploads import Wishes
    from server.transcribe_command import Order, run

    words = str(given["hotwords"]).split(",")
    output, formats = given["output"], given["formats"]
    assert formats is None or isinstance(formats, list)
    wishes = Wishes(
        model=_text(given["model"]),
        language=_text(given["language"]),
        hotwords=tuple(word.strip() for word in words if word.strip()),
        diarization=given["no_diarization"] is not True,
    )
    order = Order(
        files=tuple(Path(name).expanduser() for name in names),
        formats=tuple(map(ExportFormat, dict.fromkeys(formats or ["txt"]))),
        output=_text(output),
        force=given["force"] is True,
        wishes=wishes,
    )
    return run(order, settings)


def _announce(url: str) -> None:
    """Show the URL, which holds the token: on the terminal, never in the log."""
    print(f"\n  Trax is ready:  {url}\n", flush=True)
    # As a module, the server does not know where commands are installed.
    beside = Path(sys.argv[0]).with_name("trax-client")
    client = beside if beside.exists() else beside.name
    print(f"  Stream a file:  {client} stream FILE --url '{url}'", flush=True)
    print("  Stop:           Ctrl-C\n", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trax", description=ABOUT)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    variables = "Every flag can also be set by a variable: --max-sessions is TRAX_MAX_SESSIONS."
    serve = commands.add_parser(
        "serve", help="start the server", description=f"Start the server. {variables}"
    )
    add_flags(serve)
    worker = commands.add_parser(
        "worker",
        help="hear recordings for a server elsewhere",
        description="Hear what servers submit that have the same database, Redis and recordings. "
        f"{variables}",
    )
    add_flags(worker, only=_OF_WORKERS)
    _add_transcribe(
        commands.add_parser(
            "transcribe",
            help="turn recordings into documents, without a server",
            description="Hear recordings of any usual format, sound or video, as well as this "
            "machine can, and write down what is said in them. What is broken off goes on where "
            "it was. Exit code 1 when one of the files failed; the others are written.",
        )
    )
    _add_jobs(commands.add_parser("jobs", help="list, show, retry or cancel what is to be heard"))
    _add_models(commands.add_parser("models", help="list, fetch or verify the models' files"))
    passes = commands.add_parser("passes", help="show which passes hear a session, and how")
    passes.add_argument("--json", action="store_true", help="print JSON")
    add_flags(passes, only=("cache_dir", "live_model", "passes"))
    doctor = commands.add_parser(
        "doctor",
        help="say what is present, missing or slow",
        description="Examine this machine as a server with these settings would find it. "
        f"{variables} Exit code 1 when the server could not run.",
    )
    add_flags(doctor)
    doctor.add_argument("--json", action="store_true", help="print JSON")
    commands.add_parser("settings", help="print the table of all settings, in Markdown")
    commands.add_parser("version", help="print the version")
    return parser


def _add_transcribe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="FILE", help="a recording")
    parser.add_argument(
        "--format",
        action="append",
        choices=_FORMATS,
        dest="formats",
        help="may be given several times; default: txt",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        help="where results go; - is standard output; default: beside each recording",
    )
    parser.add_argument("--force", action="store_true", help="make results that are there anew")
    parser.add_argument("--language", metavar="CODE", help="ISO 639-1; default: as it is heard")
    parser.add_argument(
        "--hotwords", metavar="WORDS", default="", help="words to favour, separated by commas"
    )
    parser.add_argument(
        "--model", metavar="NAME", help="which recognizer hears; default: the best that is here"
    )
    parser.add_argument("--no-diarization", action="store_true", help="do not tell speakers apart")
    add_flags(parser, only=_OF_TRANSCRIBING)


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="show jobs, the newest first")
    listed.add_argument(
        "names", nargs="*", metavar="STATE", help="waiting, running, heard, done, failed, cancelled"
    )
    listed.add_argument("--limit", type=int, metavar="N", help="at most so many; default: 100")
    show = actions.add_parser("show", help="show all about some jobs")
    retry = actions.add_parser("retry", help="do jobs that failed once more")
    cancel = actions.add_parser("cancel", help="end jobs that are under way")
    for command in (show, retry, cancel):
        command.add_argument("names", nargs="+", metavar="JOB", help="its id")
    for command in (listed, show, retry, cancel):
        command.add_argument("--json", action="store_true", help="print JSON")
        add_flags(command, only=("data_dir", "database"))


def _add_models(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("list", help="show every model: source, size, licence, checksum")
    fetch = actions.add_parser("fetch", help="bring models here, and verify them")
    verify = actions.add_parser("verify", help="compute the checksum of every file")
    fetch.add_argument(
        "names", nargs="*", metavar="NAME", help="default: what the server needs that is not here"
    )
    fetch.add_argument("--all", action="store_true", help="fetch all that `trax models list` shows")
    verify.add_argument("names", nargs="*", metavar="NAME", help="default: all that are here")
    for command in (show, verify):
        command.add_argument("--json", action="store_true", help="print JSON")
    for command in (show, fetch, verify):
        add_flags(command, only=("cache_dir", "live_model", "diarization"))


def _as_list(value: object) -> list[object]:
    """Give a list that argparse left behind its type."""
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    """Give a text that argparse left behind its type."""
    return value if isinstance(value, str) else None
