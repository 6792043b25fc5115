"""What is to be heard again, and how far that is: the values that everybody around a job speaks in.

A job is kept in the database, which is the truth about it; what travels to a worker is its id
alone. Its life::

    WAITING -> RUNNING -> HEARD -> DONE
       ^          |         |
       +--retry---+         +-> DONE also where nothing was to change
                  +-> FAILED, to be retried by hand
    any of the first three -> CANCELLED

`HEARD` means that a worker is done and that the document does not show it yet: workers never write
into documents, because only one server at a time does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class JobKind(Enum):
    """Why something is heard again."""

    STRETCH = "stretch"
    """A closed stretch of a session that goes on."""
    RECORDING = "recording"
    """A whole session, once it is over."""
    PASSAGE = "passage"
    """A span that somebody asked for."""
    UPLOAD = "upload"
    """A file that somebody sent, which nobody has heard yet."""


class JobState(Enum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    HEARD = "heard"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing happens to it any more by itself."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is to do: all of it, so that doing it twice gives the same.

    Attributes:
        kind: Why.
        transcript: Whose document is to be corrected.
        session: Whose audio is to be heard.
        start_ms: On the session's clock; 0 is its first sample.
        end_ms: Likewise, excluded; `None` for its end.
        model: Which recognizer, where somebody chose one; `None` for what the pass has.
        language: ISO 639-1 code; `None` to detect it.
        hotwords: Words to favour.
        diarization: Whether speakers are told apart.
    """

    kind: JobKind
    transcript: str
    session: str
    start_ms: int = 0
    end_ms: int | None = None
    model: str | None = None
    language: str | None = None
    hotwords: tuple[str, ...] = ()
    diarization: bool = True
