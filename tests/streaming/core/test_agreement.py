"""Tests of `streaming.core.agreement`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.core.agreement import Agreement, agreement_key, common_prefix
from streaming.core.domain import Permille, Samples, Word
from tests.streaming.core.scripts import text_of, word

LOOKAHEAD, MAX_DELAY, SURE = Samples(10), Samples(100), 800


def said(*texts: str, at: int = 0, confidence: int = SURE - 1) -> list[Word]:
    """Return words of ten samples each, one right after the other."""
    return [
        replace(word(text, at + 10 * n, at + 10 * n + 10), confidence=Permille(confidence))
        for n, text in enumerate(texts)
    ]


@pytest.fixture
def agreement() -> Agreement:
    return Agreement(LOOKAHEAD, MAX_DELAY, SURE)


@pytest.mark.parametrize(
    ("one", "other"),
    [(" Hello,", " hello"), (" STRASSE", " straße"), (" don't", " Don't!"), (" 7", "7.")],
)
def test_case_and_punctuation_do_not_matter(one: str, other: str) -> None:
    assert agreement_key(one) == agreement_key(other)


@pytest.mark.parametrize(("one", "other"), [(" dont", " don't"), ("!", "?"), ("!", ""), ("a", "b")])
def test_other_differences_do(one: str, other: str) -> None:
    assert agreement_key(one) != agreement_key(other)


def test_hypotheses_share_words_up_to_the_first_difference() -> None:
    assert common_prefix(said("a", "b", "c"), said("A", "x", "c")) == 1
    assert common_prefix(said("a", "b"), said("a", "b", "c")) == 2
    assert common_prefix([], said("a")) == 0


def test_a_word_is_final_once_two_passes_agree_and_the_lookahead_was_heard(
    agreement: Agreement,
) -> None:
    assert agreement.push(said("a", "b"), Samples(20)) == ()
    assert agreement.stable == 0

    final = agreement.push(said("A", "b", "c"), Samples(30))

    # The new spelling wins. The word b ended 10 before 30, as long as the look-ahead.
    assert text_of(final) == "Ab"
    assert text_of(agreement.pending) == "c"
    assert agreement.stable == 0


def test_a_stable_word_waits_for_the_lookahead(agreement: Agreement) -> None:
    agreement.push(said("a", "b"), Samples(20))

    final = agreement.push(said("a", "b"), Samples(29))

    assert text_of(final) == "a"
    assert (text_of(agreement.pending), agreement.stable) == ("b", 1)


def test_a_word_that_passes_disagree_on_waits_and_those_after_it_as_well(
    agreement: Agreement,
) -> None:
    agreement.push(said("a", "b", "c"), Samples(30))

    assert agreement.push(said("x", "b", "c"), Samples(60)) == ()
    assert (text_of(agreement.pending), agreement.stable) == ("xbc", 0)


def test_a_word_that_is_sure_needs_no_second_pass(agreement: Agreement) -> None:
    final = agreement.push(said("a", "b", confidence=SURE), Samples(29))

    assert text_of(final) == "a"
    assert (text_of(agreement.pending), agreement.stable) == ("b", 0)


def test_a_sure_word_waits_for_the_ones_before_it(agreement: Agreement) -> None:
    words = [*said("a"), *said("b", at=10, confidence=SURE)]

    assert agreement.push(words, Samples(60)) == ()
    assert text_of(agreement.push(words, Samples(61))) == "ab"


def test_no_word_waits_longer_than_the_longest_delay(agreement: Agreement) -> None:
    assert agreement.push(said("a", "b"), Samples(109)) == ()

    assert text_of(agreement.push(said("x", "y"), Samples(110))) == "x"
    assert text_of(agreement.pending) == "y"


def test_words_that_are_only_considered_become_stable_but_not_final(agreement: Agreement) -> None:
    agreement.consider(said("a"))
    agreement.consider(said("a", "b"))

    assert (text_of(agreement.pending), agreement.stable) == ("ab", 1)
    assert text_of(agreement.push(said("a", "b"), Samples(30))) == "ab"


def test_the_end_makes_everything_final(agreement: Agreement) -> None:
    agreement.push(said("a"), Samples(10))
    agreement.push(said("a", "b"), Samples(12))

    assert text_of(agreement.close()) == "ab"
    assert (agreement.pending, agreement.stable) == ((), 0)
    assert agreement.close() == ()


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from("ab"), max_size=6), st.sampled_from([SURE - 1, SURE, 1_000])
        ),
        max_size=8,
    ),
    st.integers(1, 60),
)
def test_final_words_are_those_of_the_hypothesis_in_order_and_none_twice(
    hypotheses: list[tuple[list[str], int]], step: int
) -> None:
    agreement = Agreement(LOOKAHEAD, MAX_DELAY, SURE)
    finals: list[Word] = []
    for number, (texts, confidence) in enumerate(hypotheses):
        at = finals[-1].span.end if finals else 0
        words, heard_until = said(*texts, at=at, confidence=confidence), Samples(number * step)

        final = agreement.push(words, heard_until)

        assert (*final, *agreement.pending) == tuple(words)
        assert all(heard_until - each.span.end >= LOOKAHEAD for each in final)
        assert all(heard_until - each.span.end < MAX_DELAY for each in agreement.pending)
        assert 0 <= agreement.stable <= len(agreement.pending)
        finals += final
