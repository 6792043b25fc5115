"""Which words of two microphones are one talk that both heard (pure).

    one microphone    so  we walked  their   and       back
                          |  |       ~       |         |
    the other             we walked  there   and then  back

Words are matched in order where they are equal and were said at about the same time, as by local
alignment (Smith and Waterman, "Identification of Common Molecular Subsequences", 1981): a match
counts one, a word without one costs. Only what counts `ENOUGH`, as a row of three equal words does,
is a talk, so that two people who happen to say "yes" at once are both kept; where it is known that
one person speaks, one word is enough. Between two matches, words that were said at the same time
were heard differently, and belong to each other too; what only one microphone heard there belongs
to nothing.

The clocks of microphones differ by how long their audio takes: a long talk may be apart further
than a short one, but no talk drifts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from offline.domain import PassWord, WordRef
from streaming.core.agreement import agreement_key

ENOUGH = 3.0
"""Two people do not say so many equal words in a row by chance at once."""

LONG = 8
"""Matches from which on a talk may be apart as far as clocks may be."""

NEAR_MS = 700
"""So far apart two microphones hear one word: word times are not exact."""

SKEW_MS = 2_000
"""So far apart clocks may be."""

SAME_MS = 400
"""So far apart a word of a person whom both heard may be, if nothing else matches."""

DRIFT_MS = 400
"""By how much the distance may differ from one match to the next."""

GAP = 3
"""Words of either side between two matches."""

GAP_COST = 0.4
"""Of each of these."""


class Heard(NamedTuple):
    """A word as one microphone heard it; a tuple, as there are many."""

    ref: WordRef
    key: str
    start_ms: int
    end_ms: int

    @classmethod
    def of(cls, ref: WordRef, word: PassWord) -> Heard:
        """Return a word by its name and how it was heard."""
        return cls(ref, agreement_key(word.text), word.start_ms, word.end_ms)


@dataclass(frozen=True, slots=True)
class Talk:
    """What both heard: pairs of words of ours and theirs that are one, in order.

    A word heard as two by the other is in two pairs.
    """

    pairs: tuple[tuple[WordRef, WordRef], ...]


class _Match(NamedTuple):
    ours: int
    theirs: int
    apart_ms: int


def talks(
    ours: Sequence[Heard],
    theirs: Sequence[Heard],
    one_person: Callable[[WordRef, WordRef], bool] = lambda _ours, _theirs: False,
) -> list[Talk]:
    """Return what two microphones both heard; no word is part of two talks.

    Takes time in proportion to the number of words, unless one word is said all the time.

    Args:
        ours: Words of one, in the order of time.
        theirs: Words of the other, likewise.
        one_person: Whether it is known that one person said two words.
    """
    matches = list(_matches(ours, theirs))
    found: list[Talk] = []
    for chain in _chains(matches):
        apart_ms = sorted(abs(match.apart_ms) for match in chain)[len(chain) // 2]
        if _count(chain) >= ENOUGH:
            believed = apart_ms <= (SKEW_MS if len(chain) >= LONG else NEAR_MS)
        else:
            believed = apart_ms <= SAME_MS and all(
                one_person(ours[match.ours].ref, theirs[match.theirs].ref) for match in chain
            )
        if believed:
            found.append(Talk(tuple(_pairs(ours, theirs, chain))))
    return found


def _matches(ours: Sequence[Heard], theirs: Sequence[Heard]) -> Iterator[_Match]:
    """Yield what may be one word, by our words and then theirs."""
    first = 0
    for i, word in enumerate(ours):
        while first < len(theirs) and theirs[first].start_ms < word.start_ms - SKEW_MS:
            first += 1
        for j in range(first, len(theirs)):
            apart_ms = theirs[j].start_ms - word.start_ms
            if apart_ms > SKEW_MS:
                break
            if word.key and word.key == theirs[j].key:
                yield _Match(i, j, apart_ms)


def _chains(matches: Sequence[_Match]) -> Iterator[list[_Match]]:
    """Yield the best rows of matches, the best first; no word is in two."""
    scores: list[float] = []
    before: list[int | None] = []
    for n, match in enumerate(matches):
        best, last = 0.0, None
        for m in range(n - 1, -1, -1):
            earlier = matches[m]
            if earlier.ours < match.ours - 1 - GAP:
                break
            score = scores[m] - _cost(earlier, match)
            if _follows(earlier, match) and score > best:
                best, last = score, m
        scores.append(best + 1 - abs(match.apart_ms) / (10 * SKEW_MS))
        before.append(last)
    used_ours: set[int] = set()
    used_theirs: set[int] = set()
    for end in sorted(range(len(matches)), key=lambda n: -scores[n]):
        chain: list[_Match] = []
        at: int | None = end
        while at is not None:
            match = matches[at]
            if match.ours in used_ours or match.theirs in used_theirs:
                break
            chain.append(match)
            at = before[at]
        used_ours.update(match.ours for match in chain)
        used_theirs.update(match.theirs for match in chain)
        if chain:
            yield chain[::-1]


def _follows(one: _Match, other: _Match) -> bool:
    return (
        one.ours < other.ours
        and 0 < other.theirs - one.theirs <= 1 + GAP
        and abs(other.apart_ms - one.apart_ms) <= DRIFT_MS
    )


def _cost(one: _Match, other: _Match) -> float:
    return GAP_COST * _between(one, other) + abs(other.apart_ms - one.apart_ms) / (10 * SKEW_MS)


def _between(one: _Match, other: _Match) -> int:
    return max(other.ours - one.ours, other.theirs - one.theirs) - 1


def _count(chain: Sequence[_Match]) -> float:
    return len(chain) - GAP_COST * sum(_between(one, other) for one, other in pairwise(chain))


def _pairs(
    ours: Sequence[Heard], theirs: Sequence[Heard], chain: Sequence[_Match]
) -> Iterator[tuple[WordRef, WordRef]]:
    """Yield the words of a chain, with those between that were said at once."""
    for one, other in pairwise(chain):
        yield ours[one.ours].ref, theirs[one.theirs].ref
        apart_ms = (one.apart_ms + other.apart_ms) // 2
        for word in ours[one.ours + 1 : other.ours]:
            for their in theirs[one.theirs + 1 : other.theirs]:
                start_ms = max(word.start_ms + apart_ms, their.start_ms)
                if start_ms < min(word.end_ms + apart_ms, their.end_ms):
                    yield word.ref, their.ref
    yield ours[chain[-1].ours].ref, theirs[chain[-1].theirs].ref
