"""A Yjs update looked into before it is applied, format version 1: Yjs, src/utils/encoding.js.

An update brings structs, which are numbered for each client from 0 without gaps (its clock), and
names structs to delete. Each struct says which others it was written next to, or within. yrs, which
applies it, takes more than is good for a shared document: it keeps what it cannot integrate yet,
integrates behind gaps, stops half-way where a parent is no shared type, miscounts once a surrogate
pair was cut in two, puts a struct here now and there later if its neighbours are swapped, and may
end the process if they stand in different types (all seen with yrs 0.28). So::

    inspection = inspect(update, limits)      # MalformedYjs, ForbiddenContent, LimitExceeded
    gap = missing(inspection, state)          # an Id: the sender has to synchronise first
    landmarks.check(inspection)               # Misplaced; see server.yjs.landmarks
    ranges = fresh(inspection, state)         # under whose client ids it writes

What comes through all of them is integrated whole, at once, and changes the state vector of the
document exactly as `fresh` says.
"""

from __future__ import annotations

import heapq
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from server.yjs.contents import Kind
from server.yjs.errors import MalformedYjs, check_limit
from server.yjs.reading import StructReader
from server.yjs.structs import MAX_CLOCK, Id, Place, Range, Run, Stretch, read_length
from server.yjs.varints import Reader, write_varuint


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one update may hold.

    Attributes:
        structs: Structs, and gaps between them.
        clients: Clients that it has structs of, and clients that it deletes structs of.
        delete_ranges: Ranges to delete.
    """

    structs: int
    clients: int
    delete_ranges: int


NO_LIMITS = Limits(structs=sys.maxsize, clients=sys.maxsize, delete_ranges=sys.maxsize)
"""For what was taken before, or was written here: a document may hold more than one update may."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an update holds.

    Attributes:
        stretches: Its structs by client, in the order of their clocks. No client has none.
        places: Where its structs are written, by client, in the order of their clocks.
        deletes: By client, the end of the last range to delete.
        deleted: By client, the ranges to delete.
        structs: How many structs there are, gaps in between counted too.
        units: UTF-16 units of text that it inserts.
        kinds: What kinds of structs there are.
        roots: Names of the root types that it writes into.
        types: Shared types within others that it brings.
        parents: Ids that it calls shared types, and writes into.
        dead: By client, what it brings as deleted or collected already.
        halves: By client, the clocks of second halves of surrogate pairs that it brings.
        cuts: By client, clocks before which a struct has to end, because another one is put there,
            or only what is behind it is deleted.
        runs: By client, in order, where it does not write straight on from the tick before.
        between: Neighbours between which it puts something, the left one first.
        first: Ticks before which it puts something at the beginning of what they stand in.
        last: Ticks behind which it puts something at the end of what they stand in, although the
            next one of the same client was known to whoever did.
    """

    stretches: Mapping[int, tuple[Stretch, ...]]
    places: Mapping[int, Sequence[Place]]
    deletes: Mapping[int, int]
    deleted: Mapping[int, Sequence[Range]]
    structs: int
    units: int
    kinds: frozenset[Kind]
    roots: frozenset[str]
    types: frozenset[Id]
    parents: frozenset[Id]
    dead: Mapping[int, Sequence[Range]]
    halves: Mapping[int, Set[int]]
    cuts: Mapping[int, Set[int]]
    runs: Mapping[int, Sequence[Run]]
    between: Set[tuple[Id, Id]]
    first: Set[Id]
    last: Set[Id]


def inspect(update: bytes, limits: Limits) -> Inspection:
    """Read a whole update, and return what it holds. Takes time in proportion to its length.

    Raises:
        MalformedYjs: It is not what the format says, or contradicts itself.
        ForbiddenContent: It holds what no transcript may hold.
        LimitExceeded: It holds too much.
    """
    reader = Reader(update)
    structs = StructReader(reader)
    structs.read(max_clients=limits.clients, max_structs=limits.structs)
    deleted = _read_deletes(reader, limits, structs.cuts)
    reader.end()
    return Inspection(
        stretches=structs.stretches,
        places=structs.places,
        deletes={client: max(each.end for each in ranges) for client, ranges in deleted.items()},
        deleted=deleted,
        structs=structs.count,
        units=structs.contents.units,
        kinds=frozenset(structs.contents.kinds),
        roots=frozenset(structs.roots),
        types=frozenset(structs.contents.types),
        parents=frozenset(structs.parents),
        dead=structs.contents.dead,
        halves=structs.contents.halves,
        cuts=structs.cuts,
        runs=structs.runs,
        between=structs.between,
        first=structs.first,
        last=structs.last,
    )


def missing(inspection: Inspection, state: Mapping[int, int]) -> Id | None:
    """Return what a document lacks before an update can be integrated whole, or `None`.

    Args:
        state: The document's state vector: by client, the clock behind its last struct.
    """
    return arrange(inspection, state)[1]


def arrange(
    inspection: Inspection, state: Mapping[int, int]
) -> tuple[list[tuple[int, Stretch]], Id | None]:
    """Return stretches with their clients so that each has what it needs, and what is missing."""
    reached: dict[int, int] = {}
    arranged: list[tuple[int, Stretch]] = []

    def end_of(client: int) -> int:
        return reached.get(client) or state.get(client, 0)

    waiting: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    ready = deque(inspection.stretches)
    left = {client: deque(stretches) for client, stretches in inspection.stretches.items()}
    while ready:
        client = ready.popleft()
        gap = _advance(client, left[client], reached, end_of, arranged)
        if gap is not None:
            heapq.heappush(waiting[gap.client], (gap.clock, client))
        blocked = waiting[client]
        while blocked and blocked[0][0] < end_of(client):
            ready.append(heapq.heappop(blocked)[1])
    for client, blocked in waiting.items():
        if blocked:
            return arranged, Id(client, blocked[0][0])
    for client, end in inspection.deletes.items():
        if end > end_of(client):
            return arranged, Id(client, end - 1)
    return arranged, None


def fresh(inspection: Inspection, state: Mapping[int, int]) -> dict[int, tuple[Range, ...]]:
    """Return, by client, the clocks of structs that a document with this state does not have."""
    found = {}
    for client, stretches in inspection.stretches.items():
        known = state.get(client, 0)
        ranges = _merged(
            Range(max(stretch.start, known), stretch.end)
            for stretch in stretches
            if stretch.end > known
        )
        if ranges:
            found[client] = ranges
    return found


def decode_state_vector(encoded: bytes, limit: int) -> dict[int, int]:
    """Return a state vector: by client, the clock behind its last struct.

    Raises:
        MalformedYjs: It is not what the format says.
        LimitExceeded: It has more clients than the limit.
    """
    reader = Reader(encoded)
    count = reader.count("clients of a state vector", limit)
    state: dict[int, int] = {}
    for _ in range(count):
        client = reader.client(state)
        state[client] = reader.varuint(MAX_CLOCK)
    reader.end()
    return state


def encode_state_vector(state: Mapping[int, int]) -> bytes:
    """Return a state vector's bytes, with the largest client ids first, as Yjs does."""
    encoded = bytearray(write_varuint(len(state)))
    for client in sorted(state, reverse=True):
        encoded += write_varuint(client) + write_varuint(state[client])
    return bytes(encoded)


