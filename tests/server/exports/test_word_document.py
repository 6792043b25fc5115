"""Documents for Word, as python-docx reads them."""

from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZipFile

import pytest
from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml.ns import qn
from hypothesis import given

from offline.domain import Run, Turn
from server.exports.transcript import ExportedTranscript
from server.exports.word_document import write_word_document
from server.exports.wording import clock, printable, speaker_name, spoken, summary, title
from tests.server.exports.transcripts import (
    ADA,
    TALK,
    exported,
    hostile_transcripts,
    transcript,
)


def read(written: bytes) -> WordDocument:
    return Document(BytesIO(written))


def texts(document: WordDocument) -> list[str]:
    return [paragraph.text for paragraph in document.paragraphs]


def test_a_talk_is_written_turn_by_turn() -> None:
    document = read(write_word_document(transcript(TALK[:2])))

    assert texts(document) == [
        "Weekly",
        "2026-11-22 21:54 UTC · 0:00:04 · en",
        "Ada  0:00:01",
        "Good morning, everybody.",
        "Bob  0:00:02",
        "Hello Ada! really Shall we begin?",
    ]
    assert [run.text for run in document.paragraphs[2].runs if run.bold] == ["Ada"]


def test_a_title_is_never_taken_for_the_place_of_the_turns() -> None:
    document = read(write_word_document(transcript(TALK[:1], title="turns")))

    assert texts(document)[0] == "turns"
    assert texts(document)[-1] == "Good morning, everybody."


def test_a_document_says_what_it_is_and_when_it_was_said() -> None:
    properties = read(write_word_document(transcript(title="x" * 300))).core_properties

    assert properties.title == "x" * 255
    assert properties.author == ""
    assert properties.created == datetime(2026, 11, 22, 21, 54, tzinfo=UTC)


def test_an_empty_transcript_is_its_title() -> None:
    assert texts(read(write_word_document(transcript()))) == [
        "Weekly",
        "2026-11-22 21:54 UTC · 0:00:00 · en",
    ]


def test_highlights_are_kept() -> None:
    runs = (
        Run("\n", highlight="red"),
        Run(" plain ", None),
        Run("red", highlight="red"),
        Run("hex", highlight="#ffEE00"),
        Run("odd\nline ", highlight="inherited"),
        Run("  "),
    )
    said = read(write_word_document(exported([Turn(None, ADA, runs)], []))).paragraphs[-1]

    assert [(run.text, run.font.highlight_color) for run in said.runs] == [
        ("plain ", None),
        ("red", WD_COLOR_INDEX.RED),
        ("hex", None),
        ("odd\nline", WD_COLOR_INDEX.YELLOW),
    ]
    [shade] = said.runs[2].font.element.iter(qn("w:shd"))
    assert shade.get(qn("w:fill")) == "FFEE00"


@pytest.mark.parametrize("started_ms", [0, 1_795_384_441_000])
def test_a_document_shows_no_trace_of_when_it_was_written(started_ms: int) -> None:
    said = transcript(TALK)
    said = ExportedTranscript(
        said.id, said.title, None, started_ms, said.duration_ms, said.speakers, said.turns
    )
    with ZipFile(BytesIO(write_word_document(said))) as archive:
        stamps = {info.date_time for info in archive.infolist()}

    assert stamps == {(2026, 11, 22, 21, 54, 0) if started_ms else (1980, 1, 1, 0, 0, 0)}


@pytest.mark.slow
@given(hostile_transcripts())
def test_text_and_names_are_shown_as_they_are(said: ExportedTranscript) -> None:
    expected = [title(said), summary(said)]
    for timed in spoken(said):
        name = speaker_name(said, timed.turn.speaker)
        time = clock(timed.tokens[0].start_ms)
        expected.append(f"{name}  {time}" if name else time)
        expected.append(printable(timed.turn.text).strip())

    assert texts(read(write_word_document(said))) == expected
