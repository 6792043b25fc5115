"""A transcript's text as a plan sees it: which machine's words stand where, and in which turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from offline.decisions import age, refs
from offline.domain import PassId, PassWord, Run, Segment, SpeakerId, TurnId, WordRef
from offline.history import History
from offline.page import Page
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
        page: The text.
        speakers: Who speaks in each turn, as machines say.
        pinned: Turns of which people said who speaks.
        passes: The words of every pass.
        by_machine: Whether all characters of a span were written by machines.
        history: What became of all that passes heard.
        dropped: Turns whose beginnings machines took away.
        suggestions: What people are shown, by the names of the hunks.
        choices: What people decided about suggestions, past ones too.
        sessions: Whose audio a pass heard, as far as that is known.
        asked_for: Passes that somebody asked for.
    """

    page: Page
    speakers: Mapping[TurnId, SpeakerId]
    pinned: frozenset[TurnId]
    passes: Mapping[PassId, Sequence[PassWord]]
    by_machine: Callable[[int, int], bool]
    history: History = field(default_factory=History)
    dropped: Collection[TurnId] = ()
    suggestions: Mapping[str, Suggestion] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)
    sessions: Mapping[PassId, str] = field(default_factory=dict)
    asked_for: Collection[PassId] = ()

    @property
    def runs(self) -> Sequence[Run]:
        """The text from its start."""
        return self.page.runs

    @property
    def text(self) -> str:
        """The whole text."""
        return self.page.text

    @property
    def turns(self) -> frozenset[TurnId]:
        """The turns that begin somewhere in the text."""
        return self.page.turns

    @property
    def pieces(self) -> dict[Segment, list[int]]:
        """The runs of each segment that a known pass wrote."""
        return self.page.pieces

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

    def rank(self, pass_id: PassId) -> tuple[bool, int, str]:
        """Return what passes are sorted by, the one that is believed most last.

        That is the latest one, but what somebody asked for is not undone by what comes by itself,
        such as the pass over the whole recording.
        """
        return pass_id in self.asked_for, *age(pass_id)

    def said(self, segment: Segment) -> Sequence[PassWord]:
        """Return a segment's words, as its pass heard them."""
        return self.passes[segment.pass_id][segment.first : segment.end]

    def left(self, segment: Segment) -> list[WordRef]:
        """Return the words of a segment that machines did not take out of the text."""
        gone = self.history.gone
        return [word for word in refs(segment) if word not in gone]

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
            for segment in self.page.written(sought)
            for item in self.standing(segment)
            if item.ref in sought
        }

    def only_turns(self, start: int, end: int) -> bool:
        """Return whether nothing stands in a span but the beginnings of turns, by machines.

        Turns of which people said who speaks do not count: they are people's then.
        """
        inside = self.page.runs_in(start, end)
        turns = [run.turn for run in inside if run.turn is not None]
        mere = len(turns) == len(inside) and not self.pinned.intersection(turns)
        return mere and self.by_machine(start, end)

    def around(self, words: Iterable[WordRef]) -> range:
        """Return the runs from the first to the last of some words, and what is beside them.

        On either side that is all up to the next word, or else the rest of the turn and the next.
        """
        page = self.page
        touched = [number for segment in page.written(words) for number in self.pieces[segment]]
        if not touched:
            return range(0)
        first, last = min(touched), max(touched)
        before = page.turn_start(page.turn_start(first) - 1)
        end = page.turn_end(page.turn_end(last) + 1)
        return range(
            next(filter(self._has_words, range(first - 1, before - 1, -1)), before),
            next((n + 1 for n in range(last + 1, end) if self._has_words(n)), end),
        )

    def _has_words(self, run: int) -> bool:
        """Return whether words stand in a run."""
        segment = self.runs[run].segment
        start, end = self.page.starts[run : run + 2]
        return segment in self.pieces and any(
            start <= word.start < end for word in self.standing(segment)
        )

    def items(self, runs: range) -> list[Standing | Marker]:
        """Return the words that stand in some runs and the turns that begin there, in order."""
        segments = dict.fromkeys(self.runs[number].segment for number in runs)
        items: list[Standing | Marker] = [
            word
            for segment in segments
            if segment in self.pieces
            for word in self.standing(segment)
            if self.page.starts[runs.start] <= word.start < self.page.starts[runs.stop]
        ]
        items += [
            Marker(self.page.starts[number], turn)
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
                start=self.page.starts[numbers[word.text]] + word.start,
                end=self.page.starts[numbers[word.text]] + word.end,
                segment=segment,
                word=left[word.word].word,
                exact=word.exact,
                turn=self.page.turn_at(numbers[word.text]),
            )
            for word in standing(texts, [said[ref.word] for ref in left])
        ]


_TURN = re.compile(r"([0-9A-Za-z-]{1,64})\.([0-9]{1,9})(?:-[0-9]{1,9})?", re.ASCII)
"""Ids of turns that machines made: see `offline.placement.turn_id`."""
