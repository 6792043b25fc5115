"""Whether this server takes one more session, by how many there are and how they fare."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from server.codes import ErrorCode
from server.errors import Overload
from server.settings import Settings
from streaming.core.domain import Samples, to_ms


def refuse(lateness: Sequence[Samples], settings: Settings) -> Overload | None:
    """Return why one more session would be too many, or `None` when it would not.

    Resumed sessions are not asked about: they were admitted once.

    Args:
        lateness: How far each running session is behind real time. A file that is sent faster
            than it plays is not late as long as it is heard as fast as it plays.
        settings: Of this server.
    """
    if len(lateness) >= settings.max_sessions:
        return overload(
            settings,
            "This server has no room for another session",
            expected=f"at most {settings.max_sessions} sessions",
            got=f"{len(lateness)} already",
        )
    behind_ms = to_ms(int(median(lateness))) if lateness else 0
    if behind_ms > settings.max_lag_ms:
        return overload(
            settings,
            "This server cannot keep up with the sessions it has",
            expected=f"at most {settings.max_lag_ms} ms behind",
            got=f"{behind_ms} ms",
        )
    return None


def overload(settings: Settings, message: str, *, expected: str, got: str) -> Overload:
    """Return a refusal that says when to come again."""
    return Overload(
        ErrorCode.OVERLOADED,
        message,
        expected=expected,
        got=got,
        retry_after_ms=settings.retry_after_ms,
    )
