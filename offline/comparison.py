"""What a pass hears otherwise than machines believed so far.

The machines' own words are compared, never the text, so that whoever compares finds the same::

    believed   we   went  to  there house      fine
    heard      We   went  to  the   old  house fine
               ----           ----------
    spelling        equal     replaced          equal

Words that only differ in case or punctuation are differences by themselves. Of words that a later
pass heard already, an earlier one that comes late says nothing any more; nor does any of words that
were heard again because somebody asked for it (`View.rank`).

A span of audio may begin or end in the middle of a word, which the pass then hears in part, beside
the span, or not at all. So words next to the span are compared too, and stay as they are: what the
pass made of them is not taken for new, and a word of which it can only have heard a part is not
missing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from offline.belief import Belief
from offline.decisions import BEFORE_ALL, LONGEST_NAME, Alias, Hunk
from offline.domain import PassWord, Segment, WordRef
from offline.matching import Keyed, match
from offline.view import View
from streaming.core.agreement import agreement_key

NEAR_MS = 500
"""Words so near to a span may be what a pass heard at its edge: word times are not exact."""

NEAR_WORDS = 3

STICKS_OUT_MS = 100
"""A word that goes so far beyond a span was heard in part only."""

MOST_OLD = 12
"""Words that one hunk replaces: longer ones are cut, so that one edit does not keep a minute as it
was."""

MOST_NEW = 500
"""Words of one hunk; fewer than may be named."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What a pass heard in a span, to be compared with what was believed of it.

    Attributes:
        new: The words, of which there may be none.
        start_ms: Where the span begins, on the transcript's clock.
        end_ms: Where it ends.
        sealed_start: Whether no word lies across its beginning, in neither pass: audio before it
            was heard as well.
        sealed_end: Likewise.
    """

    new: Segment
    start_ms: int
    end_ms: int
    sealed_start: bool = False
    sealed_end: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where a pass hears otherwise.

    Attributes:
        hunk: What it hears.
        before: The word that was believed to be said before it; `None` at the very start.
        following: The one after it; `None` at the end.
        spelling: Only case or punctuation are other ones.
        first: It comes before all that was believed of the portion.
        empty: Nothing was believed of the whole portion.
    """

    hunk: Hunk
    before: WordRef | None
    following: WordRef | None
    spelling: bool
    first: bool
    empty: bool


@dataclass
class Comparison:
    """What came of comparing.

    Attributes:
        differences: From left to right.
        aliases: Words that both sides have, and whose times are better known now.
    """

    differences: list[Difference] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)


def compare(view: View, belief: Belief, portion: Portion) -> Comparison:
    """Compare what a pass heard with what was believed.

    Takes milliseconds for a minute of speech.
    """
    return _Comparing(view, belief, portion).result()


