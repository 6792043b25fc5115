"""What editors wrote and took away, so that it is known what must be there in the end.

Every character that a person writes occurs once only. Whoever takes characters away says which
machine's segment each stood in: so much of what was said may be missing there, and no more. What
two take away at the same moment is told by what Yjs knows it by.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

EDITORS = 3
"""One in Python and two in Node."""

_NARROW = range(0x3400, 0xA000)
_WIDE = range(0x20000, 0x2A6E0)
"""Ideographs that nobody says in our recordings: three bytes in UTF-8 and one unit in UTF-16, and
four and two. They last each of three editors for half an hour."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The characters of one editor.

    Attributes:
        narrow: Code points of one unit in UTF-16.
        wide: Code points of two.
    """

    narrow: range
    wide: range

    @classmethod
    def of(cls, editor: int) -> Alphabet:
        """Return the alphabet of an editor, by number."""
        return cls(_share(_NARROW, editor), _share(_WIDE, editor))

    def characters(self, chance: random.Random) -> Iterator[str]:
        """Yield each character once, narrow and wide ones in any order."""
        left = [iter(self.narrow), iter(self.wide)]
        while left:
            some = chance.choice(left)
            code_point = next(some, None)
            if code_point is None:
                left.remove(some)
            else:
                yield chr(code_point)


def is_typed(character: str) -> bool:
    """Return whether a character is one that only editors write."""
    return ord(character) in _NARROW or ord(character) in _WIDE


@dataclass(frozen=True, slots=True)
class Erased:
    """A character that an editor deleted.

    Attributes:
        segment: That it stood in, as that editor saw it.
        character: Whoever wrote it.
        identity: Client and clock of it in Yjs.
    """

    segment: str | None
    character: str
    identity: tuple[int, int]


@dataclass(slots=True)
class Account:
    """What one editor did.

    Attributes:
        written: Characters that it wrote into the text.
        erased: Characters that it deleted there.
        noted: Characters that it wrote into the notes.
        chosen: What it wrote into the registers of people: map, key and the name in the value.
        edits: How many edits it made.
        connections: How many connections it had.
        partials: How often it saw what was being said.
    """

    written: list[str] = field(default_factory=list)
    erased: list[Erased] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)
    chosen: list[tuple[str, str, str]] = field(default_factory=list)
    edits: int = 0
    connections: int = 0
    partials: int = 0

    @classmethod
    def read(cls, told: dict[str, Any]) -> Account:
        """Read the account of a Node editor."""
        return cls(
            written=told["written"],
            erased=[
                Erased(segment, character, (client, clock))
                for segment, character, client, clock in told["erased"]
            ],
            noted=told["noted"],
            chosen=[(name, key, value) for name, key, value in told["chosen"]],
            edits=told["edits"],
            connections=told["connections"],
            partials=told["partials"],
        )


def _share(code_points: range, editor: int) -> range:
    size = len(code_points) // EDITORS
    return code_points[editor * size : (editor + 1) * size]
