"""Tests of `offline.page` beyond what plans prove: what was forged takes no time."""

from __future__ import annotations

from offline.domain import Run, Segment
from offline.page import Page
from tests.offline.paper import LIVE, OTHER, said


def test_a_segment_that_shares_words_with_one_before_it_is_nobodys() -> None:
    names = [(LIVE, 2, 4), (LIVE, 0, 2), (LIVE, 1, 3), (LIVE, 4, 6), (LIVE, 3, 9), (OTHER, 1, 3)]
    segments = [Segment(*name) for name in names]
    runs = [Run(" a", segment) for segment in (*segments, segments[0])]
    passes = {LIVE: said("a b c d e f g h i"), OTHER: said("a b c")}

    page = Page.of(runs, passes)

    expected = {segments[0]: [0, 6], segments[1]: [1], segments[3]: [3], segments[5]: [5]}
    assert page.pieces == expected
