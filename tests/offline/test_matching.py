"""Which words of two hearings are the same ones."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from offline.matching import APART_MS, Keyed, match


def spoken(text: str, *, from_ms: int = 0, each_ms: int = 400) -> list[Keyed]:
    return [Keyed(word, from_ms + n * each_ms) for n, word in enumerate(text.split())]


def test_words_are_matched_around_what_is_heard_otherwise() -> None:
    ours, theirs = spoken("we had a meeting here"), spoken("we had eight meetings here")

    assert match(ours, theirs) == [(0, 0), (1, 1), (4, 4)]


def test_of_a_word_that_is_repeated_those_at_the_same_time_are_matched() -> None:
    ours = spoken("no no no no")

    assert match(ours, ours[1:]) == [(1, 0), (2, 1), (3, 2)]
    assert match(ours[:2], ours) == [(0, 0), (1, 1)]


def test_a_refrain_is_not_the_one_before_it() -> None:
    ours = spoken("row the boat now gently row the boat", each_ms=1_000)
    theirs = [*ours[:2], Keyed("coat", ours[2].middle_ms), *ours[3:]]

    assert match(ours, theirs) == [(n, n) for n in range(8) if n != 2]


def test_one_more_match_counts_more_than_time() -> None:
    assert match(spoken("a b"), spoken("a a b", each_ms=600)) == [(0, 0), (1, 2)]


def test_nothing_matches_nothing() -> None:
    assert match([], spoken("a")) == match(spoken("a"), []) == match([], []) == []


@st.composite
def hearings(draw: st.DrawFn) -> list[Keyed]:
    keys = draw(st.lists(st.sampled_from("abc"), max_size=7))
    steps = draw(st.lists(st.integers(0, 1_500), min_size=len(keys), max_size=len(keys)))
    return [Keyed(key, sum(steps[: n + 1])) for n, key in enumerate(keys)]


@given(hearings(), hearings())
def test_matches_are_as_many_as_possible_and_then_as_close(
    ours: list[Keyed], theirs: list[Keyed]
) -> None:
    found = match(ours, theirs)

    assert all(i < k and j < m for (i, j), (k, m) in pairwise(found))
    assert all(ours[i].key == theirs[j].key for i, j in found)
    assert all(apart(ours, theirs, pair) <= APART_MS for pair in found)
    assert (len(found), -sum(apart(ours, theirs, pair) for pair in found)) == best(ours, theirs)


def apart(ours: list[Keyed], theirs: list[Keyed], pair: tuple[int, int]) -> int:
    return abs(ours[pair[0]].middle_ms - theirs[pair[1]].middle_ms)


def best(ours: list[Keyed], theirs: list[Keyed]) -> tuple[int, int]:
    """Return the best of all ways to match, by trying them."""
    ways = [(0, 0)]
    for count in range(1, min(len(ours), len(theirs)) + 1):
        for some in combinations(range(len(ours)), count):
            for others in combinations(range(len(theirs)), count):
                pairs = [*zip(some, others, strict=True)]
                same = all(ours[i].key == theirs[j].key for i, j in pairs)
                if same and all(apart(ours, theirs, pair) <= APART_MS for pair in pairs):
                    ways.append((count, -sum(apart(ours, theirs, pair) for pair in pairs)))
    return max(ways)
