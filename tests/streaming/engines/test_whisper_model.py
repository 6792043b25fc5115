"""Tests of what of `streaming.engines.whisper_model` needs no weights."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from faster_whisper.tokenizer import Tokenizer

from streaming.core.domain import Samples, Span, Word
from streaming.engines.whisper_model import (
    MOST_CONTEXT_TOKENS,
    context_of,
    is_repetitive,
    says_twice,
    words_of,
)


def tokenizer() -> Tokenizer:
    """Return what of a tokenizer these functions use: a number, and a token for each letter."""
    numbers = SimpleNamespace(sot_prev=500, encode=lambda text: [ord(letter) for letter in text])
    return cast("Tokenizer", numbers)


def test_text_that_repeats_itself_is_told_apart() -> None:
    assert is_repetitive("and so " * 30, 2.4)
    assert not is_repetitive("Ask not what your country can do for you.", 2.4)
    assert not is_repetitive("", 2.4)


@pytest.mark.parametrize(
    ("tokens", "twice"),
    [
        ([1, 2, 3, 1, 2, 3], True),
        ([9, 1, 2, 3, 7, 1, 2, 3, 8], True),
        ([1, 1, 1, 1], True),
        ([1, 2, 3, 1, 2, 4], False),
        ([1, 2, 3], False),
        ([], False),
    ],
)
def test_a_passage_that_comes_twice_is_found(tokens: list[int], *, twice: bool) -> None:
    assert says_twice(tokens, 3) is twice


def test_hotwords_stand_before_the_text_and_take_a_part_of_it_only() -> None:
    assert context_of((), tokenizer()) == []
    assert context_of(("A", "B"), tokenizer()) == [500, *map(ord, " A, B")]
    assert len(context_of(("word",) * 200, tokenizer())) == 1 + MOST_CONTEXT_TOKENS


def test_the_end_of_the_text_before_stands_after_hotwords() -> None:
    assert context_of((), tokenizer(), " so") == [500, *map(ord, " so")]
    both = context_of(("A",), tokenizer(), "x" * 200 + "!")
    assert both[:3] == [500, *map(ord, " A")]
    assert len(both) == 3 + MOST_CONTEXT_TOKENS
    assert both[-1] == ord("!")


@pytest.mark.parametrize(
    ("start_s", "end_s", "expected"),
    [(0.5, 1.0, (9_000, 17_000)), (1.5, 2.5, (25_000, 30_000)), (2.5, 2.0, (30_000, 30_000))],
)
def test_a_word_lies_within_its_window(
    start_s: float, end_s: float, expected: tuple[int, int]
) -> None:
    aligned = {"word": " a", "start": start_s, "end": end_s, "probability": np.float32(0.1234)}

    (word,) = words_of([aligned], Samples(1_000), Samples(30_000))

    assert word == Word(" a", Span(Samples(expected[0]), Samples(expected[1])), word.confidence)
    assert word.confidence == 123
    assert all(type(number) is int for number in (word.span.start, word.span.end))
