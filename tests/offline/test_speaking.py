"""Tests of `offline.speaking`: examples, and laws over made-up words and turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.diarization import VoiceTurn
from offline.domain import PassWord
from offline.speaking import NEAR_MS, REACH_MS, assign, by_time, ends_sentence, with_sentences
from streaming.core.domain import Permille


def word(text: str, start_ms: int, end_ms: int) -> PassWord:
    return PassWord(f" {text}", start_ms, end_ms, Permille(900))


def row(text: str, each_ms: int = 200) -> list[PassWord]:
    """Return words one after another from 0."""
    return [
        word(part, number * each_ms, (number + 1) * each_ms)
        for number, part in enumerate(text.split())
    ]


def voices(words: list[PassWord], *turns: VoiceTurn) -> list[int | None]:
    return [heard.voice for heard in assign(words, turns)]


def test_a_word_goes_to_who_speaks_for_most_of_it() -> None:
    turns = (VoiceTurn(0, 450, 0), VoiceTurn(450, 1000, 1))
    assert voices(row("one two three four five"), *turns) == [0, 0, 1, 1, 1]


def test_turns_of_one_voice_within_a_word_count_together() -> None:
    turns = (VoiceTurn(0, 30, 0), VoiceTurn(30, 70, 1), VoiceTurn(70, 100, 0))
    assert voices([word("one", 0, 100)], *turns) == [0]


def test_who_spoke_before_goes_on_where_two_speak() -> None:
    turns = (VoiceTurn(0, 900, 0), VoiceTurn(400, 1600, 1))
    assert voices(row("a b c d e f g h"), *turns) == [0] * 4 + [1] * 4
    turns = (VoiceTurn(400, 1600, 0), VoiceTurn(0, 900, 1))
    ordered = sorted(turns, key=lambda turn: turn.start_ms)
    assert voices(row("a b c d e f g h"), *ordered) == [1] * 4 + [0] * 4


def test_a_word_in_no_turn_goes_to_the_nearest_within_reach() -> None:
    turns = (VoiceTurn(0, 1000, 0), VoiceTurn(1700, 2000, 1))
    assert voices([word("a", 1100, 1200), word("b", 1500, 1600)], *turns) == [0, 1]
    far = 2000 + REACH_MS
    assert voices([word("a", far - 10, far)], *turns) == [1]
    assert voices([word("a", far + 10, far + 20)], *turns) == [None]


def test_without_turns_nobody_speaks() -> None:
    assert voices(row("a b")) == [None, None]


def test_the_last_words_of_a_sentence_go_with_it() -> None:
    turns = (VoiceTurn(0, 800, 0), VoiceTurn(800, 2000, 1))
    assert voices(row("we leave at half past. So do I then."), *turns) == [0] * 5 + [1] * 4


def test_the_first_words_of_a_sentence_go_with_it() -> None:
    turns = (VoiceTurn(0, 1000, 0), VoiceTurn(1000, 2000, 1))
    assert voices(row("we leave at six. So do I then."), *turns) == [0] * 4 + [1] * 4


def test_a_sentence_that_ends_too_far_away_moves_nothing() -> None:
    turns = (VoiceTurn(0, 800, 0), VoiceTurn(800, 4000, 1))
    words = row("we leave at half past six. So do I", each_ms=NEAR_MS // 2 + 10)
    assert voices(words, *turns) == [0] * 3 + [1] * 6


def test_a_short_remark_in_between_is_kept() -> None:
    turns = (VoiceTurn(0, 800, 0), VoiceTurn(800, 1000, 1), VoiceTurn(1000, 2000, 0))
    assert voices(row("when we left it yes. was still raining."), *turns) == [0] * 4 + [1] + [0] * 3


def test_a_voice_of_which_both_ends_move_keeps_a_word() -> None:
    turns = (VoiceTurn(0, 400, 0), VoiceTurn(400, 800, 1), VoiceTurn(800, 1600, 0))
    assert voices(row("we left. then so I do not"), *turns) == [0] * 2 + [1] * 2 + [0] * 3
    assert voices(row("we leave now. so I do not"), *turns) == [0] * 3 + [1] + [0] * 3


def test_a_change_at_the_end_of_a_sentence_stays() -> None:
    turns = (VoiceTurn(0, 600, 0), VoiceTurn(600, 2000, 1))
    assert voices(row("is it so? Yes. It is."), *turns) == [0] * 3 + [1] * 3


@pytest.mark.parametrize("text", ["end.", ' "end?"', "終わり。", "fin !", "such…)"])
def test_sentences_end(text: str) -> None:
    assert ends_sentence(text)


@pytest.mark.parametrize("text", ["end", "e.g", "", "“so", "well,"])
def test_sentences_go_on(text: str) -> None:
    assert not ends_sentence(text)


@st.composite
def transcripts(draw: st.DrawFn) -> tuple[list[PassWord], list[VoiceTurn]]:
    """Draw words in order, of which some end sentences, and turns that may overlap."""
    words, at = [], 0
    for _ in range(draw(st.integers(0, 30))):
        at += draw(st.sampled_from([0, 0, 0, 100, 3000]))
        end = at + draw(st.integers(0, 600))
        words.append(word(draw(st.sampled_from(["a", "b", "c."])), at, end))
        at = end
    turns: list[VoiceTurn] = []
    for voice in range(draw(st.integers(0, 3))):
        at = 0
        for _ in range(draw(st.integers(1, 5))):
            start = at + draw(st.integers(1, 4000))
            at = start + draw(st.integers(1, 4000))
            turns.append(VoiceTurn(start, at, voice))
    return words, sorted(turns, key=lambda turn: (turn.start_ms, turn.voice))


@pytest.mark.slow
@given(transcripts())
def test_no_word_is_lost_and_no_voice_invented(
    made: tuple[list[PassWord], list[VoiceTurn]],
) -> None:
    words, turns = made
    heard = assign(words, turns)
    assert [each.word for each in heard] == words
    assert {each.voice for each in heard} <= {turn.voice for turn in turns} | {None}


@pytest.mark.slow
@given(transcripts())
def test_only_words_close_to_a_change_move_with_sentences(
    made: tuple[list[PassWord], list[VoiceTurn]],
) -> None:
    words, turns = made
    before = by_time(words, turns)
    after = with_sentences(words, before)
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        if old != new:
            assert new in before[max(0, index - 3) : index + 4]
            assert None not in (old, new)
    assert {voice for voice in before if voice is not None} == set(after) - {None}


@pytest.mark.slow
@given(transcripts())
def test_words_of_sentences_as_they_stand_are_left_alone(
    made: tuple[list[PassWord], list[VoiceTurn]],
) -> None:
    words, turns = made
    before = by_time(words, turns)
    if all(
        old == new or ends_sentence(said.text)
        for said, old, new in zip(words, before, before[1:], strict=False)
    ):
        assert with_sentences(words, before) == before


@pytest.mark.slow
@given(transcripts())
def test_a_word_that_one_voice_alone_says_is_of_it(
    made: tuple[list[PassWord], list[VoiceTurn]],
) -> None:
    words, turns = made
    for said, voice in zip(words, by_time(words, turns), strict=True):
        speaking = {t.voice for t in turns if t.start_ms < said.end_ms and said.start_ms < t.end_ms}
        if len(speaking) == 1:
            assert speaking == {voice}
