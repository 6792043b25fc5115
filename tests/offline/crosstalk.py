"""Microphones that speak at once into one paper, at random, but from a seed.

Each session hears utterances that overlap those of the others, and its words become final late, in
rows of any length, now of this session and now of that one. Voices turn out later, passes correct
what was heard, and people type, delete, join turns and name speakers. No two sessions hear the same
word, so nothing is a double.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from offline.arrangement import arrange, spread
from offline.belief import Belief
from offline.comparison import Portion
from offline.domain import PassId, PassWord, Segment, SpeakerId, WordRef
from offline.doubles import place_once
from offline.reconcile import correct
from offline.view import Marker, Standing, View
from streaming.core.domain import Permille
from tests.offline.paper import Paper

WORDS = 30
"""That each session hears, about."""


@dataclass(frozen=True, slots=True)
class Happens:
    """What happens beside words becoming final.

    Attributes:
        voices: Several speak into one session, which turns out later.
        corrected: Passes hear utterances again, some words otherwise.
        edited: People type, delete, join turns and name speakers.
    """

    voices: bool = False
    corrected: bool = False
    edited: bool = False


@dataclass
class Microphone:
    """A session: what is said into it, and how much of that is in the text.

    Attributes:
        live: Its live pass.
        again: The pass that hears its utterances again.
        words: All that is said.
        voices: By whom, word by word.
        final: How many words are in the text.
        again_from: The first one that was not heard again.
    """

    live: PassId
    again: PassId
    words: list[PassWord]
    voices: list[SpeakerId]
    final: int = 0
    again_from: int = 0

    @property
    def left(self) -> bool:
        """Whether words are to come."""
        return self.final < len(self.words)


class Crosstalk:
    """One transcript with everybody in it."""

    def __init__(self, seed: int, happens: Happens) -> None:
        self.rng = random.Random(seed)
        self.happens = happens
        self.paper = Paper()
        count = self.rng.randint(2, 4)
        self.microphones = [self._microphone(number) for number in range(1, count + 1)]
        for each in self.microphones:
            name = f"session{each.live}"
            self.paper.sessions |= {each.live: name, each.again: name}

    def _microphone(self, number: int) -> Microphone:
        words: list[PassWord] = []
        voices: list[SpeakerId] = []
        at_ms = self.rng.randrange(3_000)
        while len(words) < WORDS:
            at_ms += self.rng.choice([100, 700, 1_500, 3_500])
            voice = SpeakerId(f"s{number}")
            for _ in range(self.rng.choice([1, 2, 5, 12])):
                if self.happens.voices and self.rng.random() < 0.2:
                    voice = SpeakerId(f"s{number}{self.rng.choice('abc')}")
                end_ms = at_ms + self.rng.randrange(100, 500)
                text = f" m{number}w{len(words)}"
                words.append(PassWord(text, at_ms, end_ms, Permille(900)))
                voices.append(voice)
                at_ms = end_ms + self.rng.choice([0, 0, 0, 60])
        return Microphone(PassId(f"{number}"), PassId(f"1{number}"), words, voices)

    def steps(self) -> Iterator[None]:
        """Do one thing after the other, until all that was said is in the text."""
        while any(each.left for each in self.microphones):
            self._finish()
            mic = self.rng.choice(self.microphones)
            if self.happens.voices and self.rng.random() < 0.4:
                self._reveal(mic)
            if self.happens.corrected and self.rng.random() < 0.3:
                self._correct(mic)
            if self.happens.edited and self.rng.random() < 0.3:
                self._edit()
            yield
        for mic in self.microphones:
            while self.happens.voices and self._reveal(mic):
                yield
            if self.happens.corrected:
                self._correct(mic)
                yield

    # Machines

    def _finish(self) -> None:
        """Write the next words of a session, rather of one that is behind."""
        left = [each for each in self.microphones if each.left]
        behind = min(left, key=lambda each: each.words[each.final].start_ms)
        mic = behind if self.rng.random() < 0.5 else self.rng.choice(left)
        first, passes = mic.final, self.paper.passes
        mic.final = min(first + self.rng.choice([1, 3, 3, 12]), len(mic.words))
        passes.setdefault(mic.live, []).extend(mic.words[first : mic.final])
        guesses = [self._guess(voice) for voice in mic.voices[first : mic.final]]
        for guess, row in groupby(guesses):
            end = first + len(list(row))
            self.paper.follow(place_once(self.paper.view(), Segment(mic.live, first, end), guess))
            first = end

    def _guess(self, voice: SpeakerId) -> SpeakerId | None:
        if not self.happens.voices:
            return voice
        return self.rng.choice([voice, SpeakerId(voice[:2]), None])

    def _reveal(self, mic: Microphone) -> bool:
        """Have it turn out who said some words; return whether that was not known of any."""
        said_by = self._said_by(mic)
        view = self.paper.view()
        standing = view.found(said_by)
        wrong = [
            ref
            for ref, place in standing.items()
            if place.turn is not None
            and view.speakers.get(place.turn) != said_by[ref]
            and place.turn not in view.pinned
        ]
        if not wrong:
            return False
        first = self.rng.choice(wrong).word
        row = range(first, min(first + self.rng.choice([1, 4, 40]), mic.final))
        known = {WordRef(mic.live, n): mic.voices[n] for n in row}
        before = view.text
        self._arrange(known)
        return self.paper.text != before

    def _said_by(self, mic: Microphone) -> dict[WordRef, SpeakerId]:
        return {WordRef(mic.live, n): mic.voices[n] for n in range(mic.final)}

    def _arrange(self, said_by: Mapping[WordRef, SpeakerId]) -> None:
        view = self.paper.view()
        self.paper.make(arrange(view, spread(view, said_by)))

    def _correct(self, mic: Microphone) -> None:
        """Have the last utterances heard again, some words otherwise, at the same times."""
        first, mic.again_from = mic.again_from, mic.final
        if first == mic.final:
            return
        again = self.paper.passes.setdefault(mic.again, [])
        start = len(again)
        voices: list[SpeakerId] = []
        for word, voice in zip(mic.words[first : mic.final], mic.voices[first:], strict=False):
            chance = self.rng.random()
            if chance < 0.05:
                continue
            again.append(replace(word, text=f"{word.text}x") if chance < 0.2 else word)
            voices.append(voice)
        span = mic.words[first].start_ms, mic.words[mic.final - 1].end_ms
        portion = Portion(Segment(mic.again, start, len(again)), *span)
        belief = Belief.of(mic.live, mic.final, self.paper.decisions)
        said_by = {WordRef(mic.again, start + n): voice for n, voice in enumerate(voices)}
        self.paper.follow(correct(self.paper.view(), belief, portion, said_by))
        self._arrange(said_by)

    # People

    def _edit(self) -> None:
        paper, rng = self.paper, self.rng
        turns = [n for n, each in enumerate(paper.characters) if each.turn is not None]
        at = rng.randrange(1, len(paper.text) + 1)
        match rng.choice(["type", "type", "insert", "erase", "word", "join", "name"]):
            case "type":
                paper.type(at, rng.choice(["X", " YY ", ", ", "\n"]))
            case "insert":  # between words
                space = paper.text.find(" ", at)
                paper.type(space if space >= 0 else len(paper.text), " ZZ")
            case "erase":
                paper.erase(at, min(at + rng.randint(1, 9), len(paper.text)))
            case "word":
                space = paper.text.find(" ", at)
                end = paper.text.find(" ", space + 1)
                if 0 <= space < end:
                    paper.erase(space, end)
            case "join" if turns:
                place = rng.choice(turns)
                paper.erase(place, place + 1)
            case "name" if turns:
                turn = paper.characters[rng.choice(turns)].turn
                assert turn is not None
                paper.chosen[turn] = SpeakerId("p1")


def disorder(view: View) -> list[int]:
    """Return by how many ms turns begin before the turn before them, for each that does.

    A turn begins with the first word of a machine's that stands in it. Turns whose first word
    people took away, or which they named, are left out.
    """
    began = [view.heard(word.ref).start_ms for word in _firsts(view)]
    return [before - after for before, after in pairwise(began) if after < before]


def _firsts(view: View) -> Iterator[Standing]:
    items = view.items(range(len(view.runs)))
    standing = {item.ref for item in items if isinstance(item, Standing)}
    open_turn: Marker | None = None
    for item in items:
        if isinstance(item, Marker):
            open_turn = item
        elif open_turn is not None:
            began = view.beginning(open_turn.turn)
            taken = began is not None and began not in standing and began not in view.history.gone
            if not taken and open_turn.turn not in view.pinned:
                yield item
            open_turn = None
