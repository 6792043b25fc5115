"""Which words of two hearings of the same audio are the same ones (pure).

Equal words further apart than `APART_MS` are not the same word said once: a refrain, or "no" after
"no". Of what is left, as many words as possible are matched, in the order of both; where there are
several ways, those closest in time. That is the heaviest common subsequence, found over the pairs
that may match rather than over all (Jacobson & Vo, "Heaviest Increasing/Common Subsequence
Problems", CPM 1992).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

APART_MS = 2_000
"""So much may the times of one word differ: they come from attention, and words at the edges of
windows are off by a second at times."""

_MATCH = 1_000_000
"""What one more match is worth in milliseconds of time between the words of all matches."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A word as it is compared.

    Attributes:
        key: Equal for words that are the same but for case and punctuation.
        middle_ms: The middle of its time.
    """

    key: str
    middle_ms: int


@dataclass(frozen=True, slots=True)
class _Chain:
    """Matches, the last one first."""

    worth: int
    ours: int
    theirs: int
    before: _Chain | None


def match(ours: Sequence[Keyed], theirs: Sequence[Keyed]) -> list[tuple[int, int]]:
    """Return which of our words are which of theirs; both indices rise.

    Takes milliseconds for a minute of speech, and grows little faster than the number of words.

    Args:
        ours: About in the order of time.
        theirs: Likewise.
    """
    best = _Best(len(theirs))
    places: dict[str, list[int]] = {}
    for index, word in enumerate(theirs):
        places.setdefault(word.key, []).append(index)
    for index, word in enumerate(ours):
        # From the right, so that none of them follows another: a word is matched once.
        for place in reversed(places.get(word.key, ())):
            apart_ms = abs(theirs[place].middle_ms - word.middle_ms)
            if apart_ms <= APART_MS:
                before = best.until(place)
                worth = _MATCH - apart_ms + (0 if before is None else before.worth)
                best.note(place, _Chain(worth, index, place, before))
    return [*_matches(best.until(len(theirs)))][::-1]


def _matches(chain: _Chain | None) -> Iterator[tuple[int, int]]:
    while chain is not None:
        yield chain.ours, chain.theirs
        chain = chain.before


class _Best:
    """The best chain that ends before any place; a Fenwick tree (Fenwick 1994) of maxima."""

    def __init__(self, places: int) -> None:
        self._tree: list[_Chain | None] = [None] * (places + 1)

    def until(self, place: int) -> _Chain | None:
        """Return the best chain that ends before a place, the first of equals."""
        found: _Chain | None = None
        while place > 0:
            found = _better(found, self._tree[place])
            place -= place & -place
        return found

    def note(self, place: int, chain: _Chain) -> None:
        """Take note of a chain that ends at a place."""
        place += 1
        while place < len(self._tree):
            self._tree[place] = _better(self._tree[place], chain)
            place += place & -place


def _better(one: _Chain | None, other: _Chain | None) -> _Chain | None:
    if one is None or other is None:
        return one or other
    return other if other.worth > one.worth else one
