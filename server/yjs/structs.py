"""The structs of an update, read one client after the other: Yjs, src/structs/Item.js and GC.js.

A struct has no number written beside it: it has the next ticks of its client's clock, as many as
its content takes. Nor is its place written, only what it was put next to, or within.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from server.yjs.contents import DELETED, MAX_CLOCK, TYPE, Contents, Kind, read_length
from server.yjs.errors import MalformedYjs, check_limit
from server.yjs.varints import Reader

_GC = 0
_SKIP = 10
_NUMBER = 0x1F
_HAS_ORIGIN = 0x80
_HAS_RIGHT_ORIGIN = 0x40
_HAS_KEY = 0x20


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


class _Section:
    """The structs of one client while they are read."""

    __slots__ = ("client", "clock", "needs", "seen", "start", "stretches")

    def __init__(self, client: int, clock: int) -> None:
        self.client = client
        self.clock = clock
        self.start = clock
        self.stretches: list[Stretch] = []
        self.needs: tuple[Id, ...] = ()
        self.seen: dict[int, int] = {}

    def need(self, reference: Id) -> None:
        """The next struct has a reference. Not noted again where an earlier struct implies it."""
        if reference.clock > self.seen.get(reference.client, -1):
            self.seen[reference.client] = reference.clock
            self.cut()
            self.needs += (reference,)

    def cut(self) -> None:
        """A new stretch begins with the next struct."""
        if self.clock > self.start:
            self.stretches.append(Stretch(self.start, self.clock, self.needs))
            self.start = self.clock
            self.needs = ()

    def skip(self, length: int) -> None:
        """So many ticks are missing here."""
        self.cut()
        self.clock += length
        self.start = self.clock


class StructReader:
    """Reads the first half of one update; owned by who reads the update.

    Attributes:
        stretches: The structs by client, in the order of their clocks. No client has none.
        count: How many structs there are, gaps counted too.
        contents: What the items hold, added up.
        roots: Names of the root types that are written into.
        types: Shared types within others that are new.
        parents: Ids that are called shared types, and the offset where each was so last.
    """

    def __init__(self, reader: Reader) -> None:
        self.stretches: dict[int, tuple[Stretch, ...]] = {}
        self.count = 0
        self.contents = Contents()
        self.roots: set[str] = set()
        self.types: set[Id] = set()
        self.parents: dict[Id, int] = {}
        self._reader = reader
        self._dead: defaultdict[int, list[Range]] = defaultdict(list)

    def read(self, *, max_clients: int, max_structs: int) -> None:
        """Read the structs of all clients.

        Raises:
            YjsError: As `server.yjs.updates.inspect` says.
        """
        clients: set[int] = set()
        for _ in range(self._reader.count("clients of an update", max_clients)):
            count = self._reader.count("structs of a client", max_structs, least=1)
            self.count += count
            check_limit("structs of an update", max_structs, self.count)
            section = _Section(self._reader.client(clients), self._reader.varuint(MAX_CLOCK))
            clients.add(section.client)
            for _ in range(count):
                self._struct(section)
            section.cut()
            if section.stretches:
                self.stretches[section.client] = tuple(section.stretches)
        for parent, at in self.parents.items():
            self._check_parent(parent, at)

    def _struct(self, section: _Section) -> None:
        info = self._reader.byte()
        if info == _SKIP:
            section.skip(read_length(self._reader))
        elif info == _GC:
            self.contents.kinds.add(Kind.GC)
            length = read_length(self._reader)
            self._dead[section.client].append(Range(section.clock, section.clock + length))
            section.clock += length
        else:
            self._item(section, info)
        if section.clock > MAX_CLOCK:
            raise MalformedYjs(self._reader.at, f"clocks up to {MAX_CLOCK}", f"{section.clock}")

    def _item(self, section: _Section, info: int) -> None:
        reader = self._reader
        if info & _HAS_ORIGIN:
            self._reference(section)
        if info & _HAS_RIGHT_ORIGIN:
            self._reference(section)
        if not info & (_HAS_ORIGIN | _HAS_RIGHT_ORIGIN):
            self._parent(section)
            if info & _HAS_KEY:
                reader.text()
        content = info & _NUMBER
        length = self.contents.read(reader, content)
        if content == TYPE:
            self.types.add(Id(section.client, section.clock))
        elif content == DELETED:
            self._dead[section.client].append(Range(section.clock, section.clock + length))
        section.clock += length

    def _parent(self, section: _Section) -> None:
        if self._reader.varuint(limit=1):
            self.roots.add(self._reader.text())
        else:
            at = self._reader.at
            self.parents[self._reference(section)] = at

    def _reference(self, section: _Section) -> Id:
        start = self._reader.at
        found = Id(self._reader.varuint(), self._reader.varuint(MAX_CLOCK))
        if found.client != section.client:
            section.need(found)
        elif found.clock >= section.clock:
            raise MalformedYjs(start, f"a clock below {section.clock}", f"{found.clock}")
        return found

    def _check_parent(self, parent: Id, at: int) -> None:
        """A parent that the update brings itself has to be a shared type, or one that was."""
        if parent in self.types or _has(self._dead.get(parent.client, ()), parent.clock):
            return
        if _has(self.stretches.get(parent.client, ()), parent.clock):
            raise MalformedYjs(at, "a shared type as parent", "something else")


def _has(ranges: Sequence[Range | Stretch], clock: int) -> bool:
    """Whether a clock lies within one of the ranges, which are in order."""
    place = bisect_right(ranges, clock, key=_start)
    return place > 0 and clock < ranges[place - 1].end


def _start(found: Range | Stretch) -> int:
    return found.start
