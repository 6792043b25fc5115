"""How structs are numbered: Yjs, src/utils/ID.js and src/structs/AbstractStruct.js.

A struct has the next ticks of its client's clock, as many as its content takes: a text one for each
UTF-16 unit, a list one for each value, everything else one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from server.yjs.errors import MalformedYjs
from server.yjs.varints import Reader

MAX_CLOCK = 2**31 - 1
"""Where clocks end: yrs counts them in 32 bits, and subtracts them with a sign."""


@dataclass(frozen=True, slots=True, order=True)
class Id:
    """Names one clock tick of one client: a character, a value, a shared type."""

    client: int
    clock: int


@dataclass(frozen=True, slots=True)
class Range:
    """Clock ticks of one client, from `start` up to, not including, `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Structs of one client that follow each other, and can be integrated together.

    Attributes:
        start: Clock of the first tick; the client's structs before it have to be there.
        end: Clock behind the last tick.
        needs: Ticks of other clients that have to be there too.
    """

    start: int
    end: int
    needs: tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in an update a struct is written: bytes from `start` up to, not including, `end`."""

    clock: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Parent:
    """What structs stand in: a root or another shared type, and under which key if it is a map."""

    within: str | Id
    key: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """Ticks that a client wrote straight on, so that each stands somewhere behind the one before.

    Attributes:
        start: Clock of the first one. The run ends where the client's next one starts.
        parent: What they stand in; an `Id` if that is where this one stands, `None` if nobody
            knows any more, because they were collected.
        behind: Whether this one was put behind another one, and not at the beginning.
    """

    start: int
    parent: Parent | Id | None
    behind: bool = False


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


def covers(ranges: Sequence[Range], clock: int) -> bool:
    """Whether a clock lies within one of the ranges, which are in order."""
    place = bisect_right(ranges, clock, key=start_of)
    return place > 0 and clock < ranges[place - 1].end


def start_of(found: Range | Run) -> int:
    """Return where something starts: the key to search by."""
    return found.start
