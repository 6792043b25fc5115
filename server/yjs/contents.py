"""What one item of an update holds: its kind, and how many clock ticks it takes.

Kinds and layouts are those of Yjs 13.6, src/structs/Content*.js. Only the kinds that a transcript
is made of are read; every other one ends the reading, since nothing behind it will be used.
"""

from __future__ import annotations

import re
from collections import defaultdict
from enum import Enum

from server.yjs.errors import ForbiddenContent, MalformedYjs
from server.yjs.json_text import parse_json
from server.yjs.structs import Id, Range, read_length
from server.yjs.varints import Reader

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


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
        types: The shared types.
        dead: By client, what was deleted or collected.
        halves: By client, the clocks of second halves of surrogate pairs.
    """

    __slots__ = ("dead", "halves", "kinds", "types", "units")

    def __init__(self) -> None:
        self.kinds: set[Kind] = set()
        self.units = 0
        self.types: set[Id] = set()
        self.dead: defaultdict[int, list[Range]] = defaultdict(list)
        self.halves: defaultdict[int, set[int]] = defaultdict(set)

    def collect(self, reader: Reader, client: int, clock: int) -> int:
        """Read a struct that was collected, and return the clock behind it."""
        self.kinds.add(Kind.GC)
        return self._dead(reader, client, clock)

    def read(self, reader: Reader, number: int, client: int, clock: int) -> int:
        """Read the content of one item, and return the clock behind it.

        Args:
            number: Of the kind of content.
            client: Whose item it is.
            clock: Of its first tick.

        Raises:
            ForbiddenContent: No transcript holds this kind of content.
            MalformedYjs: It is not what the format says.
        """
        match number:
            case 1:
                self.kinds.add(Kind.DELETED)
                return self._dead(reader, client, clock)
            case 4:
                return self._string(reader, client, clock)
            case 6:
                self._format(reader)
                return clock + 1
            case 7:
                self._type(reader)
                self.types.add(Id(client, clock))
                return clock + 1
            case 8:
                return clock + self._any(reader)
        if number in FORBIDDEN_CONTENTS:
            raise ForbiddenContent(FORBIDDEN_CONTENTS[number])
        raise MalformedYjs(reader.at, "a kind of content, 1..11", f"{number}")

    def _dead(self, reader: Reader, client: int, clock: int) -> int:
        end = clock + read_length(reader)
        self.dead[client].append(Range(clock, end))
        return end

    def _string(self, reader: Reader, client: int, clock: int) -> int:
        start = reader.at
        text = reader.text()
        if not text:
            raise MalformedYjs(start, "text", "none")
        self.kinds.add(Kind.STRING)
        end = clock + len(text)
        if not text.isascii():
            end = self._astral(text, client, clock)
        self.units += end - clock
        return end

    def _astral(self, text: str, client: int, clock: int) -> int:
        """Count a text with characters beyond the basic plane, which take two units each."""
        for found in _ASTRAL.finditer(text):
            clock += 1
            self.halves[client].add(clock + found.start())
        return clock + len(text)

    def _format(self, reader: Reader) -> None:
        reader.text()
        start = reader.at
        try:
            parse_json(reader.text())
        except ValueError as error:
            raise MalformedYjs(start, f"{error}", "something else") from error
        self.kinds.add(Kind.FORMAT)

    def _any(self, reader: Reader) -> int:
        count = read_length(reader)
        for _ in range(count):
            reader.skip_any()
        self.kinds.add(Kind.ANY)
        return count

    def _type(self, reader: Reader) -> None:
        start = reader.at
        number = reader.varuint()
        if number in _FORBIDDEN_TYPES:
            raise ForbiddenContent(_FORBIDDEN_TYPES[number])
        if number >= len(_TYPES):
            raise MalformedYjs(start, "a shared type", f"{number}")
        self.kinds.add(_TYPES[number])
