"""Cuts turns into captions: short texts that are shown while they are being said.

Lines have at most 42 columns, in which letters of East Asian scripts count twice, and captions at
most two of them. A caption that would be longer than 6 s or reach over a long pause ends earlier.
Where there is a choice, one ends with a sentence, else with a clause or at a pause, and a line with
punctuation. This follows Netflix' Timed Text Style Guide (General Requirements, sections 1 and 4),
whose bounds are 5/6 s and 7 s.

Each caption has some duration, and captions of one speaker never overlap. Two speakers who talk at
once have captions at the same time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import accumulate

from offline.domain import SpeakerId
from offline.standing import shape
from server.alignment import TimedTurn
from server.exports.transcript import ExportedTranscript
from server.exports.wording import one_line, speaker_name, spoken

COLUMNS = 42
"""Of a line."""
LONGEST_MS = 6000
"""A caption takes no further word that would make it longer."""
LIMIT_MS = 7000
"""No caption is longer, not even one of a single slow word."""
SHORTEST_MS = 800
"""Unless the same speaker goes on sooner."""
ENDING_PAUSE_MS = 1500
"""Such a pause always ends a caption."""
LONGEST_NAME = 30
"""Columns of a name in a caption's text; the rest of a longer one is left out."""

_SENTENCE_END = re.compile(r"[.!?…。！？]\W*$")
_CLAUSE_END = re.compile(r"[.!?…。！？,;:–—，、：]\W*$")
_CLAUSE_PAUSE_MS = 300


@dataclass(frozen=True, slots=True)
class Caption:
    """A text to show in `[start_ms, end_ms)`.

    Attributes:
        lines: One or two, none of them empty.
        speaker: Who says it.
    """

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    speaker: SpeakerId | None


class Naming(Enum):
    """Where it stands who speaks."""

    APART = auto()
    """Not in the text."""
    IN_TEXT = auto()
    """Before the text, `Ada: `, if the caption before is another speaker's; `?: ` for nobody."""


def captions(transcript: ExportedTranscript, naming: Naming) -> list[Caption]:
    """Return a transcript's captions, in the order in which they start."""
    turns = [_units(timed) for timed in spoken(transcript)]
    speakers = [timed.turn.speaker for timed in spoken(transcript)]
    found: list[Caption] = []
    before: SpeakerId | None = None
    for units, speaker, mixed in zip(turns, speakers, _mixed(turns), strict=True):
        name = _cut(speaker_name(transcript, speaker) or "?", LONGEST_NAME)[0]
        head = f"{name.rstrip()}:" if naming is Naming.IN_TEXT else ""
        at = 0
        while at < len(units):
            named = mixed or (at == 0 and speaker != before)
            end, lines = _next_caption(units, at, head if named else "")
            start_ms, end_ms = units[at].start_ms, max(unit.end_ms for unit in units[at:end])
            found.append(Caption(start_ms, end_ms, lines, speaker))
            at = end
        before = speaker
    return _settle(sorted(found, key=lambda caption: caption.start_ms))


def _mixed(turns: Sequence[Sequence[_Unit]]) -> list[bool]:
    """Return for each turn whether captions of other turns may come between its own."""
    starts = [min(unit.start_ms for unit in units) for units in turns]
    ends = [max(unit.end_ms for unit in units) for units in turns]
    ended = list(accumulate(ends, max, initial=0))
    begin = list(accumulate(reversed(starts), min, initial=max(ends, default=0)))[::-1]
    return [
        ended[index] > starts[index] or begin[index + 1] < ends[index]
        for index in range(len(turns))
    ]


