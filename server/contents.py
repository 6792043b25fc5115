"""What belongs to a document, but is not in it."""

from __future__ import annotations

from dataclasses import dataclass

from offline.decisions import Decision
from offline.domain import PassId, PassWord, WordRef
from server.yjs.landmarks import Landmarks


@dataclass(frozen=True, slots=True)
class Contents:
    """What a room knows besides its document; owned by the room.

    Attributes:
        passes: The words of every pass over the transcript's audio.
        sessions: Whose audio each of these passes heard, if it was one session's.
        asked_for: Which of these passes somebody asked for: over passages, and over files.
        decisions: What became of the hunks of these passes.
        aliases: For words in the text, the later words that tell their times.
        machines: Client ids under which servers ever wrote, those of this one included.
        writer: The one of them under which this server writes what was heard.
        landmarks: Of all updates that the document consists of.
        size_bytes: Of the document when it was opened.
    """

    passes: dict[PassId, list[PassWord]]
    sessions: dict[PassId, str]
    asked_for: set[PassId]
    decisions: list[Decision]
    aliases: dict[WordRef, WordRef]
    machines: frozenset[int]
    writer: int
    landmarks: Landmarks
    size_bytes: int
