"""What is said in a fuzzed transcript, and how passes hear it: at random, but from a seed."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from offline.domain import PassWord, SpeakerId
from streaming.core.domain import Permille

VOCABULARY = (
    *(" we", " to", " the", " a", " there", " their", " house", " Twenty", "-one", " o'clock"),
    *(
        " café",
        unicodedata.normalize("NFD", " naïve"),
        " Straße",
        " ÉCOLE",
        " \u0928\u092e\u0938\u094d\u0924\u0947",
    ),
    *(
        " 👍🏽",
        " \U0001f468\u200d\U0001f469\u200d\U0001f467",
        "東京",
        "都",
        "は",
        "กา",
        " fine.",
        " -",
        "!",
    ),
)
"""Accents apart from their letters, emoji of several characters, scripts without spaces, and
punctuation by itself. Nothing of it is what people type (`fuzz_people`)."""

SPEAKERS = tuple(SpeakerId(f"s{number}") for number in range(1, 4))


@dataclass(frozen=True, slots=True)
class Heard:
    """Words and who said each of them."""

    words: tuple[PassWord, ...]
    speakers: tuple[SpeakerId, ...]

    def between(self, first: int, end: int) -> Heard:
        """Return some of the words."""
        return Heard(self.words[first:end], self.speakers[first:end])

    def within(self, start_ms: int, end_ms: int) -> Heard:
        """Return the words of a span."""
        inside = [n for n, word in enumerate(self.words) if start_ms <= word.start_ms < end_ms]
        return self.between(inside[0], inside[-1] + 1) if inside else Heard((), ())


def speak(rng: random.Random, count: int) -> Heard:
    """Return what is really said: words in turns, with pauses."""
    words: list[PassWord] = []
    speakers: list[SpeakerId] = []
    at_ms, speaker = 0, SPEAKERS[0]
    for _ in range(count):
        if rng.random() < 0.12:
            speaker = rng.choice(SPEAKERS)
            at_ms += rng.choice([0, 400, 4_000])
        at_ms += rng.choice([0, 0, 50, 300])
        end_ms = at_ms + rng.randrange(80, 400)
        words.append(PassWord(rng.choice(VOCABULARY), at_ms, end_ms, Permille(900)))
        speakers.append(speaker)
        at_ms = end_ms
    return Heard(tuple(words), tuple(speakers))


def hear(rng: random.Random, said: Heard, errors: float) -> Heard:
    """Return how a pass hears it: `errors` of the words otherwise, and voices likewise."""
    words: list[PassWord] = []
    speakers: list[SpeakerId] = []
    for word, truly in zip(said.words, said.speakers, strict=True):
        speaker = rng.choice(SPEAKERS) if rng.random() < errors / 4 else truly
        for heard in _hear(rng, word) if rng.random() < errors else (word,):
            words.append(heard)
            speakers.append(speaker)
    return Heard(tuple(words), tuple(speakers))


def _hear(rng: random.Random, word: PassWord) -> Sequence[PassWord]:
    middle_ms = (word.start_ms + word.end_ms) // 2
    other = PassWord(rng.choice(VOCABULARY), word.start_ms, middle_ms, Permille(500))
    match rng.randrange(5):
        case 0:
            return ()
        case 1:
            return (other, PassWord(word.text, middle_ms, word.end_ms, Permille(700)))
        case 2:
            spelled = word.text.upper() if rng.random() < 0.5 else f"{word.text},"
            return (PassWord(spelled, word.start_ms, word.end_ms, Permille(800)),)
        case _:
            return (PassWord(other.text, word.start_ms, word.end_ms, Permille(600)),)
