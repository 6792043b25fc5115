"""The structs of an update, read one client after the other: Yjs, src/structs/Item.js and GC.js.

The number of a struct is not written beside it, but follows from those before it. Nor is its place
written, only what it was put between, or into.
"""

from __future__ import annotations

from collections import defaultdict

from server.yjs.contents import Contents
from server.yjs.errors import MalformedYjs, check_limit
from server.yjs.structs import MAX_CLOCK, Backward, Id, Stretch, read_length
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
        contents: What they hold, added up.
        roots: Names of the root types that are written into.
        parents: Ids that are called shared types, and are written into.
        cuts: By client, clocks before which a struct has to end, because one is put there.
        breaks: By client, clocks of structs that were not put behind the tick before them.
        backward: Places that are in order only if the client did not write from left to right.
    """

    def __init__(self, reader: Reader) -> None:
        self.stretches: dict[int, tuple[Stretch, ...]] = {}
        self.count = 0
        self.contents = Contents()
        self.roots: set[str] = set()
        self.parents: set[Id] = set()
        self.cuts: defaultdict[int, set[int]] = defaultdict(set)
        self.breaks: defaultdict[int, list[int]] = defaultdict(list)
        self.backward: set[Backward] = set()
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
            for _ in range(count):
                self._struct(section)
            section.cut()
            if section.stretches:
                self.stretches[section.client] = tuple(section.stretches)

    def _struct(self, section: _Section) -> None:
        info = self._reader.byte()
        if info == _SKIP:
            section.skip(read_length(self._reader))
        elif info == _GC:
            self.breaks[section.client].append(section.clock)
            section.clock = self.contents.collect(self._reader, section.client, section.clock)
        else:
            self._item(section, info)
        if section.clock > MAX_CLOCK:
            raise MalformedYjs(self._reader.at, f"clocks up to {MAX_CLOCK}", f"{section.clock}")

    def _item(self, section: _Section, info: int) -> None:
        origin = self._reference(section) if info & _HAS_ORIGIN else None
        right_origin = self._reference(section) if info & _HAS_RIGHT_ORIGIN else None
        self._place(section, origin, right_origin)
        if origin is None and right_origin is None:
            self._parent(section)
            if info & _HAS_KEY:
                self._reader.text()
        kind = info & _NUMBER
        section.clock = self.contents.read(self._reader, kind, section.client, section.clock)

    def _place(self, section: _Section, origin: Id | None, right_origin: Id | None) -> None:
        """Note what the place of the next struct says about those around it."""
        if right_origin is not None:
            self.cuts[right_origin.client].add(right_origin.clock)
        if origin is None:
            self.breaks[section.client].append(section.clock)
            return
        self.cuts[origin.client].add(origin.clock + 1)
        if origin.client != section.client or origin.clock + 1 != section.clock:
            self.breaks[section.client].append(section.clock)
        if (
            right_origin is not None
            and right_origin.client == origin.client
            and right_origin.clock <= origin.clock
        ):
            self.backward.add(Backward(origin.client, origin.clock, right_origin.clock))

    def _parent(self, section: _Section) -> None:
        if self._reader.varuint(limit=1):
            self.roots.add(self._reader.text())
        else:
            self.parents.add(self._reference(section))

    def _reference(self, section: _Section) -> Id:
        start = self._reader.at
        found = Id(self._reader.varuint(), self._reader.varuint(MAX_CLOCK))
        if found.client != section.client:
            section.need(found)
        elif found.clock >= section.clock:
            raise MalformedYjs(start, f"a clock below {section.clock}", f"{found.clock}")
        return found
