"""What a peer shows: words that stand, and words that may change, each since when.

Peers send whole texts again and again. A word is the same word as before when it has the same
place between its neighbours, so the texts are aligned; it then keeps the times at which it was
first shown and first stood. A word that changes after it stood counts anew, from when it did: on
the reader's screen it was not final before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from loadtest.scoring import Token
from loadtest.word_latency import HeardWord


@dataclass(frozen=True, slots=True)
class _Shown:
    token: Token
    since_s: float
    standing_since_s: float | None


class Screen:
    """One client's view of a peer; owned by its connection."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self._words: list[_Shown] = []
        self.retracted = 0

    @property
    def words(self) -> tuple[HeardWord, ...]:
        """The words that stand."""
        return tuple(
            HeardWord(word.token, word.standing_since_s, word.since_s)
            for word in self._words
            if word.standing_since_s is not None
        )

    def show(self, at_s: float, standing: Sequence[Token], tentative: Sequence[Token]) -> None:
        """Replace everything by what a message said.

        Args:
            at_s: When it came.
            standing: All words that will not change any more, from the beginning.
            tentative: Words after them that may.
        """
        tokens = [*standing, *tentative]
        shown = [_Shown(token, at_s, None) for token in tokens]
        same = self._unchanged(tokens)
        for before, now in same:
            shown[now] = replace(self._words[before], token=tokens[now])
        for index in range(len(standing)):
            if shown[index].standing_since_s is None:
                shown[index] = replace(shown[index], standing_since_s=at_s)
        self.retracted += len(self._words) - len(same)
        self._words = shown

    def _unchanged(self, tokens: Sequence[Token]) -> list[tuple[int, int]]:
        """Return pairs (before, now) of words that are the same."""
        before = [word.token.text for word in self._words]
        now = [token.text for token in tokens]
        first = 0  # Nearly all of a long text: aligning takes time by the square.
        while first < min(len(before), len(now)) and before[first] == now[first]:
            first += 1
        rest = SequenceMatcher(None, before[first:], now[first:], autojunk=False)
        return [(index, index) for index in range(first)] + [
            (first + block.a + n, first + block.b + n)
            for block in rest.get_matching_blocks()
            for n in range(block.size)
        ]
