"""Tests of `offline.portions`."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.belief import Belief
from offline.comparison import compare
from offline.decisions import Decision, Outcome
from offline.domain import PassWord, Segment
from offline.portions import LONGEST_MS, MOST_WORDS, SHORTEST_MS, portions
from tests.offline.paper import LIVE, OTHER, said
from tests.offline.test_comparison import view_of


def talk(count: int, each_ms: int = 400) -> list[PassWord]:
    """Return words with a pause of a second after every tenth."""
    words: list[PassWord] = []
    for n in range(0, count, 10):
        words += said(" ".join(f"w{n + k}" for k in range(10)), n * each_ms + 100 * n, each_ms)
    return words[:count]


def test_a_short_pass_is_one_portion() -> None:
    words = talk(50)
    view = view_of({LIVE: [], OTHER: words})

    (portion,) = portions(view, Belief.of(LIVE, 0), Segment(OTHER, 0, 50), 0, 30_000)

    assert (portion.new, portion.start_ms, portion.end_ms) == (Segment(OTHER, 0, 50), 0, 30_000)
    assert not portion.sealed_start
    assert not portion.sealed_end


def test_a_pass_without_words_is_one_portion() -> None:
    view = view_of({LIVE: talk(50), OTHER: []})

    (portion,) = portions(view, Belief.of(LIVE, 50), Segment(OTHER, 0, 0), 0, 30_000)

    assert portion.new == Segment(OTHER, 0, 0)


def test_a_long_pass_is_cut_in_pauses_of_both() -> None:
    words = talk(1_000)
    view = view_of({LIVE: words, OTHER: words})

    found = portions(view, Belief.of(LIVE, 1_000), Segment(OTHER, 0, 1_000), 0, 500_000)

    assert [portion.new.first for portion in found[1:]] == [p.new.end for p in found[:-1]]
    assert (found[0].new.first, found[-1].new.end) == (0, 1_000)
    assert (found[0].start_ms, found[-1].end_ms) == (0, 500_000)
    for portion, following in pairwise(found):
        assert portion.end_ms == following.start_ms
        assert SHORTEST_MS <= portion.end_ms - portion.start_ms <= LONGEST_MS + 1_000
        assert words[portion.new.end - 1].end_ms <= portion.end_ms
        assert words[portion.new.end].start_ms >= portion.end_ms
        assert portion.sealed_end
        assert following.sealed_start
        assert portion.new.end % 10 == 0


def test_portions_are_bounded_however_quickly_one_speaks() -> None:
    words = said(" ".join("ab" * 1_500), each_ms=60)
    view = view_of({LIVE: [], OTHER: words})

    found = portions(view, Belief.of(LIVE, 0), Segment(OTHER, 0, len(words)), 0, 500_000)

    assert max(portion.new.end - portion.new.first for portion in found) <= MOST_WORDS


@pytest.mark.slow
@given(st.lists(st.sampled_from([0, 50, 300, 2_000]), min_size=300, max_size=300))
def test_nothing_is_lost_or_doubled_between_portions(pauses: list[int]) -> None:
    words: list[PassWord] = []
    at_ms = 0
    for n, pause_ms in enumerate(pauses):
        at_ms += pause_ms
        words += said(f"w{n % 7}", at_ms, 350)
        at_ms += 350
    old = [w for n, w in enumerate(words) if n % 5]
    view = view_of({LIVE: old, OTHER: words})
    belief = Belief.of(LIVE, len(old))

    decisions: list[Decision] = []
    for portion in portions(view, belief, Segment(OTHER, 0, len(words)), 0, at_ms):
        found = compare(view, belief.after(decisions), portion)
        decisions += [
            Decision(OTHER, str(difference.hunk), Outcome.APPLIED)
            for difference in found.differences
        ]

    after = belief.after(decisions).words
    passes = {LIVE: old, OTHER: words}
    assert [passes[ref.pass_id][ref.word].text for ref in after] == [w.text for w in words]
