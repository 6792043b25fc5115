"""Settings from flags and environment variables, and the table that the README shows of them.

A flag wins over a variable, a variable over the default. An empty variable counts as unset, as
compose files and shells write it. Parsing is ours rather than argparse's, so that a flag and a
variable with the same mistake get the same answer.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

from server.errors import SettingsError
from server.setting import Setting, flag, problem, variable
from server.settings import Settings, about_settings

CLIENT_VARIABLES = frozenset({"TRAX_URL"})
"""Variables with our prefix that are for the clients, and may stand in the same environment."""

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def add_flags(parser: argparse.ArgumentParser, only: Collection[str] = ()) -> None:
    """Give a command one flag for each setting; flags that are not given leave no trace.

    Args:
        parser: The command's.
        only: Names of the settings that the command uses; all if there are none.
    """
    groups: dict[str, argparse._ArgumentGroup] = {}
    kinds = get_type_hints(Settings)
    for name, about in about_settings().items():
        if only and name not in only:
            continue
        group = groups.get(about.group) or parser.add_argument_group(about.group)
        groups[about.group] = group
        details = [f"{about.range} {about.unit}".strip(), f"default: {default_text(name)}"]
        text = f"{about.why} [{'; '.join(part for part in details if part)}]"
        text = text.replace("`", "").replace("%", "%%")
        if kinds[name] is bool:
            group.add_argument(
                flag(name),
                action=argparse.BooleanOptionalAction,
                default=argparse.SUPPRESS,
                help=text,
            )
        else:
            metavar = about.unit.upper() or name.rsplit("_", 1)[-1].upper()
            group.add_argument(flag(name), metavar=metavar, default=argparse.SUPPRESS, help=text)


def read_settings(flags: Mapping[str, object], environment: Mapping[str, str]) -> Settings:
    """Return the settings that flags and variables ask for.

    Args:
        flags: What `add_flags` made argparse leave behind; other names are ignored.
        environment: Usually `os.environ`.

    Raises:
        SettingsError: Some of them cannot be read, or are out of range.
    """
    kinds = get_type_hints(Settings)
    values: dict[str, object] = {}
    problems: list[str] = []
    for name in about_settings():
        given = flags.get(name, environment.get(variable(name)) or None)
        if given is None:
            continue
        parse = _PARSERS[kinds[name]]
        try:
            values[name] = given if isinstance(given, bool) else parse(str(given))
        except ValueError:
            problems.append(problem(name, _EXPECTED[kinds[name]], repr(given)))
    if problems:
        raise SettingsError(problems)
    return Settings(**values)  # type: ignore[arg-type]  # parsed by each field's own type


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Return variables that look like settings but are none: a typing error would go unseen."""
    known = {variable(name) for name in about_settings()} | CLIENT_VARIABLES
    return sorted(name for name in environment if name.startswith("TRAX_") and name not in known)


def settings_table() -> str:
    """Return the Markdown table of all settings, as it stands in the README."""
    lines = ["| flag | variable | default | range | meaning |", "|---|---|---|---|---|"]
    lines += [_row(name, about) for name, about in about_settings().items()]
    return "\n".join(lines)


def default_text(name: str) -> str:
    """Return a field's default as people read it."""
    about = about_settings()[name]
    if about.default is not None:
        return about.default
    value = next(f.default for f in fields(Settings) if f.name == name)
    match value:
        case bool():
            return "on" if value else "off"
        case _:
            return str(value)


def _row(name: str, about: Setting) -> str:
    allowed = f"{about.range} {about.unit}".strip()
    switch = get_type_hints(Settings)[name] is bool
    shown_flag = f"`{flag(name)}`, `--no-{flag(name)[2:]}`" if switch else f"`{flag(name)}`"
    default = default_text(name)
    default = default if about.default is not None else f"`{default}`"
    return f"| {shown_flag} | `{variable(name)}` | {default} | {allowed} | {about.why} |"


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(text)


def _several(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


_PARSERS: Mapping[object, Callable[[str], object]] = {
    str: str,
    str | None: str,
    int: int,
    int | None: int,
    bool: _boolean,
    Path: lambda text: Path(text).expanduser(),
    Path | None: lambda text: Path(text).expanduser(),
    tuple[str, ...]: _several,
}
_EXPECTED: Mapping[object, str] = {
    int: "an integer",
    int | None: "an integer",
    bool: " or ".join((*_TRUE, *_FALSE)),
}
