"""Tests of `offline.speaker_correction`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.domain import PassWord
from offline.results import HeardWord
from offline.speaker_correction import LONGEST, SentenceCorrector
from streaming.core.domain import Permille


def corrected(text: str, voices: Sequence[int | None]) -> list[int | None]:
    """Return the voices of the words of a text after correction."""
    words = [
        HeardWord(PassWord(f" {part}", 200 * n, 200 * n + 200, Permille(900)), voice)
        for n, (part, voice) in enumerate(zip(text.split(), voices, strict=True))
    ]
    return list(SentenceCorrector().correct(words))


@pytest.mark.parametrize("stray", range(5))
def test_a_sentence_is_of_who_says_nearly_all_of_it(stray: int) -> None:
    voices = [0] * 5
    voices[stray] = 1
    assert corrected("so we left at six.", voices) == [0] * 5


def test_a_sentence_that_two_share_is_left_alone() -> None:
    assert corrected("so we left at six.", [0, 0, 0, 1, 1]) == [0, 0, 0, 1, 1]


def test_each_sentence_is_looked_at_by_itself() -> None:
    voices = [0, 0, 0, 0, 1, 1, 1, 1, 1, 0]
    assert corrected("so we left at six. and you came at ten", voices) == [0] * 5 + [1] * 5


def test_an_answer_in_one_word_stays() -> None:
    assert corrected("did you leave at six? Yes. and then home", [0] * 5 + [1] + [0] * 3) == (
        [0] * 5 + [1] + [0] * 3
    )


def test_a_word_of_nobody_joins_its_sentence_and_nobody_gets_none() -> None:
    assert corrected("so we left at six.", [0, 0, 0, 0, None]) == [0] * 5
    assert corrected("so we left at six.", [None] * 4 + [0]) == [None] * 4 + [0]


def test_a_text_without_sentences_is_left_alone() -> None:
    voices = [0] * LONGEST + [1]
    assert corrected("so " * (LONGEST + 1), voices) == voices


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b.", "c?"]), st.sampled_from([None, 0, 1, 2])), max_size=40
    )
)
def test_it_invents_no_voice_and_has_nothing_to_add_to_itself(
    said: list[tuple[str, int | None]],
) -> None:
    text, voices = " ".join(part for part, _ in said), [voice for _, voice in said]
    once = corrected(text, voices)
    assert set(once) <= set(voices)
    assert corrected(text, once) == once
