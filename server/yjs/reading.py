"""The structs of an update, read one client after the other: Yjs, src/structs/Item.js and GC.js.

The number of a struct is not written beside it, but follows from those before it. Nor is its place
written, only what it was put between, or into.
"""

from __future__ import annotations

from collections import defaultdict

from server.yjs.contents import Contents
from server.yjs.errors import MalformedYjs, check_limit
from server.yjs.structs import MAX_CLOCK, Id, Parent, Place, Run, Stretch, read_length
from server.yjs.varints import Reader

_GC = 0
_SKIP = 10
_NUMBER = 0x1F
_HAS_ORIGIN = 0x80
_HAS_RIGHT_ORIGIN = 0x40
_HAS_KEY = 0x20


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

    def knows(self, tick: Id) -> bool:
        """Whether who wrote the next struct had this tick, as far as can be seen here."""
        if tick.client == self.client:
            return tick.clock < self.clock
        return tick.clock <= self.seen.get(tick.client, -1)

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
        places: Where the structs are written, by client, in the order of their clocks.
        count: How many structs there are, gaps counted too.
        contents: What they hold, added up.
        roots: Names of the root types that are written into.
        parents: Ids that are called shared types, and are written into.
        cuts: By client, clocks before which a struct has to end, because one is put there.
        runs: By client, in order.
        between: Neighbours between which something is put, the left one first.
        first: Ticks before which something is put at the beginning.
        last: Ticks behind which something is put at the end, by who knew the client's next one.
    """

    def __init__(self, reader: Reader) -> None:
        self.stretches: dict[int, tuple[Stretch, ...]] = {}
        self.places: dict[int, list[Place]] = {}
        self.count = 0
        self.contents = Contents()
        self.roots: set[str] = set()
        self.parents: set[Id] = set()
        self.cuts: defaultdict[int, set[int]] = defaultdict(set)
        self.runs: defaultdict[int, list[Run]] = defaultdict(list)
        self.between: set[tuple[Id, Id]] = set()
        self.first: set[Id] = set()
        self.last: set[Id] = set()
        self._reader = reader

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
            places = self.places[section.client] = []
            for _ in range(count):
                start, clock = self._reader.at, section.clock
                if self._struct(section):
                    places.append(Place(clock, start, self._reader.at))
            section.cut()
            if section.stretches:
                self.stretches[section.client] = tuple(section.stretches)

    def _struct(self, section: _Section) -> bool:
        """Read one struct; return whether it is one, and not a gap."""
        info = self._reader.byte()
        if info == _SKIP:
            section.skip(read_length(self._reader))
        elif info == _GC:
            self.runs[section.client].append(Run(section.clock, None))
            section.clock = self.contents.collect(self._reader, section.client, section.clock)
        else:
            self._item(section, info)
        if section.clock > MAX_CLOCK:
            raise MalformedYjs(self._reader.at, f"clocks up to {MAX_CLOCK}", f"{section.clock}")
        return info != _SKIP

    def _item(self, section: _Section, info: int) -> None:
        origin = self._reference(section) if info & _HAS_ORIGIN else None
        right_origin = self._reference(section) if info & _HAS_RIGHT_ORIGIN else None
        self._note_place(section, origin, right_origin)
        straight_on = (
            origin is not None
            and origin.client == section.client
            and origin.clock + 1 == section.clock
        )
        if not straight_on:
            parent = origin or right_origin or self._parent(section, has_key=bool(info & _HAS_KEY))
            self.runs[section.client].append(Run(section.clock, parent, origin is not None))
        kind = info & _NUMBER
        section.clock = self.contents.read(self._reader, kind, section.client, section.clock)

    def _note_place(self, section: _Section, origin: Id | None, right_origin: Id | None) -> None:
        if right_origin is not None:
            self.cuts[right_origin.client].add(right_origin.clock)
            if origin is None:
                self.first.add(right_origin)
        if origin is not None:
            self.cuts[origin.client].add(origin.clock + 1)
            if right_origin is not None:
                self.between.add((origin, right_origin))
            elif section.knows(Id(origin.client, origin.clock + 1)):
                self.last.add(origin)

    def _parent(self, section: _Section, *, has_key: bool) -> Parent:
        within: str | Id
        if self._reader.varuint(limit=1):
            within = self._reader.text()
            self.roots.add(within)
        else:
            within = self._reference(section)
            self.parents.add(within)
        return Parent(within, self._reader.text() if has_key else None)

    def _reference(self, section: _Section) -> Id:
        start = self._reader.at
        found = Id(self._reader.varuint(), self._reader.varuint(MAX_CLOCK))
        if found.client != section.client:
            section.need(found)
        elif found.clock >= section.clock:
            raise MalformedYjs(start, f"a clock below {section.clock}", f"{found.clock}")
        return found
