"""Tests of `offline.decisions`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.decisions import BEFORE_ALL, LONGEST_NAME, Hunk
from offline.domain import PassId, Segment, WordRef

passes = st.sampled_from([PassId("1"), PassId("2"), PassId("17")])
words = st.builds(WordRef, passes, st.integers(0, 50))
heard = st.builds(
    lambda pass_id, first, count: Segment(pass_id, first, first + count),
    passes,
    st.integers(0, 50),
    st.integers(0, 5),
)
hunks = st.one_of(
    st.builds(
        lambda old, new: Hunk(tuple(old), None, new),
        st.lists(words, min_size=1, max_size=12, unique=True),
        heard,
    ),
    st.builds(lambda after, new: Hunk((), after, new), words, heard),
    st.builds(lambda live, new: Hunk((), WordRef(live, BEFORE_ALL), new), passes, heard),
)


@given(hunks)
def test_the_name_of_a_hunk_says_all_of_it(hunk: Hunk) -> None:
    assert Hunk.parse(str(hunk)) == hunk


@given(st.sets(hunks, max_size=20))
def test_names_are_unique(several: set[Hunk]) -> None:
    assert len({str(hunk) for hunk in several}) == len(several)


def test_words_in_a_row_are_named_together() -> None:
    old = (*(WordRef(PassId("1"), n) for n in (10, 11)), WordRef(PassId("2"), 5))

    assert str(Hunk(old, None, Segment(PassId("7"), 3, 5))) == "1.10-12,2.5-6>7.3-5"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1.1-2",
        "1.1-2>",
        "1.2-1>7.3-5",
        "1.2-2>7.3-5",
        "1.1-2>7.5-3",
        "1.0-999999999>7.3-5",
        "1.1-2>7.0-999999999",
        "1+>7.3-5",
        "1.1^>7.3-5",
        "1.1-2>7.3-5 ",
        "1.\u0661-2>7.3-5",
        f"{'a' * 65}.1-2>7.3-5",
        ",".join(["1.1-2"] * LONGEST_NAME) + ">7.3-5",
    ],
)
def test_anything_else_names_no_hunk(name: str) -> None:
    assert Hunk.parse(name) is None
