"""What a document holds that decides where it can be written.

An update names structs of the document by number, and only their contents tell whether that makes
sense. yrs does not say what stands where, so the room keeps a small account of its own:

- what is written into has to be a shared type, or dead. yrs 0.28 stops half-way if it is not.
- no character is cut in two. Yjs counts UTF-16 units, and puts U+FFFD for each half; yrs cannot,
  cuts elsewhere and counts wrongly from then on, so that the document read again is another one.
- what is put between two ticks comes behind the left and before the right one. Where a client wrote
  straight on, in a run, the order of its ticks is known. Yjs and yrs alike put a struct whose
  neighbours are swapped here or there depending on how the run is cut into structs: the document
  read again is another one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

from server.yjs.errors import Misplaced
from server.yjs.structs import Backward, Id, Range, covers
from server.yjs.updates import Inspection, fresh

_NONE: Set[int] = frozenset()


class Landmarks:
    """The account of one document, owned by its room. Everything that is applied is added to it."""

    def __init__(self) -> None:
        self._state: dict[int, int] = {}
        self._types: set[Id] = set()
        self._dead: defaultdict[int, list[Range]] = defaultdict(list)
        self._halves: defaultdict[int, set[int]] = defaultdict(set)
        self._breaks: defaultdict[int, list[int]] = defaultdict(list)

    @property
    def state(self) -> Mapping[int, int]:
        """The state vector of the document."""
        return self._state

    def check(self, inspection: Inspection) -> None:
        """Check that an update, of which nothing is missing, can be applied to the document.

        Raises:
            Misplaced: It writes into what is no shared type, cuts a character in two, or puts
                something between neighbours that stand the other way round.
        """
        for parent in inspection.parents:
            if not self._takes(parent, inspection):
                raise Misplaced(parent.client, parent.clock, "a shared type", "something else")
        for client, halves in inspection.halves.items():
            self._check_cuts(client, {self._state.get(client, 0)}, halves)
        for client, cuts in inspection.cuts.items():
            self._check_cuts(client, cuts, inspection.halves.get(client, _NONE))
            self._check_cuts(client, cuts, self._halves.get(client, _NONE))
        for place in inspection.backward:
            if not self._is_broken(place, inspection):
                got = f"a place before it and behind tick {place.behind}"
                raise Misplaced(place.client, place.before, "neighbours in order", got)

    def add(self, inspection: Inspection) -> None:
        """Note what the document holds now that an update was applied to it."""
        known = self._state.copy()
        for client, ranges in fresh(inspection, known).items():
            self._state[client] = ranges[-1].end
        self._types |= {
            each for each in inspection.types if each.clock >= known.get(each.client, 0)
        }
        for client, halves in inspection.halves.items():
            self._halves[client] |= {clock for clock in halves if clock >= known.get(client, 0)}
        for client, breaks in inspection.breaks.items():
            self._breaks[client] += breaks[bisect_left(breaks, known.get(client, 0)) :]
        for client, dead in inspection.dead.items():
            self._dead[client] += [each for each in dead if each.end > known.get(client, 0)]

    def _check_cuts(self, client: int, cuts: Set[int], halves: Set[int]) -> None:
        for clock in cuts & halves:
            raise Misplaced(client, clock, "a whole character", "half of one")

    def _takes(self, parent: Id, inspection: Inspection) -> bool:
        """Whether something can be written into a parent, of the document or of the update."""
        if parent.clock < self._state.get(parent.client, 0):
            return parent in self._types or covers(self._dead.get(parent.client, ()), parent.clock)
        return parent in inspection.types or covers(
            inspection.dead.get(parent.client, ()), parent.clock
        )

    def _is_broken(self, place: Backward, inspection: Inspection) -> bool:
        """Whether a client did not write straight on from one end of a place to the other."""
        known = self._state.get(place.client, 0)
        ours = self._breaks.get(place.client, ())
        theirs = inspection.breaks.get(place.client, ())
        return _any_within(ours, place.before, min(place.behind, known - 1)) or _any_within(
            theirs, max(place.before, known - 1), place.behind
        )


def _any_within(breaks: Sequence[int], after: int, until: int) -> bool:
    """Whether a break, of those in order, is behind one clock and not behind another."""
    first = bisect_right(breaks, after)
    return first < len(breaks) and breaks[first] <= until
