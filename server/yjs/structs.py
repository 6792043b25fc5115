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
class Backward:
    """A place behind one tick, and before another one of the same client that is not later.

    Attributes:
        client: Whose ticks they are.
        behind: The later one.
        before: The earlier one.
    """

    client: int
    behind: int
    before: int


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
    place = bisect_right(ranges, clock, key=_start)
    return place > 0 and clock < ranges[place - 1].end


def _start(found: Range) -> int:
    return found.start
