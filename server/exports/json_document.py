"""A transcript as JSON, for programs; this is its schema, version 1.

    {
      "schema": "trax.transcript", "version": 1,
      "id": "...", "title": "...", "language": "de" or null,
      "started_ms": Unix time at which its clock starts,
      "duration_ms": ...,
      "speakers": [{"id": "s1", "name": "...", "colour": "..." or null}, ...],
      "turns": [
        {
          "id": "..." or null, for text before the first turn,
          "speaker": "s1" or null,
          "start_ms": ..., "end_ms": ...,
          "text": "...",
          "words": [
            {
              "text": with the space before it: joined, the words are the turn's text,
              "start_ms": ..., "end_ms": ...,
              "confidence": 0 to 1000, or null where people typed,
              "edited": whether people typed it
            }, ...
          ]
        }, ...
      ],
      "notes": "..." as people wrote them, in Markdown, or ""
    }

Times are whole milliseconds on the transcript's clock. Turns are in the order of the document; one
without text is left out. Fields may be added; a change of what one means is another version.
"""

from __future__ import annotations

import json

from server.alignment import TimedToken, TimedTurn
from server.exports.transcript import ExportedTranscript

Fields = dict[str, object]


def write_json(transcript: ExportedTranscript) -> bytes:
    """Return the transcript as JSON in UTF-8."""
    speakers = transcript.speakers.values()
    fields: Fields = {
        "schema": "trax.transcript",
        "version": 1,
        "id": transcript.id,
        "title": transcript.title,
        "language": transcript.language,
        "started_ms": transcript.started_ms,
        "duration_ms": transcript.duration_ms,
        "speakers": [
            {"id": speaker.id, "name": speaker.name, "colour": speaker.colour}
            for speaker in speakers
        ],
    }
    # Turn by turn: one call for hours of speech would keep every other thread waiting for it.
    turns = ",".join(_written(_turn(timed)) for timed in transcript.turns if timed.tokens)
    notes = _written({"notes": transcript.notes}).removeprefix("{")
    written = f'{_written(fields).removesuffix("}")},"turns":[{turns}],{notes}\n'
    # Half of a surrogate pair cannot be encoded, but JSON has the same escape for it as Python.
    return written.encode(errors="backslashreplace")


def _written(fields: Fields) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _turn(timed: TimedTurn) -> Fields:
    return {
        "id": timed.turn.id,
        "speaker": timed.turn.speaker,
        "start_ms": min(token.start_ms for token in timed.tokens),
        "end_ms": max(token.end_ms for token in timed.tokens),
        "text": timed.turn.text,
        "words": [_word(token) for token in timed.tokens],
    }


def _word(token: TimedToken) -> Fields:
    return {
        "text": token.text,
        "start_ms": token.start_ms,
        "end_ms": token.end_ms,
        "confidence": token.confidence,
        "edited": token.source is None,
    }
