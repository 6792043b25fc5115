"""Tests of `streaming.engines.script`."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.core.domain import Permille, Samples, Span, Speaker, Turn, Word
from streaming.engines.script import Script


def word(text: str, start: int, end: int, speaker: str | None = "ann") -> Word:
    voice = None if speaker is None else Speaker(speaker)
    return Word(text, Span(Samples(start), Samples(end)), Permille(900), voice)


def turn(start: int, end: int, speaker: str) -> Turn:
    return Turn(Span(Samples(start), Samples(end)), Speaker(speaker))


words = st.builds(
    lambda text, start, length, speaker: word(f" {text}", start, start + length, speaker),
    st.text("abc", min_size=1, max_size=3),
    st.integers(0, 50_000),
    st.integers(0, 10_000),
    st.sampled_from(["ann", "ben", None]),
)


@given(st.lists(words, max_size=20))
def test_words_are_in_order_and_never_overlap(spoken: list[Word]) -> None:
    script = Script.of(spoken)

    assert sorted(each.text for each in script.words) == sorted(each.text for each in spoken)
    assert all(each.span.length >= 1 and each.speaker is None for each in script.words)
    for before, after in pairwise(script.words):
        assert before.span.end <= after.span.start


@given(st.lists(words, max_size=20))
def test_turns_are_in_order_and_those_of_one_speaker_apart(spoken: list[Word]) -> None:
    turns = Script.of(spoken).turns

    assert list(turns) == sorted(turns, key=lambda each: each.span.start)
    for speaker in {each.speaker for each in turns}:
        own = [each.span for each in turns if each.speaker == speaker]
        assert all(before.end < after.start for before, after in pairwise(own))


@given(st.lists(words, max_size=20))
def test_every_sample_of_a_word_with_a_speaker_is_in_a_turn(spoken: list[Word]) -> None:
    turns = Script.of(spoken).turns

    for each in spoken:
        if each.speaker is not None:
            assert (
                any(turn.span.overlap(each.span) == each.span.length for turn in turns)
                or each.span.length == 0
            )


def test_speakers_are_named_in_order_of_their_first_word() -> None:
    script = Script.of([word("b", 900, 950, "ann"), word("a", 100, 200, "ben")])

    assert script.turns == (turn(100, 200, "S1"), turn(900, 950, "S2"))


def test_a_breath_ends_no_turn_and_a_pause_does() -> None:
    script = Script.of([word("a", 0, 100), word("b", 4_900, 5_000), word("c", 9_801, 9_900)])

    assert script.turns == (turn(0, 5_000, "S1"), turn(9_801, 9_900, "S1"))


def test_a_word_interrupted_by_another_is_cut_short_but_its_turn_is_not() -> None:
    script = Script.of([word("long", 0, 1_000, "ann"), word("no", 400, 600, "ben")])

    assert [each.span for each in script.words] == [
        Span(Samples(0), Samples(400)),
        Span(Samples(400), Samples(600)),
    ]
    assert script.turns == (turn(0, 1_000, "S1"), turn(400, 600, "S2"))


def test_json_is_read_as_the_recordings_have_it() -> None:
    script = Script.from_json(
        '[{"word": "so", "start": 0.29, "end": 0.63, "speaker": "JFK"}]', language="fr"
    )

    assert script.words == (word(" so", 4_640, 10_080, None),)
    assert script.turns == (turn(4_640, 10_080, "S1"),)
    assert script.language == "fr"


@pytest.mark.parametrize("text", ['{"word": 1}', '[{"word": "so"}]', "7", "no json"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|Expecting"):
        Script.from_json(text)


def test_a_repeated_script_says_the_same_again_later() -> None:
    script = Script.of([word("a", 0, 100)]).repeated(Samples(1_000), 3)

    assert [each.span.start for each in script.words] == [0, 1_000, 2_000]
    assert [each.span.start for each in script.turns] == [0, 1_000, 2_000]


def test_a_script_does_not_repeat_before_it_is_over() -> None:
    with pytest.raises(ValueError, match="at least 100, got 99"):
        Script.of([word("a", 0, 100)]).repeated(Samples(99), 2)
