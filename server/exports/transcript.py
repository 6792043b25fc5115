"""What is exported: a transcript as it stands, with its times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offline.domain import Speaker, SpeakerId
from server.alignment import TimedTurn


@dataclass(frozen=True, slots=True)
class ExportedTranscript:
    """A transcript with everything that its files say of it.

    Attributes:
        id: Of the transcript.
        title: As people wrote it; may be empty.
        language: Its code, if known.
        started_ms: When its clock started, in Unix milliseconds.
        duration_ms: From there to the end of the last session.
        speakers: With the names that people see. Turns may have speakers that are missing here.
        turns: In the order of the document, from `server.alignment.align`.
        notes: What people wrote about it, in Markdown; may be empty.
    """

    id: str
    title: str
    language: str | None
    started_ms: int
    duration_ms: int
    speakers: Mapping[SpeakerId, Speaker]
    turns: Sequence[TimedTurn]
    notes: str = ""
