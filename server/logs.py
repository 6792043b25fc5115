"""Log lines for people or for programs: a constant message, then its fields.

Words, audio, tokens and names are never given to a logger. As a second wall, whatever looks like
a token in a URL is blotted out: libraries below us log requests.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

_TOKEN = re.compile(r"(token=|[Bb]earer\s+)[^\s&\"']+")
_ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_QUIET = ("uvicorn", "uvicorn.error", "uvicorn.access", "websockets")


def configure(level: str, form: str) -> None:
    """Send the whole process's log to standard error; called once, by the command.

    Args:
        level: Name of the lowest level that is shown.
        form: `text` or `json`.
    """
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[output], force=True)
    for name in _QUIET:  # They log every request with its URL.
        logging.getLogger(name).setLevel(logging.WARNING)


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


def without_tokens(line: str) -> str:
    """Blot out what follows `token=` or `Bearer`."""
    return _TOKEN.sub(r"\1***", line)
