"""A transcript as plain text.

The title, a line about the transcript, then the turns: a blank line, `[0:03:07] Ada`, and at least
one line of text without blank lines in between, so that programs can tell turns apart as well. At
the end `Notes`, if there are any, and their lines, likewise.
"""

from __future__ import annotations

from server.alignment import TimedTurn
from server.exports.transcript import ExportedTranscript
from server.exports.wording import (
    NOTES,
    clock,
    lines,
    note_lines,
    speaker_name,
    spoken,
    summary,
    title,
)


def write_plain_text(transcript: ExportedTranscript) -> bytes:
    """Return the transcript as plain text in UTF-8."""
    blocks = [
        f"{title(transcript)}\n{summary(transcript)}",
        *(_turn(transcript, timed) for timed in spoken(transcript)),
    ]
    if notes := note_lines(transcript):
        blocks.append("\n".join([NOTES, *notes]))
    return ("\n\n".join(blocks) + "\n").encode()


def _turn(transcript: ExportedTranscript, timed: TimedTurn) -> str:
    head = f"[{clock(timed.tokens[0].start_ms)}] {speaker_name(transcript, timed.turn.speaker)}"
    return "\n".join([head.rstrip(), *lines(timed.turn.text)])
