"""How names and text of people are written down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.domain import SpeakerId
from server.exports.wording import clock, lines, one_line, printable, speaker_name, summary, title
from tests.server.exports.transcripts import ADA, exported, transcript


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  a \t b\r\nc\u2028d ", "a b c d"),
        ("a\x00\x07\x1f\x7f\x9f\ufffe\ud800b", "ab"),
        ("10\u00a0000", "10\u00a0000"),
        ("\n", ""),
    ],
)
def test_a_text_fits_on_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_lines_that_say_nothing_are_left_out() -> None:
    assert lines(" a \r\n\n\x01\n\v b") == ["a", "b"]


@given(st.text())
def test_printable_text_can_be_encoded_and_has_one_kind_of_line_break(text: str) -> None:
    shown = printable(text)

    assert shown.encode().decode() == shown
    assert shown.splitlines() == shown.removesuffix("\n").split("\n") or not shown


def test_a_speaker_without_a_name_is_called_by_the_id() -> None:
    said = transcript(ada=" \n ")

    assert speaker_name(said, ADA) == "s1"
    assert speaker_name(said, SpeakerId("s9")) == "s9"
    assert speaker_name(said, None) == ""


def test_a_name_cannot_turn_the_text_after_it_around() -> None:
    assert speaker_name(transcript(ada="\u202eE\u2067v\u202ce\u200f"), ADA) == "Eve\u200f"


def test_a_title_is_never_empty() -> None:
    assert title(transcript(title="\x00 ")) == "Transcript"
    assert title(transcript(title="A\nB")) == "A B"


def test_the_summary_leaves_out_what_nobody_knows() -> None:
    said = exported([], [])

    assert summary(said).endswith("0:00:00 · en")


def test_hours_are_not_limited() -> None:
    assert clock(1_000 * 3_600_000 + 61_999) == "1000:01:01"
