"""JSON says everything, as its schema has it."""

import json
from typing import Any

import pytest
from hypothesis import given

from server.exports.json_document import write_json
from server.exports.transcript import ExportedTranscript
from tests.server.exports.transcripts import ADA, STARTED_MS, hostile_transcripts, transcript


def read(written: bytes) -> dict[str, Any]:
    fields = json.loads(written)
    assert isinstance(fields, dict)
    return fields


def test_all_fields_are_written() -> None:
    said = transcript([(ADA, "Good [new] day")])

    assert read(write_json(said)) == {
        "schema": "trax.transcript",
        "version": 1,
        "id": "T-1",
        "title": "Weekly",
        "language": "en",
        "started_ms": STARTED_MS,
        "duration_ms": 1800,
        "speakers": [
            {"id": "s1", "name": "Ada", "colour": "#aa0000"},
            {"id": "s2", "name": "Bob", "colour": None},
        ],
        "turns": [
            {
                "id": "t0",
                "speaker": "s1",
                "start_ms": 1000,
                "end_ms": 1800,
                "text": "Good new day",
                "words": [
                    word("Good", 1000, 1300, 900, edited=False),
                    word(" new", 1300, 1500, None, edited=True),
                    word(" day", 1500, 1800, 900, edited=False),
                ],
            }
        ],
        "notes": "",
    }


def word(
    text: str, start_ms: int, end_ms: int, confidence: int | None, *, edited: bool
) -> dict[str, object]:
    return {
        "text": text,
        "start_ms": start_ms,
        "end_ms": end_ms,
        "confidence": confidence,
        "edited": edited,
    }


def test_an_empty_transcript_has_no_turns() -> None:
    assert read(write_json(transcript([(ADA, "")])))["turns"] == []


@pytest.mark.slow
@given(hostile_transcripts())
def test_text_and_names_come_back_as_they_are(said: ExportedTranscript) -> None:
    fields = read(write_json(said))

    spoken = [timed for timed in said.turns if timed.turn.text]
    assert [turn["text"] for turn in fields["turns"]] == [timed.turn.text for timed in spoken]
    assert [turn["speaker"] for turn in fields["turns"]] == [t.turn.speaker for t in spoken]
    assert [speaker["name"] for speaker in fields["speakers"]] == [
        speaker.name for speaker in said.speakers.values()
    ]
    for turn in fields["turns"]:
        assert "".join(word["text"] for word in turn["words"]) == turn["text"]
        for word in turn["words"]:
            assert turn["start_ms"] <= word["start_ms"] <= word["end_ms"] <= turn["end_ms"]
