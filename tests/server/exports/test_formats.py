"""What holds for every format."""

from dataclasses import replace
from io import BytesIO

import pytest
from docx import Document

from server.exports.formats import ExportFormat, export
from tests.server.exports.transcripts import TALK, transcript

every_format = pytest.mark.parametrize("file_format", list(ExportFormat))


@every_format
def test_a_format_has_a_media_type_and_a_suffix(file_format: ExportFormat) -> None:
    assert file_format.media_type.split("/")[0] in {"application", "text"}
    assert file_format.suffix == f".{file_format.value}"


@every_format
def test_the_same_transcript_gives_the_same_bytes(file_format: ExportFormat) -> None:
    assert export(transcript(TALK), file_format) == export(transcript(TALK), file_format)
    assert export(transcript(TALK), file_format) != export(transcript(TALK[:1]), file_format)


@pytest.mark.parametrize(
    ("file_format", "shown"),
    [
        (ExportFormat.JSON, '"notes":"# Agreed\\n\\n- *Ship* it\\u0001\\n"}\n'),
        (ExportFormat.TXT, "Yes.\n\nNotes\n# Agreed\n- *Ship* it\n"),
        (ExportFormat.MD, "Yes.\n\n## Notes\n\n# Agreed\n\n- *Ship* it\n"),
    ],
)
def test_notes_stand_at_the_end(file_format: ExportFormat, shown: str) -> None:
    noted = replace(transcript(TALK), notes="# Agreed\n\n- *Ship* it\x01\n")

    assert export(noted, file_format).decode().endswith(shown)


def test_notes_stand_at_the_end_of_a_word_document() -> None:
    noted = replace(transcript(TALK), notes="# Agreed\n\n- *Ship* it\x01\n")
    document = Document(BytesIO(export(noted, ExportFormat.DOCX)))

    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts[-4:] == ["Yes.", "Notes", "# Agreed", "- *Ship* it"]
    heading = document.paragraphs[-3].style
    assert heading is not None
    assert heading.name == "Heading 1"


@pytest.mark.parametrize("file_format", [ExportFormat.TXT, ExportFormat.MD, ExportFormat.DOCX])
def test_without_notes_there_is_no_heading(file_format: ExportFormat) -> None:
    blank = replace(transcript(TALK), notes=" \n")

    assert export(blank, file_format) == export(transcript(TALK), file_format)
