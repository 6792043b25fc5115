"""A long update taken apart into short ones, which come to the same applied one after the other.

An update has to be applied in one step, and everybody waits for it. Its structs stand in it by
client, not in an order in which each finds what it needs; so a slice takes stretches of several
clients, in such an order. What it deletes comes last, as in the whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from server.yjs.structs import Place, Range
from server.yjs.updates import Inspection, arrange
from server.yjs.varints import write_varuint


class Slices:
    """What is left of one update; owned by who applies it."""

    def __init__(self, update: bytes, inspection: Inspection, state: Mapping[int, int]) -> None:
        """Begin with all of it.

        Args:
            inspection: Of the update.
            state: Of a document that has all that the update needs.
        """
        self._update = update
        arranged, _ = arrange(inspection, state)
        self._structs = deque[tuple[int, deque[Place]]]()
        for client, stretch in arranged:
            places = inspection.places[client]
            first = bisect_left(places, stretch.start, key=_clock_of)
            last = bisect_left(places, stretch.end, key=_clock_of)
            self._structs.append((client, deque(places[first:last])))
        self._deleted = deque(
            (client, found) for client, ranges in inspection.deleted.items() for found in ranges
        )

    def take(self, size: int) -> bytes | None:
        """Return the next slice, of at most so many structs or ranges; `None` behind the last."""
        if self._structs:
            return self._take_structs(size)
        return self._take_deleted(size) if self._deleted else None

    def _take_structs(self, size: int) -> bytes:
        sections: dict[int, _Section] = {}
        while size and self._structs:
            client, places = self._structs[0]
            section = sections.setdefault(client, _Section(places[0].clock, places[0].start))
            if section.count and section.end != places[0].start:
                break  # A gap, of what the document has already, is between the two.
            while size and places:
                section.end = places.popleft().end
                section.count += 1
                size -= 1
            if not places:
                self._structs.popleft()
        written = bytearray(write_varuint(len(sections)))
        for client, section in sections.items():
            for number in (section.count, client, section.clock):
                written += write_varuint(number)
            written += self._update[section.start : section.end]
        return bytes(written) + b"\0"

    def _take_deleted(self, size: int) -> bytes:
        ranges: dict[int, list[Range]] = {}
        for _ in range(min(size, len(self._deleted))):
            client, found = self._deleted.popleft()
            ranges.setdefault(client, []).append(found)
        written = bytearray(b"\0" + write_varuint(len(ranges)))
        for client, several in ranges.items():
            written += write_varuint(client) + write_varuint(len(several))
            for each in several:
                written += write_varuint(each.start) + write_varuint(each.end - each.start)
        return bytes(written)


@dataclass(slots=True)
class _Section:
    """Structs of one client that follow each other in the update."""

    clock: int
    start: int
    end: int = field(default=0)
    count: int = field(default=0)


def _clock_of(place: Place) -> int:
    return place.clock
