"""A transcript as a document for Microsoft Word and its like (Office Open XML).

Of what people marked, highlights are kept. The only module that knows python-docx.
"""

from __future__ import annotations

import re
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml.ns import qn
from docx.oxml.parser import OxmlElement
from docx.shared import Pt, RGBColor
from docx.text.run import Run as WordRun

from offline.domain import Turn
from server.alignment import TimedTurn
from server.exports.transcript import ExportedTranscript
from server.exports.wording import (
    clock,
    printable,
    speaker_name,
    spoken,
    started,
    summary,
    title,
)

LONGEST_PROPERTY = 255
"""Characters of a document property, as Word allows."""

ZIP_EPOCH = 1980
"""The first year of dates in a zip archive, which such a document is."""

_NAMED_COLOURS = {
    "blue": WD_COLOR_INDEX.BLUE,
    "cyan": WD_COLOR_INDEX.TURQUOISE,
    "green": WD_COLOR_INDEX.BRIGHT_GREEN,
    "grey": WD_COLOR_INDEX.GRAY_25,
    "magenta": WD_COLOR_INDEX.PINK,
    "pink": WD_COLOR_INDEX.PINK,
    "purple": WD_COLOR_INDEX.VIOLET,
    "red": WD_COLOR_INDEX.RED,
    "teal": WD_COLOR_INDEX.TEAL,
    "violet": WD_COLOR_INDEX.VIOLET,
    "yellow": WD_COLOR_INDEX.YELLOW,
}
_GREY = RGBColor(0x70, 0x70, 0x70)
_HEX_COLOUR = re.compile(r"#([0-9A-Fa-f]{6})")


def write_word_document(transcript: ExportedTranscript) -> bytes:
    """Return the transcript as .docx."""
    document = Document()
    _describe(document, transcript)
    document.add_heading(title(transcript), level=0)
    document.add_paragraph(summary(transcript), style="Subtitle")
    for timed in spoken(transcript):
        _add_turn(document, speaker_name(transcript, timed.turn.speaker), timed)
    written = BytesIO()
    document.save(written)
    return _with_time(written, transcript)


def _describe(document: WordDocument, transcript: ExportedTranscript) -> None:
    properties = document.core_properties
    properties.title = title(transcript)[:LONGEST_PROPERTY]
    properties.author = properties.comments = properties.last_modified_by = ""
    properties.created = properties.modified = started(transcript)


def _add_turn(document: WordDocument, name: str, timed: TimedTurn) -> None:
    head = document.add_paragraph()
    head.paragraph_format.keep_with_next = True
    head.paragraph_format.space_after = Pt(0)
    if name:
        head.add_run(name).bold = True
        head.add_run("  ")
    time = head.add_run(clock(timed.tokens[0].start_ms))
    time.font.size = Pt(9)
    time.font.color.rgb = _GREY
    said = document.add_paragraph()
    for text, highlight in _parts(timed.turn):
        run = said.add_run(text)  # Line breaks become those of Word.
        if highlight is not None:
            _highlight(run, highlight)


def _parts(turn: Turn) -> list[tuple[str, str | None]]:
    """Return a turn's text by highlights, without the space around all of it."""
    parts = [(printable(run.text), run.highlight) for run in turn.runs]
    while not parts[0][0].strip():
        del parts[0]
    while not parts[-1][0].strip():
        del parts[-1]
    parts[0] = parts[0][0].lstrip(), parts[0][1]
    parts[-1] = parts[-1][0].rstrip(), parts[-1][1]
    return parts


def _highlight(run: WordRun, colour: str) -> None:
    """Highlight a run in a colour with a name or a number, or in yellow."""
    number = _HEX_COLOUR.fullmatch(colour)
    if number is None:
        run.font.highlight_color = _NAMED_COLOURS.get(colour.lower(), WD_COLOR_INDEX.YELLOW)
    else:
        shade = OxmlElement("w:shd")
        shade.set(qn("w:val"), "clear")
        shade.set(qn("w:fill"), number[1].upper())
        run.font.element.get_or_add_rPr().append(shade)


def _with_time(written: BytesIO, transcript: ExportedTranscript) -> bytes:
    """Return the archive with the transcript's time on every file, instead of the present one."""
    then = started(transcript).replace(year=max(started(transcript).year, ZIP_EPOCH))
    stamp = then.year, then.month, then.day, then.hour, then.minute, then.second
    stamped = BytesIO()
    with ZipFile(written) as source, ZipFile(stamped, "w") as target:
        for name in source.namelist():
            target.writestr(ZipInfo(name, stamp), source.read(name), ZIP_DEFLATED)
    return stamped.getvalue()