def _read_deletes(
    reader: Reader, limits: Limits, cuts: defaultdict[int, set[int]]
) -> dict[int, list[Range]]:
    deletes: dict[int, list[Range]] = {}
    ranges = 0
    for _ in range(reader.count("clients of deletes", limits.clients)):
        client = reader.client(deletes)
        count = reader.count("deletes of a client", limits.delete_ranges, least=1)
        ranges += count
        check_limit("deletes of an update", limits.delete_ranges, ranges)
        deletes[client] = []
        for _ in range(count):
            clock = reader.varuint(MAX_CLOCK)
            end = clock + read_length(reader)
            if end > MAX_CLOCK:
                raise MalformedYjs(reader.at, f"clocks up to {MAX_CLOCK}", f"{end}")
            cuts[client] |= {clock, end}
            deletes[client].append(Range(clock, end))
    return deletes


def _advance(
    client: int,
    stretches: deque[Stretch],
    reached: dict[int, int],
    end_of: Callable[[int], int],
    arranged: list[tuple[int, Stretch]],
) -> Id | None:
    """Integrate a client's stretches as far as they go, and return what is needed to go on."""
    while stretches:
        stretch = stretches[0]
        if stretch.start > end_of(client):
            return Id(client, stretch.start - 1)
        for need in stretch.needs:
            if need.clock >= end_of(need.client):
                return need
        reached[client] = max(stretch.end, end_of(client))
        arranged.append((client, stretches.popleft()))
    return None


def _merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Join ranges that touch."""
    merged: list[Range] = []
    for found in ranges:
        if merged and merged[-1].end == found.start:
            merged[-1] = Range(merged[-1].start, found.end)
        else:
            merged.append(found)
    return tuple(merged)
