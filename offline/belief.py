"""What machines take for said in one session, after all passes over it.

The text says what machines believe and what people made of it. To see what a pass hears otherwise,
it has to be compared with the former alone: the words of the live pass, and in their places those
of the passes after it, as decided hunk by hunk, whether the text took them over or people did not
want it to. So a pass that hears the same as the one before it has nothing to say, and whoever
compares finds the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from offline.decisions import BEFORE_ALL, Decision, Hunk, refs
from offline.domain import PassId, WordRef


@dataclass(frozen=True, slots=True)
class Belief:
    """The words of one session, in the order in which they were said.

    Attributes:
        live: The session's live pass.
        words: Each of the pass that was the first to hear it so.
        passes: All that decided something about this session.
    """

    live: PassId
    words: tuple[WordRef, ...]
    passes: frozenset[PassId]

    @classmethod
    def of(cls, live: PassId, heard: int, decisions: Iterable[Decision] = ()) -> Belief:
        """Return what machines believe.

        Takes 20 ms for 27,000 words and 3,000 decisions.

        Args:
            live: The session's live pass.
            heard: How many words that pass has.
            decisions: Of all passes over the session, in the order in which they were made; those
                of other sessions do not matter.
        """
        words = tuple(WordRef(live, word) for word in range(heard))
        return cls(live, words, frozenset([live])).after(decisions)

    def after(self, decisions: Iterable[Decision]) -> Belief:
        """Return what machines believe after decisions, the first one first.

        Hunks whose words are nowhere are of another session, or were folded before.
        """
        chain = _Chain(WordRef(self.live, BEFORE_ALL), self.words)
        passes = set(self.passes)
        for decision in decisions:
            hunk = Hunk.parse(decision.hunk)
            if hunk is not None and chain.fold(hunk):
                passes.add(hunk.new.pass_id)
        return Belief(self.live, chain.words(), frozenset(passes))


class _Chain:
    """Words that are linked, so that each hunk takes the same time."""

    def __init__(self, start: WordRef, words: Sequence[WordRef]) -> None:
        self._start = start
        self._next: dict[WordRef, WordRef | None] = {}
        self._last: dict[WordRef, WordRef] = {}
        self._link((start, *words), None)

    def fold(self, hunk: Hunk) -> bool:
        """Put new words in the place of old ones; return whether these are here, and in a row."""
        old, new = (hunk.after,) if hunk.after is not None else hunk.old, refs(hunk.new)
        if any(word not in self._next for word in old) or any(word in self._next for word in new):
            return False
        if any(self._next[one] != other for one, other in pairwise(old)):
            return False
        before, rest = old[0], self._next[old[-1]]
        if hunk.after is None:
            before = self._last[before]
            for word in old:
                del self._next[word], self._last[word]
        self._link((before, *new), rest)
        return True

    def words(self) -> tuple[WordRef, ...]:
        words: list[WordRef] = []
        at = self._next[self._start]
        while at is not None:
            words.append(at)
            at = self._next[at]
        return tuple(words)

    def _link(self, words: Sequence[WordRef], rest: WordRef | None) -> None:
        for one, other in pairwise((*words, rest)):
            assert one is not None
            self._next[one] = other
            if other is not None:
                self._last[other] = one
