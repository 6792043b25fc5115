"""A transcript as Markdown, after https://spec.commonmark.org/0.31.2/.

People's text is shown as it is, never interpreted: whatever has a meaning in CommonMark, or in the
tables and formulas that are common besides, is escaped with a backslash. Only their notes, which
are Markdown and stand at the end, are left as they are.
"""

from __future__ import annotations

import re

from server.alignment import TimedTurn
from server.exports.transcript import ExportedTranscript
from server.exports.wording import (
    NOTES,
    clock,
    lines,
    note_lines,
    printable,
    speaker_name,
    spoken,
    summary,
    title,
)

_SPECIAL = re.compile(r"[\\`*_\[\]<>&~|$#]")
# Lists, definitions, and lines under headings: these only at the start of a line.
_SPECIAL_AT_START = re.compile(r"^(?:(\d+)(?=[.)])|(?=[-+=:]))")


def write_markdown(transcript: ExportedTranscript) -> bytes:
    """Return the transcript as Markdown in UTF-8."""
    blocks = [
        f"# {_escape(title(transcript))}",
        _escape(summary(transcript)),
        *(_turn(transcript, timed) for timed in spoken(transcript)),
    ]
    if note_lines(transcript):
        blocks.append(f"## {NOTES}\n\n{printable(transcript.notes).strip()}")
    return ("\n\n".join(blocks) + "\n").encode()


def _turn(transcript: ExportedTranscript, timed: TimedTurn) -> str:
    name = speaker_name(transcript, timed.turn.speaker)
    bold = f"**{_escape(name)}** " if name else ""
    # A backslash at the end of a line breaks it.
    said = "\\\n".join(_escape(line) for line in lines(timed.turn.text))
    return f"{bold}({clock(timed.tokens[0].start_ms)})\n\n{said}"


def _escape(line: str) -> str:
    return _SPECIAL_AT_START.sub(r"\1\\", _SPECIAL.sub(r"\\\g<0>", line))
