"""A text in runs, and what is looked up in it: turns, and which segments stand where."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from offline.domain import PassId, PassWord, Run, Segment, TurnId, WordRef


@dataclass(frozen=True)
class Page:
    """One state of a text; what is computed of it is kept, for all plans that see it so.

    Attributes:
        runs: The text from its start.
        heard: How many words each pass has.
    """

    runs: Sequence[Run]
    heard: Mapping[PassId, int]

    @classmethod
    def of(cls, runs: Sequence[Run], passes: Mapping[PassId, Sequence[PassWord]]) -> Page:
        """Return a page with what passes wrote."""
        return cls(runs, {pass_id: len(words) for pass_id, words in passes.items()})

    @cached_property
    def text(self) -> str:
        """The whole text."""
        return "".join([run.text for run in self.runs])

    @cached_property
    def turns(self) -> frozenset[TurnId]:
        """The turns that begin somewhere in the text."""
        return frozenset(turn for n in self._markers if (turn := self.runs[n].turn) is not None)

    @cached_property
    def _markers(self) -> list[int]:
        return [number for number, run in enumerate(self.runs) if run.turn is not None]

    @cached_property
    def starts(self) -> list[int]:
        """Where each run begins, and where the text ends."""
        return list(accumulate([len(run.text) for run in self.runs], initial=0))

    @cached_property
    def pieces(self) -> dict[Segment, list[int]]:
        """The runs of each segment that a known pass wrote.

        A segment that shares words with one before it was forged, as passes write each word once;
        to look for its words again and again could take for ever.
        """
        return self._written[0]

    @cached_property
    def _written(self) -> tuple[dict[Segment, list[int]], dict[PassId, list[Segment]]]:
        """The pieces, and the segments of each pass in the order of its words."""
        heard, pieces = self.heard, dict[Segment, list[int]]()
        taken: dict[PassId, list[Segment]] = {}
        for number, segment in enumerate([run.segment for run in self.runs]):
            if segment is None:
                continue
            numbers = pieces.get(segment)
            if numbers is not None:
                numbers.append(number)
            elif segment.end <= heard.get(segment.pass_id, 0) and _claim(
                taken.setdefault(segment.pass_id, []), segment
            ):
                pieces[segment] = [number]
        return pieces, taken

    def begins_turn(self, at: int) -> bool:
        """Return whether what stands at `at` begins a turn, or the text."""
        return at == 0 or self.runs[bisect_right(self.starts, at - 1) - 1].turn is not None

    def highlight(self, start: int, end: int) -> str | None:
        """Return the colour of a span, or of the first part of it that has one."""
        return next((run.highlight for run in self.runs_in(start, end) if run.highlight), None)

    def runs_in(self, start: int, end: int) -> Sequence[Run]:
        """Return the runs that have a part in a span; none for an empty one."""
        if start >= end:
            return ()
        first = bisect_right(self.starts, start, hi=len(self.runs)) - 1
        return self.runs[first : bisect_left(self.starts, end, hi=len(self.runs))]

    def turn_at(self, run: int) -> TurnId | None:
        """Return the turn that a run stands in."""
        place = bisect_right(self._markers, run)
        return self.runs[self._markers[place - 1]].turn if place else None

    def turn_start(self, run: int) -> int:
        """Return the run that begins the turn of `run`, or the first run."""
        place = bisect_right(self._markers, run)
        return self._markers[place - 1] if place else 0

    def turn_end(self, run: int) -> int:
        """Return the run after the turn of `run`."""
        place = bisect_right(self._markers, run)
        return self._markers[place] if place < len(self._markers) else len(self.runs)

    def written(self, words: Iterable[WordRef]) -> list[Segment]:
        """Return the segments that some words were written in."""
        found: dict[Segment, None] = {}
        for word in words:
            segments = self._written[1].get(word.pass_id, ())
            place = bisect_right(segments, word.word, key=_first) - 1
            if place >= 0 and word.word < segments[place].end:
                found[segments[place]] = None
        return list(found)


def _claim(taken: list[Segment], segment: Segment) -> bool:
    """Add a segment to those of its pass, in order, unless it shares words with one of them."""
    if taken and segment.first < taken[-1].end:  # else it comes last, as most do
        place = bisect_left(taken, segment.first, key=_first)
        if any(_overlap(segment, other) for other in taken[max(place - 1, 0) : place + 1]):
            return False
        taken.insert(place, segment)
    else:
        taken.append(segment)
    return True


def _first(segment: Segment) -> int:
    return segment.first


def _overlap(one: Segment, other: Segment) -> bool:
    return one.first < other.end and other.first < one.end
