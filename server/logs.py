"""Log lines for people or for programs: a constant message, then its fields.

Words, audio, tokens and names are never given to a logger. As a second wall, whatever looks like
a token in a URL is blotted out, and libraries below us are shown from warnings on: they log
requests, and what they send.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

_TOKEN = re.compile(r"(token=|[Bb]earer\s+)[^\s&\"']+")
_ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

OUR_PACKAGES = ("server", "streaming", "offline")
"""Whose loggers are shown as low as is asked for."""


def configure(level: str, form: str) -> None:
    """Send the whole process's log to standard error; called once, by the command.

    Args:
        level: Name of the lowest level that is shown; of other packages than ours, nothing below
            warnings is.
        form: `text` or `json`.
    """
    output = logging.StreamHandler(sys.stderr)
    output.addFilter(_is_shown)
    output.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[output], force=True)


class TextLines(logging.Formatter):
    """`2026-01-31 12:00:00 INFO server.sessions: session begins session=1f2e`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or several where there is a traceback."""
        when = datetime.fromtimestamp(record.created).astimezone()
        line = f"{when:%Y-%m-%d %H:%M:%S} {record.levelname} {record.name}: {record.getMessage()}"
        line += "".join(f" {name}={value}" for name, value in fields(record).items())
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return without_tokens(line)


class JsonLines(logging.Formatter):
    """One JSON object for each line: `time` (UTC), `level`, `logger`, `message`, then fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        content = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields(record),
        }
        if record.exc_info:
            content["traceback"] = self.formatException(record.exc_info)
        return without_tokens(json.dumps(content, default=str, ensure_ascii=False))


def fields(record: logging.LogRecord) -> dict[str, object]:
    """Return what a log call gave as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _ORDINARY}


def _is_shown(record: logging.LogRecord) -> bool:
    ours = record.name.partition(".")[0] in OUR_PACKAGES
    return ours or record.levelno >= logging.WARNING


def without_tokens(line: str) -> str:
    """Blot out what follows `token=` or `Bearer`."""
    return _TOKEN.sub(r"\1***", line)
