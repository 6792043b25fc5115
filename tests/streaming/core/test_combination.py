"""Tests of `streaming.core.combination`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.core.combination import LEFT_OUT, SURER, combine
from streaming.core.domain import Permille, Word
from tests.streaming.core.scripts import text_of, word


def said(text: str, confidence: int = 500) -> list[Word]:
    """Return words of ten samples each, one right after the other."""
    return [
        replace(word(f" {each}", 10 * n, 10 * n + 10), confidence=Permille(confidence))
        for n, each in enumerate(text.split())
    ]


@pytest.mark.parametrize(
    ("live", "heard", "combined"),
    [
        ("", "", ""),
        ("", "hello there", "hello there"),
        ("ye they", "yes they", "yes they"),
        ("hello there", "Hello, there.", "Hello, there."),
        ("one two", "one and two", "one and two"),
        ("one um two", "one two", "one two"),
        ("one had a two", "one two", "one had a two"),
        ("hello there", "", "hello there"),
        ("we went far away now", "we left now", "we went far away now"),
    ],
)
def test_the_pass_has_its_way_but_leaves_no_words_out(live: str, heard: str, combined: str) -> None:
    assert text_of(combine(said(live), said(heard))).split() == combined.split()


@pytest.mark.parametrize(("surer_by", "combined"), [(SURER, "a c"), (SURER + 1, "a b")])
def test_words_that_are_much_surer_stand(surer_by: int, combined: str) -> None:
    live = said("a b", 600 + surer_by)

    assert text_of(combine(live, said("a c", 600))).split() == combined.split()


def test_words_that_only_the_pass_heard_stand_however_sure_the_others_are() -> None:
    heard = said("a phrase full of cries", 300)

    assert text_of(combine(said("phrase word", 900), heard)) == text_of(heard)


def test_a_word_too_many_is_dropped_however_sure_it_is() -> None:
    assert text_of(combine(said("a b", 1000), said("a", 100))) == " a"


hypotheses = st.lists(st.sampled_from("abc"), max_size=8).map(" ".join)


@given(hypotheses, hypotheses, st.integers(0, 1000), st.integers(0, 1000))
def test_each_word_comes_from_one_of_the_two(
    live: str, heard: str, live_confidence: int, heard_confidence: int
) -> None:
    ours, theirs = said(live, live_confidence), said(heard, heard_confidence)

    combined = combine(ours, theirs)

    assert all(each in ours or each in theirs for each in combined)
    assert combine(theirs, theirs) == theirs
    assert combine(ours, []) == (ours if len(ours) >= LEFT_OUT else [])


def test_what_both_heard_is_there() -> None:
    words = said("a b c d")

    assert combine(words[1:3], words) == words