class _Comparing:
    """One comparison. Indices of old words count in `belief.words`, those of new in their pass."""

    def __init__(self, view: View, belief: Belief, portion: Portion) -> None:
        self._view = view
        self._believed = belief.words
        self._portion = portion
        self._start = WordRef(belief.live, BEFORE_ALL)
        self._said: Sequence[PassWord] = view.passes.get(portion.new.pass_id, ())
        self._inside = self._find()
        self._left = self._start
        self._found = Comparison()

    def result(self) -> Comparison:
        inside, new = self._inside, self._portion.new
        lead = 0 if self._portion.sealed_start else self._near(range(inside.start - 1, -1, -1))
        rest = range(inside.stop, len(self._believed))
        tail = 0 if self._portion.sealed_end else self._near(rest)
        first, end = inside.start - lead, inside.stop + tail
        if first > 0:
            self._left = self._believed[first - 1]
        ours = [_keyed(self._old(index)) for index in range(first, end)]
        theirs = [_keyed(self._said[index]) for index in range(new.first, new.end)]
        done, heard = first, new.first
        for our, their in [*match(ours, theirs), (len(ours), len(theirs))]:
            i, j = first + our, new.first + their
            if i > done or j > heard:
                self._other(range(done, i), range(heard, j))
            if i < end:
                self._same(i, j)
            done, heard = i + 1, j + 1
        return self._found

    # Words of both sides

    def _old(self, index: int) -> PassWord:
        return self._view.heard(self._believed[index])

    def _find(self) -> range:
        """Return which words lie in the portion; see "Folding events" in the protocol."""

        def twice_the_middle(ref: WordRef) -> int:
            word = self._view.heard(ref)
            return word.start_ms + word.end_ms

        start_ms, end_ms = self._portion.start_ms, self._portion.end_ms
        first = bisect_left(self._believed, 2 * start_ms, key=twice_the_middle)
        find = bisect_left if self._portion.sealed_end else bisect_right
        end = find(self._believed, 2 * end_ms, lo=first, key=twice_the_middle)
        return range(first, end)

    def _near(self, indices: range) -> int:
        """Return how many words next to the portion may have been heard in it."""
        count = 0
        for index in indices[:NEAR_WORDS]:
            word = self._old(index)
            if not (
                word.end_ms > self._portion.start_ms - NEAR_MS
                and word.start_ms < self._portion.end_ms + NEAR_MS
            ):
                break
            count += 1
        return count

    def _newest(self, index: int) -> tuple[bool, int, str]:
        """Return the rank of the last pass that heard a word so."""
        ref, rank = self._believed[index], self._view.rank
        return max(rank(ref.pass_id), rank(self._view.history.aliases.get(ref, ref).pass_id))

    # Differences

    def _same(self, index: int, heard: int) -> None:
        old, new = self._believed[index], self._new(heard)
        other = self._view.passes[old.pass_id][old.word].text != self._said[heard].text
        history, rank = self._view.history, self._view.rank
        late = self._newest(index) >= rank(new.pass_id) or history.is_decided(new)
        if index not in self._inside or late:
            self._left = old
        elif other:
            self._add(range(index, index + 1), range(heard, heard + 1), spelling=True)
        else:
            self._left = old
            self._found.aliases.append(Alias(old, new))

    def _other(self, old: range, heard: range) -> None:
        ours = self._within(old)
        theirs = self._beyond_neighbours(old, ours, heard)
        if not ours:
            theirs = self._in_span(theirs)
        if not theirs:
            ours = self._heard_whole(ours)
        if self._is_stale(ours) or any(self._view.history.is_decided(self._new(j)) for j in theirs):
            ours, theirs = range(old.stop, old.stop), range(0)
        if ours.start > old.start:
            self._left = self._believed[ours.start - 1]
        if ours or theirs:
            for piece in self._pieces(ours, theirs):
                self._add(*piece, spelling=False)
        if ours.stop < old.stop:
            self._left = self._believed[old.stop - 1]

    def _within(self, old: range) -> range:
        """Return those of some words that lie in the portion; their place, if there are none."""
        first = min(max(old.start, self._inside.start), self._inside.stop)
        return range(first, max(min(old.stop, self._inside.stop), first))

    def _beyond_neighbours(self, old: range, ours: range, heard: range) -> range:
        """Return the new words without those that are parts of words next to the portion."""
        first, end = heard.start, heard.stop
        if ours.start == self._inside.start and ours.start > 0 and not self._portion.sealed_start:
            limit = self._old(ours.start - 1).end_ms
            while first < end and self._middle(first) < limit:
                first += 1
        last = len(self._believed)
        if ours.stop == self._inside.stop and ours.stop < last and not self._portion.sealed_end:
            limit = self._old(ours.stop).start_ms
            while first < end and self._middle(end - 1) >= limit:
                end -= 1
        if old.stop < self._inside.start or old.start > self._inside.stop:
            return range(first, first)  # between words next to the portion
        return range(first, end)

    def _in_span(self, heard: range) -> range:
        """Return the new words without those at the edges that were heard beside the span."""
        first, end = heard.start, heard.stop
        if not self._portion.sealed_start:
            while first < end and self._middle(first) < self._portion.start_ms:
                first += 1
        if not self._portion.sealed_end:
            while first < end and self._middle(end - 1) > self._portion.end_ms:
                end -= 1
        return range(first, end)

    def _middle(self, heard: int) -> float:
        return (self._said[heard].start_ms + self._said[heard].end_ms) / 2

    def _heard_whole(self, ours: range) -> range:
        """Return missing words without those that go beyond the span."""
        first, end = ours.start, ours.stop
        start_ms, end_ms = self._portion.start_ms, self._portion.end_ms
        if first == self._inside.start and not self._portion.sealed_start:
            while first < end and self._old(first).start_ms < start_ms - STICKS_OUT_MS:
                first += 1
        if end == self._inside.stop and not self._portion.sealed_end:
            while first < end and self._old(end - 1).end_ms > end_ms + STICKS_OUT_MS:
                end -= 1
        return range(first, end)

    def _is_stale(self, ours: range) -> bool:
        """Return whether a later pass has spoken about words, or about those around a place."""
        own = self._view.rank(self._portion.new.pass_id)
        if ours:
            return any(self._newest(index) >= own for index in ours)
        around = range(max(ours.start - 1, 0), min(ours.start + 1, len(self._believed)))
        return bool(around) and all(self._newest(index) > own for index in around)

    def _pieces(self, ours: range, theirs: range) -> Iterator[tuple[range, range]]:
        """Cut what is too long for one hunk, at about the same time on both sides."""
        named = Hunk(self._believed[ours.start : ours.stop], None, self._segment(theirs))
        if len(ours) <= MOST_OLD and len(theirs) <= MOST_NEW and len(str(named)) <= LONGEST_NAME:
            yield ours, theirs
            return
        if len(ours) > 1:
            i = ours.start + len(ours) // 2
            at_ms = self._old(i - 1).end_ms
            j = next((j for j in theirs if self._middle(j) >= at_ms), theirs.stop)
        else:
            i, j = ours.stop, theirs.start + len(theirs) // 2
        yield from self._pieces(range(ours.start, i), range(theirs.start, j))
        yield from self._pieces(range(i, ours.stop), range(j, theirs.stop))

    def _new(self, heard: int) -> WordRef:
        return WordRef(self._portion.new.pass_id, heard)

    def _segment(self, theirs: range) -> Segment:
        return Segment(self._portion.new.pass_id, theirs.start, theirs.stop)

    def _add(self, ours: range, theirs: range, *, spelling: bool) -> None:
        old = self._believed[ours.start : ours.stop]
        hunk = Hunk(old, None if old else self._left, self._segment(theirs))
        before = self._believed[ours.start - 1] if ours.start else None
        following = self._believed[ours.stop] if ours.stop < len(self._believed) else None
        self._found.differences.append(
            Difference(
                hunk,
                before,
                following,
                spelling,
                first=ours.start == self._inside.start,
                empty=not self._inside,
            )
        )
        if theirs:
            self._left = self._new(theirs.stop - 1)


def _keyed(word: PassWord) -> Keyed:
    return Keyed(agreement_key(word.text), (word.start_ms + word.end_ms) // 2)
