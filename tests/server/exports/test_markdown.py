"""Markdown shows people's text as it is, as CommonMark's reference for Python reads it."""

from itertools import pairwise

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from server.exports.markdown import write_markdown
from server.exports.transcript import ExportedTranscript
from server.exports.wording import clock, lines, speaker_name, spoken, summary, title
from tests.server.exports.transcripts import ADA, TALK, hostile_transcripts, transcript

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def read(written: bytes) -> list[tuple[str, str]]:
    """Return each block's kind and text; bold text stands between ●."""
    tokens = READER.parse(written.decode())
    assert {token.type for token in tokens} <= {
        "heading_open",
        "heading_close",
        "paragraph_open",
        "paragraph_close",
        "inline",
    }
    return [
        (opening.tag, "".join(map(shown, token.children or [])))
        for opening, token in pairwise(tokens)
        if token.type == "inline"
    ]


def shown(token: Token) -> str:
    marks = {"strong_open": "●", "strong_close": "●", "hardbreak": "\n"}
    if token.type in marks:
        return marks[token.type]
    assert token.type in {"text", "text_special"}, token.type
    return token.content


def test_a_talk_is_written_turn_by_turn() -> None:
    assert write_markdown(transcript(TALK[:2])).decode() == (
        "# Weekly\n"
        "\n"
        "2026-11-22 21:54 UTC · 0:00:04 · en\n"
        "\n"
        "**Ada** (0:00:01)\n"
        "\n"
        "Good morning, everybody.\n"
        "\n"
        "**Bob** (0:00:02)\n"
        "\n"
        "Hello Ada! really Shall we begin?\n"
    )


def test_an_empty_transcript_is_its_title() -> None:
    assert read(write_markdown(transcript())) == [
        ("h1", "Weekly"),
        ("p", "2026-11-22 21:54 UTC · 0:00:00 · en"),
    ]


@pytest.mark.parametrize(
    "text",
    ["1. one", "2) two", "- a", "+ a", "* a", "# a", "===", "---", "> a", "| a |", ": a", "a\\"],
)
def test_the_start_of_a_line_has_no_meaning(text: str) -> None:
    blocks = read(write_markdown(transcript([(ADA, f"x\n{text}\n{text}")])))

    assert blocks[-1] == ("p", f"x\n{text}\n{text}")


@pytest.mark.slow
@given(hostile_transcripts())
def test_text_and_names_are_shown_as_they_are(said: ExportedTranscript) -> None:
    expected = [("h1", title(said)), ("p", summary(said))]
    for timed in spoken(said):
        name = speaker_name(said, timed.turn.speaker)
        time = f"({clock(timed.tokens[0].start_ms)})"
        expected += [("p", f"●{name}● {time}" if name else time)]
        expected += [("p", "\n".join(lines(timed.turn.text)))]

    assert read(write_markdown(said)) == expected