def _next_caption(units: Sequence[_Unit], at: int, head: str) -> tuple[int, tuple[str, ...]]:
    """Return the caption that begins with a unit: where it ends, and its lines."""
    most = _most(units, at, _width(head))
    end = most
    if most < len(units) and _pause_before(units, most) < ENDING_PAUSE_MS:
        least = at + max(1, (most - at) // 3)
        end = max(range(least, most + 1), key=lambda end: (_weight(units, end), end))
    words = [(unit.text, unit.spaced) for unit in units[at:end]]
    if head:
        words[0] = (words[0][0], True)
        words.insert(0, (head, True))
    return end, _lines(words)


def _most(units: Sequence[_Unit], at: int, column: int) -> int:
    """Return after which unit a caption that begins with `at` has to end at the latest."""
    line = 1
    for index in range(at, len(units)):
        unit = units[index]
        if index > at and (
            unit.end_ms - units[at].start_ms > LONGEST_MS
            or _pause_before(units, index) >= ENDING_PAUSE_MS
        ):
            return index
        space = 1 if column and (unit.spaced or index == at) else 0
        column += space + _width(unit.text)
        if column > COLUMNS:
            line, column = line + 1, _width(unit.text)
        if line > 2:
            return index
    return len(units)


def _weight(units: Sequence[_Unit], end: int) -> int:
    """Return how good it is to end a caption before a unit: sentence, clause or anywhere."""
    text = units[end - 1].text
    if _SENTENCE_END.search(text):
        return 2
    paused = _pause_before(units, end) >= _CLAUSE_PAUSE_MS
    return 1 if paused or _CLAUSE_END.search(text) else 0


def _pause_before(units: Sequence[_Unit], index: int) -> int:
    return units[index].start_ms - units[index - 1].end_ms


def _lines(words: Sequence[tuple[str, bool]]) -> tuple[str, ...]:
    """Return one line, or two: parted after punctuation, else so that they are about as long."""
    whole = _join(words)
    if _width(whole) <= COLUMNS:
        return (whole,)
    halves = [(_join(words[:middle]), _join(words[middle:])) for middle in range(1, len(words))]
    fitting = [half for half in halves if max(map(_width, half)) <= COLUMNS]
    # A name or a single word makes no line of its own for its punctuation.
    clauses = [half for half in fitting if _CLAUSE_END.search(half[0]) and half != halves[0]]
    return min(clauses or fitting, key=lambda half: max(map(_width, half)))


def _join(words: Sequence[tuple[str, bool]]) -> str:
    return "".join(f" {text}" if spaced else text for text, spaced in words).lstrip(" ")


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is not divided: a word, a letter of a script without spaces, or as much as fits."""

    text: str
    spaced: bool  # Whether a space stands before it.
    start_ms: int
    end_ms: int


def _units(timed: TimedTurn) -> list[_Unit]:
    units: list[_Unit] = []
    spaced = False
    for token in timed.tokens:
        spaced = spaced or token.text[0].isspace()
        for text in filter(None, one_line(token.text).split(" ")):
            unit = _Unit(text, spaced, token.start_ms, token.end_ms)
            if units and not spaced and not _may_part(units[-1].text, text):
                last = units.pop()
                unit = _Unit(last.text + text, last.spaced, last.start_ms, unit.end_ms)
            units.append(unit)
            spaced = True
        spaced = token.text[-1].isspace()
    return [part for unit in units for part in _parts(unit)]


def _may_part(before: str, after: str) -> bool:
    """Return whether a line may end between words without a space: in scripts that have none."""
    kinds = shape(before[-1] + after[0])
    return kinds[1] == "c" or kinds == "cw"


def _parts(unit: _Unit) -> Iterator[_Unit]:
    """Divide what is wider than a line."""
    texts = _cut(unit.text, COLUMNS)
    bounds = [
        unit.start_ms + (unit.end_ms - unit.start_ms) * index // len(texts)
        for index in range(len(texts) + 1)
    ]
    for index, text in enumerate(texts):
        yield _Unit(text, unit.spaced and index == 0, bounds[index], bounds[index + 1])


def _cut(text: str, columns: int) -> list[str]:
    """Cut a text into parts of so many columns."""
    parts = [""]
    column = 0
    for char in text:
        column += _width(char)
        if column > columns:
            parts.append("")
            column = _width(char)
        parts[-1] += char
    return parts


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "FW" else 1 for char in text)


def _settle(found: Sequence[Caption]) -> list[Caption]:
    """Give every caption a duration, without overlaps between those of one speaker."""
    until: list[int] = []
    following: dict[SpeakerId | None, int] = {}
    for caption in reversed(found):
        until.append(following.get(caption.speaker, caption.end_ms + SHORTEST_MS))
        following[caption.speaker] = caption.start_ms
    settled: list[Caption] = []
    ended: dict[SpeakerId | None, int] = {}
    for caption, limit_ms in zip(found, reversed(until), strict=True):
        start = max(caption.start_ms, ended.get(caption.speaker, 0))
        end = min(max(caption.end_ms, start + SHORTEST_MS), start + LIMIT_MS, limit_ms)
        ended[caption.speaker] = end = max(end, start + 1)  # Text without a time is shown as well.
        settled.append(replace(caption, start_ms=start, end_ms=end))
    return sorted(settled, key=lambda caption: caption.start_ms)
