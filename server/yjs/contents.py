"""What one item of an update holds: its kind, and how many clock ticks it takes.

Kinds and layouts are those of Yjs 13.6, src/structs/Content*.js. Only the kinds that a transcript
is made of are read; every other one ends the reading, since nothing behind it will be used.
"""

from __future__ import annotations

from enum import Enum

from server.yjs.errors import ForbiddenContent, MalformedYjs
from server.yjs.json_text import parse_json
from server.yjs.varints import Reader

MAX_CLOCK = 2**31 - 1
"""Ends of clock ranges: yrs counts them in 32 bits, and subtracts them with a sign."""


class Kind(Enum):
    """What a struct of an update may be."""

    GC = "collected"
    DELETED = "deleted"
    STRING = "string"
    FORMAT = "format"
    ANY = "any"
    ARRAY = "array"
    MAP = "map"
    TEXT = "text"


FORBIDDEN_CONTENTS = {
    # Yjs has not written it since 13.0, and yrs 0.28 reads one value too many: y-crdt/y-crdt,
    # yrs/src/block.rs, `ItemContent::decode`.
    2: "json",
    3: "binary",
    5: "embed",
    9: "subdocument",
    11: "move",  # known to yrs only
}
"""Kinds that no transcript holds, by their number."""

DELETED = 1
TYPE = 7
_STRING = 4
_FORMAT = 6
_ANY = 8

_TYPES = (Kind.ARRAY, Kind.MAP, Kind.TEXT)
_FORBIDDEN_TYPES = {
    3: "xml element",
    4: "xml fragment",
    5: "xml hook",
    6: "xml text",
    7: "weak link",  # this and the next are known to yrs only
    9: "subdocument",
    15: "undefined type",
}


class Contents:
    """Adds up the contents of one update while they are read; owned by who reads the update.

    Attributes:
        kinds: What kinds there were.
        units: UTF-16 units of text, which is what Yjs counts.
    """

    __slots__ = ("kinds", "units")

    def __init__(self) -> None:
        self.kinds: set[Kind] = set()
        self.units = 0

    def read(self, reader: Reader, number: int) -> int:
        """Read the content of one item, and return how many clock ticks it takes, at least one.

        Raises:
            ForbiddenContent: No transcript holds this kind of content.
            MalformedYjs: It is not what the format says.
        """
        if number == _STRING:
            return self._string(reader)
        if number == _FORMAT:
            return self._format(reader)
        if number == _ANY:
            return self._any(reader)
        if number == DELETED:
            self.kinds.add(Kind.DELETED)
            return read_length(reader)
        if number == TYPE:
            return self._type(reader)
        if number in FORBIDDEN_CONTENTS:
            raise ForbiddenContent(FORBIDDEN_CONTENTS[number])
        raise MalformedYjs(reader.at, "a kind of content, 1..11", f"{number}")

    def _string(self, reader: Reader) -> int:
        start = reader.at
        text = reader.text()
        if not text:
            raise MalformedYjs(start, "text", "none")
        self.kinds.add(Kind.STRING)
        units = len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
        self.units += units
        return units

    def _format(self, reader: Reader) -> int:
        reader.text()
        start = reader.at
        try:
            parse_json(reader.text())
        except ValueError as error:
            raise MalformedYjs(start, f"{error}", "something else") from error
        self.kinds.add(Kind.FORMAT)
        return 1

    def _any(self, reader: Reader) -> int:
        count = read_length(reader)
        for _ in range(count):
            reader.skip_any()
        self.kinds.add(Kind.ANY)
        return count

    def _type(self, reader: Reader) -> int:
        start = reader.at
        number = reader.varuint()
        if number in _FORBIDDEN_TYPES:
            raise ForbiddenContent(_FORBIDDEN_TYPES[number])
        if number >= len(_TYPES):
            raise MalformedYjs(start, "a shared type", f"{number}")
        self.kinds.add(_TYPES[number])
        return 1


def read_length(reader: Reader) -> int:
    """Read a number of clock ticks: at least one.

    Raises:
        MalformedYjs: It is none, or too many.
    """
    start = reader.at
    length = reader.varuint(MAX_CLOCK)
    if not length:
        raise MalformedYjs(start, "a length of at least 1", "0")
    return length
