"""Tests of `loadtest.scoring`."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.recordings import TrueWord
from loadtest.scoring import (
    SpeakerErrors,
    Token,
    WordErrors,
    align,
    align_tokens,
    speaker_errors,
    time_errors,
    tokens_heard,
    tokens_said,
)
from tests.loadtest.spoken import words

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8)


def test_each_kind_of_error_is_counted() -> None:
    alignment = align(list("abcde"), list("axdef"))

    assert alignment.errors == WordErrors(words=5, substitutions=1, deletions=1, insertions=1)
    assert alignment.errors.total == 3
    assert alignment.errors.rate == 0.6


def test_equal_words_are_paired_with_each_other() -> None:
    alignment = align(["so", "my", "fellow", "friends"], ["my", "yellow", "friends"])

    assert alignment.equal == ((1, 0), (3, 2))
    assert alignment.paired == ((1, 0), (2, 1), (3, 2))


def test_nothing_said_and_nothing_heard_is_no_error() -> None:
    assert align([], []).errors.rate == 0
    assert align(["a"], []).errors == WordErrors(words=1, deletions=1)
    assert align([], ["a"]).errors.rate == float("inf")


@pytest.mark.slow
@given(WORDS, WORDS)
def test_pairs_are_in_order_and_as_many_as_the_counts_say(
    said: list[str], heard: list[str]
) -> None:
    alignment = align(said, heard)

    errors = alignment.errors
    assert all(said[a] == heard[b] for a, b in alignment.equal)
    assert list(alignment.paired) == sorted(set(alignment.paired))
    assert set(alignment.equal) <= set(alignment.paired)
    assert len(alignment.equal) == len(said) - errors.substitutions - errors.deletions
    assert len(alignment.paired) == len(heard) - errors.insertions


def test_errors_add_up_over_recordings() -> None:
    assert WordErrors(10, 1, 2, 3) + WordErrors(20, 4, 5, 6) == WordErrors(30, 5, 7, 9)


def test_a_word_may_be_several_tokens_or_none() -> None:
    said = tokens_said([TrueWord("twenty-one,", 1.0, 2.0, "A"), TrueWord("-", 2.0, 2.1, "A")])

    assert said == (Token("twenty", 1.0, 2.0, "A"), Token("one", 1.0, 2.0, "A"))


def test_times_are_compared_where_words_are_equal() -> None:
    said = (Token("so", 0.1, 0.5, "A"), Token("my", 9.0, 9.9, "A"), Token("word", 0.9, 1.5, "A"))
    heard = tokens_heard(words("so is word"))

    times = time_errors(said, heard, align_tokens(said, heard))

    assert times is not None
    assert times.start_s.count == 2
    assert times.start_s.median == pytest.approx(0.1)
    assert times.end_s.maximum == pytest.approx(0.3)


def test_no_word_heard_has_no_times() -> None:
    assert time_errors((Token("so", 0, 1, "A"),), (), align(["so"], [])) is None


def _speakers(pairs: Sequence[tuple[str, str | None]]) -> SpeakerErrors:
    said = [Token(f"w{n}", n, n, person) for n, (person, _) in enumerate(pairs)]
    heard = [Token(f"w{n}", n, n, voice) for n, (_, voice) in enumerate(pairs)]
    return speaker_errors(said, heard, align_tokens(said, heard))


def test_voices_are_matched_to_people_as_it_suits_best() -> None:
    pairs = [("A", "S2")] * 5 + [("B", "S1")] * 3 + [("B", "S2")] * 2 + [("A", None)]

    assert _speakers(pairs) == SpeakerErrors(words=11, wrong=3)


def test_a_second_voice_of_one_person_is_wrong() -> None:
    assert _speakers([("A", "S1")] * 4 + [("A", "S2")]).rate == 0.2


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["S1", "S2", "S3", "S4", None]))))
def test_no_assignment_of_voices_is_better(pairs: list[tuple[str, str | None]]) -> None:
    best = max(
        sum(voice is not None and given.get(voice) == person for person, voice in pairs)
        for order in permutations(["A", "B", "C", ""])
        for given in [dict(zip(["S1", "S2", "S3", "S4"], order, strict=True))]
    )

    assert _speakers(pairs) == SpeakerErrors(len(pairs), len(pairs) - best)
