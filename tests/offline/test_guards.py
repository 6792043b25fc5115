"""Tests of `offline.guards`."""

from __future__ import annotations

import pytest

from offline.guards import believable
from streaming.core.domain import Permille, Span, Word, from_ms

SPEECH = [Span(from_ms(1_000), from_ms(9_000)), Span(from_ms(20_000), from_ms(21_000))]


def words(text: str, start_ms: int = 1_000, confidence: int = 900) -> list[Word]:
    """Return words of 100 ms each, one after another."""
    return [
        Word(
            f" {each}",
            Span(from_ms(start_ms + 100 * n), from_ms(start_ms + 100 * n + 100)),
            Permille(confidence),
        )
        for n, each in enumerate(text.split())
    ]


def text(said: list[Word]) -> str:
    return "".join(word.text for word in said).strip()


@pytest.mark.parametrize(
    ("start_ms", "believed"),
    [
        (500, False),
        (700, True),
        (5_000, True),
        (9_200, True),
        (9_500, False),
        (19_500, False),
        (20_500, True),
        (21_300, False),
    ],
)
def test_words_outside_of_speech_are_dropped(start_ms: int, *, believed: bool) -> None:
    assert bool(believable(words("hello", start_ms), SPEECH)) is believed


def test_where_nobody_speaks_there_are_no_words() -> None:
    assert believable(words("hello"), []) == []
    assert believable([], SPEECH) == []


@pytest.mark.parametrize("said", ["you", "Thank you.", "Thank you so much for watching!"])
def test_what_whisper_says_to_silence_is_believed_only_when_it_is_sure(said: str) -> None:
    assert believable(words(said, confidence=400), SPEECH) == []
    assert text(believable(words(said, confidence=900), SPEECH)) == said
    assert text(believable(words(f"{said} all", confidence=400), SPEECH)) == f"{said} all"


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ("no no no no", "no no no no"),
        ("oh no no no no no no dear", "oh no dear"),
        ("and so on " * 9, "and so on"),
        ("well " + "and so, " * 6 + "it ends", "well and so, it ends"),
        ("one two " * 4 + "three", "one two " * 4 + "three"),
    ],
)
def test_loops_of_the_decoder_are_said_once(said: str, believed: str) -> None:
    assert text(believable(words(said), SPEECH)) == believed
