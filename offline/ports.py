"""What the accurate pass needs of the world around it, as small protocols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from streaming.core.domain import Pcm, Samples, Span

Progress = Callable[[float], None]
"""Is told what part (0..1) of a task is done, rising; what it raises ends the task."""


class AudioSource(Protocol):
    """The audio of one session, addressed by the session's clock, however long it is."""

    @property
    def samples(self) -> Samples:
        """Its length."""
        ...

    def read(self, span: Span) -> Pcm:
        """Return a stretch, exactly as long as `span`; what lies outside of the audio is silence.

        Args:
            span: At most about a minute at a time: it is held in memory, 64 kB a second.
        """
        ...
