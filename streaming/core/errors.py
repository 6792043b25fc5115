"""Errors of the core: all of them mistakes of the caller.

CoreError
├── BacklogFull      more audio than the session said it has room for
└── SessionFinished  audio after the end
"""

from __future__ import annotations

from streaming.core.domain import Samples


class CoreError(Exception):
    """Base of the core's errors."""


class BacklogFull(CoreError):
    """More audio was fed than `StreamSession.room` allows; none of it was taken."""

    def __init__(self, room: Samples, fed: int) -> None:
        """Keep what was allowed and what came, in samples."""
        super().__init__(f"at most {room} samples expected, got {fed}")
        self.room = room
        self.fed = fed


class SessionFinished(CoreError):
    """Audio or a flush came after `StreamSession.finish`."""
