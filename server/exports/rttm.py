"""Who spoke when, as RTTM: one line for each stretch of one speaker's speech.

Rich Transcription Time Marked, of NIST's Rich Transcription evaluations (RTTM Format Specification,
version 13, 2003): ten fields divided by spaces. File and speakers are named by their ids, not by
what people call them, because two people may have the same name.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from offline.domain import SpeakerId
from server.alignment import AudioSpan, TimedTurn
from server.exports.transcript import ExportedTranscript

PAUSE_MS = 300
"""A shorter pause does not end a stretch; those evaluations smooth over them as well."""

UNKNOWN = "unknown"
"""Whoever spoke where nobody knows."""


def write_rttm(transcript: ExportedTranscript) -> bytes:
    """Return the transcript's stretches in order of time."""
    stretches = sorted(
        (span.start_ms, span.end_ms, _name(timed.turn.speaker or SpeakerId(UNKNOWN)))
        for timed in transcript.turns
        for span in _stretches(timed)
    )
    file = _name(transcript.id)
    return "".join(
        f"SPEAKER {file} 1 {_seconds(start)} {_seconds(end - start)} <NA> <NA> {name} <NA> <NA>\n"
        for start, end, name in stretches
    ).encode()


def _stretches(timed: TimedTurn) -> Iterator[AudioSpan]:
    """Yield when a turn is spoken; text without duration is not."""
    stretch: AudioSpan | None = None
    for token in sorted(timed.tokens, key=lambda token: token.start_ms):
        if token.start_ms == token.end_ms:
            continue
        if stretch is None or token.start_ms - stretch.end_ms >= PAUSE_MS:
            if stretch is not None:
                yield stretch
            stretch = AudioSpan(token.start_ms, token.end_ms)
        else:
            stretch = AudioSpan(stretch.start_ms, max(stretch.end_ms, token.end_ms))
    if stretch is not None:
        yield stretch


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03}"


def _name(text: str) -> str:
    """Return a name that is one field, and another one for every other text."""
    return quote(text, safe="", errors="surrogatepass") or "<NA>"
