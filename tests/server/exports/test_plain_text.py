"""Plain text is read by people, and can be taken apart by its blank lines."""

import re

import pytest
from hypothesis import given

from server.exports.plain_text import write_plain_text
from server.exports.transcript import ExportedTranscript
from server.exports.wording import lines, spoken
from tests.server.exports.transcripts import ADA, TALK, hostile_transcripts, transcript

HEAD = re.compile(r"\[\d+:\d\d:\d\d\]( \S.*)?")


def test_a_talk_is_written_turn_by_turn() -> None:
    assert write_plain_text(transcript(TALK)).decode() == (
        "Weekly\n"
        "2026-11-22 21:54 UTC · 0:00:06 · en\n"
        "\n"
        "[0:00:01] Ada\n"
        "Good morning, everybody.\n"
        "\n"
        "[0:00:02] Bob\n"
        "Hello Ada! really Shall we begin?\n"
        "\n"
        "[0:00:05] Bob\n"
        "I have slides.\n"
        "\n"
        "[0:00:06] Ada\n"
        "Yes.\n"
    )


def test_an_empty_transcript_is_its_title() -> None:
    assert write_plain_text(transcript(title="")).decode() == (
        "Transcript\n2026-11-22 21:54 UTC · 0:00:00 · en\n"
    )


def test_hours_go_on_beyond_a_day() -> None:
    late = transcript([(ADA, "Late.")], start_ms=100 * 3_600_000)

    assert "[100:00:00] Ada\n" in write_plain_text(late).decode()


@pytest.mark.slow
@given(hostile_transcripts())
def test_turns_are_told_apart_whatever_they_say(said: ExportedTranscript) -> None:
    blocks = write_plain_text(said).decode().removesuffix("\n").split("\n\n")[1:]

    assert [block.split("\n")[1:] for block in blocks] == [
        lines(timed.turn.text) for timed in spoken(said)
    ]
    assert all(HEAD.fullmatch(block.split("\n")[0]) for block in blocks)
