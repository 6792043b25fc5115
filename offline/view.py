"""A transcript's text as a plan sees it: which machine's words stand where, and in which turn."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from offline.decisions import refs
from offline.domain import PassId, PassWord, Run, Segment, SpeakerId, TurnId, WordRef
from offline.history import History
from offline.standing import standing
from offline.suggestions import Choice, Suggestion


@dataclass(frozen=True, slots=True)
class Standing:
    """A word of a pass that stands in the text.

    Attributes:
        start: Its first character, in code points of the whole text.
        end: After its last one.
        segment: What it was written with.
        word: Its index in the pass.
        exact: Nobody changed it, not even its case.
        turn: In which turn; `None` before the first.
    """

    start: int
    end: int
    segment: Segment
    word: int
    exact: bool
    turn: TurnId | None

    @property
    def pass_id(self) -> PassId:
        """Whose word."""
        return self.segment.pass_id

    @property
    def ref(self) -> WordRef:
        """Which word."""
        return WordRef(self.segment.pass_id, self.word)


@dataclass(frozen=True, slots=True)
class Marker:
    """The newline at `at` that begins a turn."""

    at: int
    turn: TurnId


@dataclass(frozen=True)
class View:
    """One state of a transcript; what is computed of it is kept.

    Attributes:
        runs: The text from its start.
        speakers: Who speaks in each turn, as machines say.
        pinned: Turns of which people said who speaks.
        passes: The words of every pass.
        by_machine: Whether all characters of a span were written by machines.
        history: What became of all that passes heard.
        dropped: Turns whose beginnings machines took away.
        suggestions: What people are shown, by the names of the hunks.
        choices: What people decided about suggestions, past ones too.
    """

    runs: Sequence[Run]
    speakers: Mapping[TurnId, SpeakerId]
    pinned: frozenset[TurnId]
    passes: Mapping[PassId, Sequence[PassWord]]
    by_machine: Callable[[int, int], bool]
    history: History = field(default_factory=History)
    dropped: Collection[TurnId] = ()
    suggestions: Mapping[str, Suggestion] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)

    @cached_property
    def text(self) -> str:
        """The whole text."""
        return "".join(run.text for run in self.runs)

    @cached_property
    def turns(self) -> frozenset[TurnId]:
        """The turns that begin somewhere in the text."""
        return frozenset(run.turn for run in self.runs if run.turn is not None)

    @cached_property
    def starts(self) -> list[int]:
        """Where each run begins, and where the text ends."""
        return list(accumulate((len(run.text) for run in self.runs), initial=0))

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
        pieces: dict[Segment, list[int]] = {}
        taken: dict[PassId, list[Segment]] = {}
        for number, run in enumerate(self.runs):
            segment = run.segment
            if segment is None:
                continue
            numbers = pieces.get(segment)
            if numbers is not None:
                numbers.append(number)
            elif segment.end <= len(self.passes.get(segment.pass_id, ())) and _claim(
                taken.setdefault(segment.pass_id, []), segment
            ):
                pieces[segment] = [number]
        return pieces, taken

    @cached_property
    def joined(self) -> frozenset[WordRef]:
        """Words at which turns began until people joined these to the turns before."""
        gone = self.speakers.keys() - self.turns
        words = (self.beginning(turn) for turn in gone)
        return frozenset(word for word in words if word is not None)

    def beginning(self, turn: TurnId) -> WordRef | None:
        """Return the word at which a machine's turn begins or began, as it is heard by now."""
        found = _TURN.fullmatch(turn)
        word = None if found is None else WordRef(PassId(found[1]), int(found[2]))
        while word is not None and word in self.history.replacements:
            word = self.history.replacements[word]
        return word

    def said(self, segment: Segment) -> Sequence[PassWord]:
        """Return a segment's words, as its pass heard them."""
        return self.passes[segment.pass_id][segment.first : segment.end]

    def left(self, segment: Segment) -> list[WordRef]:
        """Return the words of a segment that machines did not take out of the text."""
        return [word for word in refs(segment) if word not in self.history.replacements]

    def heard(self, word: WordRef) -> PassWord:
        """Return a word with the times that the last pass heard for it."""
        best = self.history.aliases.get(word, word)
        said = self.passes.get(best.pass_id, ())
        return said[best.word] if best.word < len(said) else self.passes[word.pass_id][word.word]

    def found(self, words: Collection[WordRef]) -> dict[WordRef, Standing]:
        """Return where some words stand, of those that do."""
        sought = set(words)
        return {
            item.ref: item
            for segment in self.written(sought)
            for item in self.standing(segment)
            if item.ref in sought
        }

    def only_turns(self, start: int, end: int) -> bool:
        """Return whether nothing stands in a span but the beginnings of turns, by machines.

        Turns of which people said who speaks do not count: they are people's then.
        """
        inside = self.runs_in(start, end)
        turns = [run.turn for run in inside if run.turn is not None]
        mere = len(turns) == len(inside) and not self.pinned.intersection(turns)
        return mere and self.by_machine(start, end)

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
        before = (self.runs[n].turn for n in range(run, -1, -1))
        return next((turn for turn in before if turn is not None), None)

    def written(self, words: Iterable[WordRef]) -> list[Segment]:
        """Return the segments that some words were written in."""
        found: dict[Segment, None] = {}
        for word in words:
            segments = self._written[1].get(word.pass_id, ())
            place = bisect_right(segments, word.word, key=_first) - 1
            if place >= 0 and word.word < segments[place].end:
                found[segments[place]] = None
        return list(found)

    def around(self, words: Iterable[WordRef]) -> range:
        """Return the runs from the first to the last of some words, with the turns beside them."""
        touched = [number for segment in self.written(words) for number in self.pieces[segment]]
        if not touched:
            return range(0)
        before = self.turn_start(min(touched)) - 1
        return range(self.turn_start(before), self.turn_end(self.turn_end(max(touched)) + 1))

    def items(self, runs: range) -> list[Standing | Marker]:
        """Return the words that stand in some runs and the turns that begin there, in order."""
        segments = dict.fromkeys(self.runs[number].segment for number in runs)
        items: list[Standing | Marker] = [
            word
            for segment in segments
            if segment in self.pieces
            for word in self.standing(segment)
            if self.starts[runs.start] <= word.start < self.starts[runs.stop]
        ]
        items += [
            Marker(self.starts[number], turn)
            for number in runs
            if (turn := self.runs[number].turn) is not None
        ]
        return sorted(items, key=lambda item: item.at if isinstance(item, Marker) else item.start)

    def standing(self, segment: Segment) -> list[Standing]:
        """Return the words of a segment that still stand, wherever in the text."""
        if segment not in self._standing:
            self._standing[segment] = self._find(segment)
        return self._standing[segment]

    @cached_property
    def _standing(self) -> dict[Segment, list[Standing]]:
        return {}

    def _find(self, segment: Segment) -> list[Standing]:
        numbers = self.pieces[segment]
        texts = [self.runs[number].text for number in numbers]
        left = self.left(segment)
        said = self.passes[segment.pass_id]
        return [
            Standing(
                start=self.starts[numbers[word.text]] + word.start,
                end=self.starts[numbers[word.text]] + word.end,
                segment=segment,
                word=left[word.word].word,
                exact=word.exact,
                turn=self.turn_at(numbers[word.text]),
            )
            for word in standing(texts, [said[ref.word] for ref in left])
        ]

    def turn_start(self, run: int) -> int:
        """Return the run that begins the turn of `run`, or the first run."""
        while run > 0 and self.runs[run].turn is None:
            run -= 1
        return max(run, 0)

    def turn_end(self, run: int) -> int:
        """Return the run after the turn of `run`."""
        run += 1
        while run < len(self.runs) and self.runs[run].turn is None:
            run += 1
        return min(run, len(self.runs))


_TURN = re.compile(r"([0-9A-Za-z-]{1,64})\.([0-9]{1,9})(?:-[0-9]{1,9})?", re.ASCII)
"""Ids of turns that machines made: see `offline.placement.turn_id`."""


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
