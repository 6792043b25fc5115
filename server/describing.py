"""What lists and searches are to know of a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from offline.domain import PassId, PassWord
from server.storage.values import Description
from server.transcript import Transcript

LONGEST_TITLE = 300
LONGEST_LANGUAGE = 35
"""Characters of what lists show; the longest language tags have 35 (RFC 5646, section 4.4.1)."""


def describe(transcript: Transcript, passes: Mapping[PassId, Sequence[PassWord]]) -> Description:
    """Return what is to be known of a document now."""
    return Description(
        title=_shown(transcript.meta("title") or "", LONGEST_TITLE),
        language=_shown(transcript.meta("language") or "", LONGEST_LANGUAGE) or None,
        text=f"{transcript.text}\n{transcript.notes}",
        speakers=len(set(transcript.turn_speakers().values())),
        duration_ms=max((words[-1].end_ms for words in passes.values() if words), default=0),
    )


def _shown(text: str, longest: int) -> str:
    """Return what lists show of a text that people may have typed: a short line."""
    return "".join(filter(str.isprintable, text[:longest]))
