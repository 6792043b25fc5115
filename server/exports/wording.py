"""How names, times and text are written in files that people read.

A name or a title that people gave is one line, whatever was pasted into it. Characters that no
file can hold (control characters, halves of surrogate pairs, noncharacters) are dropped.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from offline.domain import SpeakerId
from server.alignment import TimedTurn
from server.exports.transcript import ExportedTranscript

UNTITLED = "Transcript"
"""Title of a transcript without one."""

NOTES = "Notes"
"""What stands above people's notes."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_BREAK = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# No-break spaces are part of how some languages write: « oui ».
_SPACE = re.compile(r"[^\S\u00a0\u2007\u202f]+")
# Unclosed, they would turn around what the file says after the name.
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return a text without the characters that no file can hold, with `LF` line breaks."""
    return _LINE_BREAK.sub("\n", _UNPRINTABLE.sub("", text))


def one_line(text: str) -> str:
    """Return a text on one line, with single spaces."""
    return _SPACE.sub(" ", printable(text)).strip()


def lines(text: str) -> list[str]:
    """Return the lines of a text that say something, each with single spaces."""
    return [line for line in map(one_line, printable(text).split("\n")) if line]


def spoken(transcript: ExportedTranscript) -> list[TimedTurn]:
    """Return the turns that have anything to read."""
    return [timed for timed in transcript.turns if one_line(timed.turn.text)]


def note_lines(transcript: ExportedTranscript) -> list[str]:
    """Return the lines of the notes that say something, as people indented them."""
    return [line.rstrip() for line in printable(transcript.notes).split("\n") if line.strip()]


def title(transcript: ExportedTranscript) -> str:
    """Return a transcript's title, never empty."""
    return _label(transcript.title) or UNTITLED


def speaker_name(transcript: ExportedTranscript, speaker: SpeakerId | None) -> str:
    """Return how a speaker is called: the id for want of a name, nothing for nobody."""
    if speaker is None:
        return ""
    known = transcript.speakers.get(speaker)
    return (_label(known.name) if known is not None else "") or _label(speaker)


def summary(transcript: ExportedTranscript) -> str:
    """Return when a transcript began, how long it is and in which language, on one line."""
    parts = [f"{started(transcript):%Y-%m-%d %H:%M} UTC", clock(transcript.duration_ms)]
    if transcript.language is not None:
        parts.append(_label(transcript.language))
    return " · ".join(part for part in parts if part)


def started(transcript: ExportedTranscript) -> datetime:
    """Return when a transcript began, in UTC, to the second."""
    return datetime.fromtimestamp(transcript.started_ms // 1000, UTC)


def clock(at_ms: int) -> str:
    """Return a time for readers: `0:03:07`; hours go on beyond 24."""
    minutes, seconds = divmod(at_ms // 1000, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _label(text: str) -> str:
    return one_line(_DIRECTION.sub("", text))
