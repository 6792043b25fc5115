"""The command line: what it understands, and who does it.

Nothing heavy is imported before it is known to be needed: `trax --help` and every mistake on the
command line are answered at once.
"""

from __future__ import annotations

import argparse
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
        return _carry_out(command, given, environment)
    except StartError as error:
        for line in str(error).splitlines():
            print(f"trax: {line}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


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
    action = given.pop("action", None)
    settings = read_settings(given, environment)
    for name in unknown_variables(environment):
        print(f"trax: {name} is set, but there is no such setting", file=sys.stderr)
    match command, action:
        case "serve", _:
            return _serve(settings)
        case "models", "list":
            from server import model_commands

            return model_commands.show(settings, as_json=as_json)
        case "models", "fetch":
            from server import model_commands

            return model_commands.fetch(names, settings, all_of_them=all_of_them)
        case "models", "verify":
            from server import model_commands

            return model_commands.verify(names, settings, as_json=as_json)
        case "passes", _:
            from server import pass_commands

            return pass_commands.show(settings, as_json=as_json)
        case _:
            from server.doctor import examine

            return examine(settings, as_json=as_json)


def _serve(settings: Settings) -> int:
    from server.logs import configure
    from server.serving import serve

    configure(settings.log_level, settings.log_format)
    print("Trax loads its models ...", file=sys.stderr, flush=True)
    serve(settings, _announce)
    return 0


def _announce(url: str) -> None:
    """Show the URL, which holds the token: on the terminal, never in the log."""
    print(f"\n  Trax is ready:  {url}\n", flush=True)
    client = Path(sys.argv[0]).with_name("trax-client")
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
        add_flags(command, only=("cache_dir", "live_model"))


def _as_list(value: object) -> list[object]:
    """Give a list that argparse left behind its type."""
    return value if isinstance(value, list) else []
