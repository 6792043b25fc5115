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
- nor does anything stand between the two that was known to whoever calls them neighbours: in a run,
  each tick is the neighbour of the next one, and only a run that was put at the beginning begins
  there. Yjs and yrs look at all that is between, for each struct anew: 8,000 of them, each put
  between the beginning of a text and another one of its 8,000 characters, took yrs 16 s.
- both neighbours stand in the same type, under the same key, or were both collected with it. yrs
  ends with a segmentation fault some time after they did not.

What is left: only a copy of the document would show whether neighbours from different runs are
swapped. Whoever forges such updates on purpose can make what is read depend on when the document
was read; no editor writes them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from server.yjs.errors import Misplaced
from server.yjs.structs import Id, Parent, Range, Run, covers, start_of
from server.yjs.updates import Inspection, fresh

_NONE: Set[int] = frozenset()
_NOWHERE = Run(0, None)


class Landmarks:
    """The account of one document, owned by its room. Everything that is applied is added to it."""

    def __init__(self) -> None:
        self._state: dict[int, int] = {}
        self._types: set[Id] = set()
        self._dead: defaultdict[int, list[Range]] = defaultdict(list)
        self._halves: defaultdict[int, set[int]] = defaultdict(set)
        self._runs: defaultdict[int, list[Run]] = defaultdict(list)

    @property
    def state(self) -> Mapping[int, int]:
        """The state vector of the document."""
        return self._state

    def check(self, inspection: Inspection) -> None:
        """Check that an update, of which nothing is missing, can be applied to the document.

        Raises:
            Misplaced: It writes into what is no shared type, cuts a character in two, or puts
                something between ticks that are no neighbours, or stand the other way round, or
                goes on elsewhere with what the document has the beginning of.
        """
        for parent in inspection.parents:
            if not self._takes(parent, inspection):
                raise Misplaced(parent.client, parent.clock, "a shared type", "something else")
        for client, halves in inspection.halves.items():
            self._check_cuts(client, {self._known(client)}, halves)
        for client, cuts in inspection.cuts.items():
            self._check_cuts(client, cuts, inspection.halves.get(client, _NONE))
            self._check_cuts(client, cuts, self._halves.get(client, _NONE))
        parents = _Parents(self._runs, self._state, inspection)
        for left, right in inspection.between:
            self._check_neighbours(left, right, parents)
        for tick in inspection.first:
            self._check_first(tick, parents)
        for tick in inspection.last:
            self._check_last(tick, parents)
        for client in inspection.stretches:
            self._check_continued(client, inspection, parents)

    def add(self, inspection: Inspection) -> None:
        """Note what the document holds now that an update was applied to it."""
        parents = _Parents(self._runs, self._state, inspection)
        new = {client: parents.resolved(client) for client in inspection.runs}
        for client, runs in new.items():
            self._runs[client] += runs
        self._types |= {each for each in inspection.types if each.clock >= self._known(each.client)}
        for client, halves in inspection.halves.items():
            self._halves[client] |= {clock for clock in halves if clock >= self._known(client)}
        for client, dead in inspection.dead.items():
            self._dead[client] += [each for each in dead if each.end > self._known(client)]
        for client, ranges in fresh(inspection, self._state).items():
            self._state[client] = ranges[-1].end

    def _known(self, client: int) -> int:
        return self._state.get(client, 0)

    def _check_cuts(self, client: int, cuts: Set[int], halves: Set[int]) -> None:
        for clock in cuts & halves:
            raise Misplaced(client, clock, "a whole character", "half of one")

    def _takes(self, parent: Id, inspection: Inspection) -> bool:
        """Whether something can be written into a parent, of the document or of the update."""
        if parent.clock < self._known(parent.client):
            return parent in self._types or covers(self._dead.get(parent.client, ()), parent.clock)
        return parent in inspection.types or covers(
            inspection.dead.get(parent.client, ()), parent.clock
        )

    def _check_neighbours(self, left: Id, right: Id, parents: _Parents) -> None:
        """Check that something can be put behind one tick and before another one."""
        if parents.find(left) != parents.find(right):
            raise Misplaced(right.client, right.clock, "neighbours in one type", "in two types")
        if (
            left.client == right.client
            and right.clock <= left.clock
            and parents.run(left) == parents.run(right)
        ):
            got = f"a place before it and behind tick {left.clock}"
            raise Misplaced(right.client, right.clock, "neighbours in order", got)
        if left.clock + 1 < right.clock and parents.follows(left, right):
            got = f"a place before it and behind tick {left.clock}"
            raise Misplaced(right.client, right.clock, "neighbours", got)

    def _check_first(self, tick: Id, parents: _Parents) -> None:
        """Check that something can be put at the beginning and before a tick."""
        run = parents.run(tick)
        if parents.find(tick) is not None and (run.behind or run.start < tick.clock):
            raise Misplaced(tick.client, tick.clock, "the first tick", "one behind another one")

    def _check_last(self, tick: Id, parents: _Parents) -> None:
        """Check that something can be put behind a tick and at the end."""
        if parents.follows(tick, Id(tick.client, tick.clock + 1)):
            raise Misplaced(tick.client, tick.clock, "the last tick", "one before another one")

    def _check_continued(self, client: int, inspection: Inspection, parents: _Parents) -> None:
        """Check that a struct of which the document has the first part says what it is in, too."""
        known = self._known(client)
        runs = inspection.runs.get(client, ())
        place = bisect_left(runs, known, key=start_of)
        if not place or not any(
            stretch.start < known < stretch.end for stretch in inspection.stretches[client]
        ):
            return
        said = runs[place - 1].parent
        said = parents.find(said) if isinstance(said, Id) else said
        found = parents.find(Id(client, known - 1))
        if None not in {said, found} and said != found:
            raise Misplaced(client, known, "the type of the tick before", "another one")


