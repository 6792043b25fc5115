"""Tests of `offline.echo`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.domain import PassId, PassWord, WordRef
from offline.echo import DRIFT_MS, SKEW_MS, Heard, talks
from tests.offline.paper import LIVE, OTHER, said


def heard(text: str, at_ms: int = 0, pass_id: PassId = LIVE, each_ms: int = 300) -> list[Heard]:
    """Return words one right after the other; `_` is a pause of one word."""
    words = said(text, at_ms, each_ms)
    return [
        Heard.of(WordRef(pass_id, n), word)
        for n, word in enumerate(words)
        if word.text.strip() != "_"
    ]


def pairs(ours: list[Heard], theirs: list[Heard], *, one_person: bool = False) -> list[str]:
    """Return what both heard: `our=their`."""
    names = {each.ref: each.key for each in (*ours, *theirs)}
    found = talks(ours, theirs, lambda _our, _their: one_person)
    return [f"{names[our]}={names[their]}" for talk in found for our, their in talk.pairs]


@pytest.mark.parametrize(
    ("ours", "theirs", "both"),
    [
        ("we walked there", "We walked, there.", "we=we walked=walked there=there"),
        ("we walked", "we walked", ""),
        ("yes", "yes", ""),
        ("one two three", "four five six", ""),
        ("one two three four", "one too three four", ""),
        ("one two three for five", "one two three four five", "for=four five=five"),
        ("one two three going to five", "one two three gonna _ five", "going=gonna five=five"),
        ("one two three oh five", "one two three _ five", "three=three five=five"),
        ("a b c p q r s d e f", "a b c t u v w d e f", "c=c d=d"),
    ],
)
def test_a_row_of_equal_words_at_one_time_is_one_talk(ours: str, theirs: str, both: str) -> None:
    found = " ".join(pairs(heard(ours), heard(theirs, 100, OTHER)))

    assert both in found
    assert bool(both) == bool(found)


def test_what_only_one_heard_between_matches_belongs_to_nothing() -> None:
    found = pairs(heard("one two three oh five"), heard("one two three _ five", 50, OTHER))

    assert found == ["one=one", "two=two", "three=three", "five=five"]


def test_short_talks_later_are_others() -> None:
    greeting = "nice to meet you"

    assert pairs(heard(greeting), heard(greeting, 1_200, OTHER)) == []


def test_clocks_of_long_talks_may_be_apart() -> None:
    long = "this is what the other microphone heard a while ago"

    assert len(pairs(heard(long), heard(long, SKEW_MS - 100, OTHER))) == len(long.split())
    assert pairs(heard(long), heard(long, SKEW_MS + 100, OTHER)) == []


def test_no_talk_drifts() -> None:
    slow = heard("one two three four five", pass_id=OTHER, each_ms=300 + DRIFT_MS + 10)

    assert pairs(heard("one two three four five"), slow) == []


def test_one_word_is_enough_of_a_person_whom_both_heard() -> None:
    assert pairs(heard("yes"), heard("Yes.", 200, OTHER), one_person=True) == ["yes=yes"]
    assert pairs(heard("yes"), heard("Yes.", 600, OTHER), one_person=True) == []


def test_words_of_nothing_match_nothing() -> None:
    nothing = [
        Heard.of(WordRef(LIVE, n), PassWord(" ", n, n, said("a")[0].confidence)) for n in range(4)
    ]

    assert pairs(nothing, nothing) == []


words = st.lists(st.sampled_from("abcd"), max_size=14).map(" ".join)


@given(ours=words, theirs=words, apart_ms=st.integers(-500, 500))
def test_pairs_are_of_both_and_in_order(ours: str, theirs: str, apart_ms: int) -> None:
    one, other = heard(ours), heard(theirs, 1_000 + apart_ms, OTHER)
    one = [
        each._replace(start_ms=each.start_ms + 1_000, end_ms=each.end_ms + 1_000) for each in one
    ]
    found = talks(one, other)

    for talk in found:
        assert list(talk.pairs) == sorted(talk.pairs)
        assert [their for _, their in talk.pairs] == sorted(their for _, their in talk.pairs)
        assert {our.pass_id for our, _ in talk.pairs} == {LIVE}
        assert {their.pass_id for _, their in talk.pairs} == {OTHER}
    for side in (0, 1):
        each = [{pair[side] for pair in talk.pairs} for talk in found]
        assert sum(map(len, each)) == len(set().union(*each))
