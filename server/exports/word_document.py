"""A transcript as a document for Microsoft Word and its like (Office Open XML).

Of what people marked, highlights are kept. The only module that knows python-docx.

The tree of three hours of speech would be written, and freed, in one call each, in which nothing
else of the process runs for 30 ms; and each paragraph takes longer the more there are. So every
turn is written by itself and taken out of the tree; in the end all are put where one paragraph
stands for them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_COLOR_INDEX
from docx.opc.oxml import serialize_part_xml
from docx.oxml.ns import qn
from docx.oxml.parser import OxmlElement
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Pt, RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run as WordRun

from offline.domain import Turn
from server.alignment import TimedTurn
from server.exports.transcript import ExportedTranscript
from server.exports.wording import (
    NOTES,
    clock,
    note_lines,
    printable,
    speaker_name,
    spoken,
    started,
    summary,
    title,
)

LONGEST_PROPERTY = 255
"""Characters of a document property, as Word allows."""

BODY = "word/document.xml"
PLACE = "turns"
"""Text of the paragraph in whose place the turns are put, which is the last one."""

_PLACE = re.compile(rb"<w:p>(?:(?!</?w:p>).)*<w:t>turns</w:t>(?:(?!</?w:p>).)*</w:p>(?=<w:sectPr)")
_NAMESPACE = re.compile(rb' xmlns:\w+="[^"]*"')

BREATH_S = 1e-4
"""How long it is waited after each turn. lxml lets go of Python again and again, for less time
than another thread takes to wake up, and each time the wait begins anew after which Python would
let that thread in: the event loop was 50 ms late. With this it is 12 ms at most, for a quarter
more time."""

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
    turns = [
        _turn(document, speaker_name(transcript, timed.turn.speaker), timed)
        for timed in spoken(transcript)
    ]
    turns += _notes(document, note_lines(transcript))
    document.add_paragraph(PLACE)
    written = BytesIO()
    document.save(written)
    return _completed(written, b"".join(turns), transcript)


def _describe(document: WordDocument, transcript: ExportedTranscript) -> None:
    properties = document.core_properties
    properties.title = title(transcript)[:LONGEST_PROPERTY]
    properties.author = properties.comments = properties.last_modified_by = ""
    properties.created = properties.modified = started(transcript)


def _turn(document: WordDocument, name: str, timed: TimedTurn) -> bytes:
    """Return what stands in the document for a turn."""
    _write_turn(document.add_paragraph(), document.add_paragraph(), name, timed)
    return _taken(document, 2)


def _notes(document: WordDocument, notes: Sequence[str]) -> list[bytes]:
    """Return what stands in the document for people's notes, line by line."""
    if not notes:
        return []
    document.add_heading(NOTES, level=1)
    found = [_taken(document, 1)]
    for line in notes:
        document.add_paragraph(line)
        found.append(_taken(document, 1))
    return found


def _taken(document: WordDocument, paragraphs: int) -> bytes:
    """Take the last paragraphs out of the document again, as they stand there."""
    body = document.element.body
    taken = body[-1 - paragraphs : -1]  # the last element is the section that they are in
    for paragraph in taken:
        body.remove(paragraph)
    time.sleep(BREATH_S)
    return b"".join(map(_written, taken))


def _written(paragraph: BaseOxmlElement) -> bytes:
    """Return a paragraph as it stands in its document, which names the same namespaces."""
    _, _, content = serialize_part_xml(paragraph).partition(b"?>")
    head, bracket, rest = content.lstrip().partition(b">")
    return _NAMESPACE.sub(b"", head) + bracket + rest


def _write_turn(head: Paragraph, said: Paragraph, name: str, timed: TimedTurn) -> None:
    head.paragraph_format.keep_with_next = True
    head.paragraph_format.space_after = Pt(0)
    if name:
        head.add_run(name).bold = True
        head.add_run("  ")
    time = head.add_run(clock(timed.tokens[0].start_ms))
    time.font.size = Pt(9)
    time.font.color.rgb = _GREY
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


def _completed(written: BytesIO, turns: bytes, transcript: ExportedTranscript) -> bytes:
    """Return the archive with its turns, and the transcript's time on every file of it."""
    then = started(transcript).replace(year=max(started(transcript).year, ZIP_EPOCH))
    stamp = then.year, then.month, then.day, then.hour, then.minute, then.second
    stamped = BytesIO()
    with ZipFile(written) as source, ZipFile(stamped, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == BODY:
                content = _PLACE.sub(lambda _: turns, content)
            target.writestr(ZipInfo(name, stamp), content, ZIP_DEFLATED)
    return stamped.getvalue()