class _Parents:
    """Finds what ticks stand in, of a document and of an update that is to be applied to it.

    Remembers what it found: runs of one update may refer to each other in long chains.
    """

    def __init__(
        self, runs: Mapping[int, Sequence[Run]], state: Mapping[int, int], inspection: Inspection
    ) -> None:
        self._runs = runs
        self._state = state
        self._new = inspection.runs
        self._found: dict[tuple[int, int], Parent | None] = {}

    def run(self, tick: Id) -> Run:
        """Return the run that a tick belongs to."""
        known = self._state.get(tick.client, 0)
        if tick.clock >= known:
            new = self._new.get(tick.client, ())
            place = bisect_right(new, tick.clock, key=start_of)
            if place and new[place - 1].start >= known:
                return new[place - 1]
        ours = self._runs.get(tick.client, ())
        place = bisect_right(ours, tick.clock, key=start_of)
        return ours[place - 1] if place else _NOWHERE

    def follows(self, left: Id, right: Id) -> bool:
        """Return whether a tick certainly stands behind a lower one, which is in the same run."""
        if left.client != right.client or self.find(left) is None:
            return False
        return left.clock < right.clock and self.run(left) == self.run(right)

    def find(self, tick: Id) -> Parent | None:
        """Return what a tick stands in, or `None` if nobody knows any more."""
        passed = []
        run = self.run(tick)
        while isinstance(run.parent, Id) and (tick.client, run.start) not in self._found:
            passed.append((tick.client, run.start))
            tick = run.parent
            run = self.run(tick)
        found = (
            self._found.get((tick.client, run.start)) if isinstance(run.parent, Id) else run.parent
        )
        for spot in passed:
            self._found[spot] = found
        return found

    def resolved(self, client: int) -> list[Run]:
        """Return the runs of a client that the document does not have, and what they stand in."""
        new = self._new[client]
        first = bisect_left(new, self._state.get(client, 0), key=start_of)
        return [replace(run, parent=self.find(Id(client, run.start))) for run in new[first:]]
