"""What holds for every format."""

import pytest

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
