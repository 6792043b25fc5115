"""Folds events into what has been said up to now.

The rules are those of `clients/PROTOCOL.md`, section 5: finals are appended, a correction
replaces its utterance's words in its span, a revised speaker goes to the words in its span, and
the newest partial stands at the end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import assert_never

from trax_client.events import (
    Correction,
    Done,
    Event,
    Final,
    Language,
    Partial,
    Speaker,
    SpeechStart,
    Stats,
    UtteranceEnd,
    Word,
)

TURN_PAUSE_MS = 2_000
"""A pause of one speaker after which a new turn begins, so that times stay near what they label."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of the transcript.

    Attributes:
        word: The word itself, its speaker as last revised.
        utterance: Which utterance it belongs to.
        corrected: Whether a correction put it where other words stood.
    """

    word: Word
    utterance: int
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """Consecutive words of one speaker; never empty."""

    speaker: str | None
    words: tuple[SpokenWord, ...]

    @property
    def start_ms(self) -> int:
        """Where the first word starts."""
        return self.words[0].word.start_ms

    @property
    def end_ms(self) -> int:
        """Where the last word ends."""
        return self.words[-1].word.end_ms

    @property
    def text(self) -> str:
        """What was said, without surrounding space."""
        return "".join(spoken.word.text for spoken in self.words).strip()


class Transcript:
    """What has been said up to now. Apply each event of a session, in order.

    Attributes:
        partial: The partial that stands at the end, or `None`.
        language: As detected, or `None`.
        corrections: How many corrections were applied.
        open_utterance: The utterance going on, or `None` in a pause.
    """

    def __init__(self) -> None:
        self.partial: Partial | None = None
        self.language: str | None = None
        self.corrections = 0
        self.open_utterance: int | None = None
        self._words: list[SpokenWord] = []

    @property
    def words(self) -> Sequence[SpokenWord]:
        """All final words, in time order; valid until the next event."""
        return self._words

    @property
    def text(self) -> str:
        """The final words as text."""
        return "".join(spoken.word.text for spoken in self._words).strip()

    @property
    def speakers(self) -> Sequence[str]:
        """Who spoke, in order of first appearance."""
        known = (spoken.word.speaker for spoken in self._words)
        return tuple(dict.fromkeys(speaker for speaker in known if speaker is not None))

    def apply(self, event: Event) -> None:
        """Take one event in. Costs no more than the words since the span that it concerns."""
        match event:
            case SpeechStart(utterance=utterance):
                self.open_utterance = utterance
            case Partial():
                self.partial = event if event.words else None
            case Final(utterance=utterance, words=words):
                self.partial = None
                self._words.extend(SpokenWord(word, utterance) for word in words)
            case Correction():
                self._correct(event)
            case Speaker(start_ms=start_ms, end_ms=end_ms, speaker=speaker):
                self._revise_speaker(start_ms, end_ms, speaker)
            case UtteranceEnd():
                self.partial = None
                self.open_utterance = None
            case Language(language=language):
                self.language = language
            case Done():
                self.partial = None
                self.open_utterance = None
            case Stats():
                pass
            case _:
                assert_never(event)

    def turns(self, first_word: int = 0) -> tuple[Turn, ...]:
        """Group the words from index `first_word` on into turns.

        Words whose speaker is not known (yet) stay with the turn before, if it is of the same
        utterance: a label that is a second late should not tear a sentence apart.
        """
        return group_turns(self._words[first_word:])

    def _correct(self, event: Correction) -> None:
        self.corrections += 1
        replaced = self._indices_back(
            until=lambda spoken: spoken.utterance < event.utterance,
            which=lambda spoken: (
                spoken.utterance == event.utterance
                and spoken.word.lies_in(event.start_ms, event.end_ms)
            ),
        )
        at = replaced[-1] if replaced else self._index_at(event.start_ms)
        before = [self._words[index] for index in reversed(replaced)]
        for index in replaced:
            del self._words[index]
        self._words[at:at] = _mark_corrected(before, event)

    def _revise_speaker(self, start_ms: int, end_ms: int, speaker: str | None) -> None:
        concerned = self._indices_back(
            until=lambda spoken: spoken.word.end_ms < start_ms,
            which=lambda spoken: spoken.word.lies_in(start_ms, end_ms),
        )
        for index in concerned:
            spoken = self._words[index]
            word = dataclasses.replace(spoken.word, speaker=speaker)
            self._words[index] = dataclasses.replace(spoken, word=word)

    def _indices_back(
        self, until: Callable[[SpokenWord], bool], which: Callable[[SpokenWord], bool]
    ) -> list[int]:
        """Return indices of words from the newest back: what events concern is always recent."""
        found: list[int] = []
        for index in range(len(self._words) - 1, -1, -1):
            if until(self._words[index]):
                break
            if which(self._words[index]):
                found.append(index)
        return found

    def _index_at(self, start_ms: int) -> int:
        """Return where words from `start_ms` belong in time."""
        index = len(self._words)
        while index and self._words[index - 1].word.start_ms >= start_ms:
            index -= 1
        return index


def group_turns(words: Sequence[SpokenWord]) -> tuple[Turn, ...]:
    """Group consecutive words into turns (see `Transcript.turns`)."""
    turns: list[Turn] = []
    begun: list[SpokenWord] = []
    speaker: str | None = None
    for spoken in words:
        if begun and not _continues(begun[-1], speaker, spoken):
            turns.append(Turn(speaker, tuple(begun)))
            begun, speaker = [], None
        begun.append(spoken)
        speaker = speaker or spoken.word.speaker
    if begun:
        turns.append(Turn(speaker, tuple(begun)))
    return tuple(turns)


def _continues(last: SpokenWord, speaker: str | None, spoken: SpokenWord) -> bool:
    """Return whether a word goes on with the turn of `speaker` whose last word is `last`."""
    if spoken.word.start_ms - last.word.end_ms >= TURN_PAUSE_MS:
        return False
    if spoken.word.speaker == speaker:
        return True
    unknown = speaker is None or spoken.word.speaker is None
    return unknown and spoken.utterance == last.utterance


def _mark_corrected(before: Sequence[SpokenWord], event: Correction) -> list[SpokenWord]:
    """Return a correction's words, marking those that differ from what stood there."""
    spoken = [SpokenWord(word, event.utterance) for word in event.words]
    matcher = SequenceMatcher(
        None,
        [old.word.text.strip() for old in before],
        [new.word.text.strip() for new in spoken],
        autojunk=False,
    )
    for operation, old_first, _, first, last in matcher.get_opcodes():
        for offset in range(last - first):
            # A word that a correction put there once stays marked when another one keeps it.
            marked = operation != "equal" or before[old_first + offset].corrected
            spoken[first + offset] = dataclasses.replace(spoken[first + offset], corrected=marked)
    return spoken
