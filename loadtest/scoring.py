"""Words that were heard against words that were said: errors, times, speakers.

Both are compared as `Token`s: one normalised word each, with the times and the speaker of the word
it comes from. The alignment is the one with the fewest errors (Levenshtein's, as `jiwer` finds
it); it knows nothing of times, so that a word heard at a wrong time counts as right, and its time
as wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import jiwer

from loadtest.distribution import Distribution
from loadtest.normalization import normalize
from loadtest.recordings import TrueWord
from trax_client.events import Word


@dataclass(frozen=True, slots=True)
class Token:
    """One normalised word."""

    text: str
    start_s: float
    end_s: float
    speaker: str | None


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Counts that can be added up over recordings.

    Attributes:
        words: Words that were said.
        substitutions: Words heard instead of others.
        deletions: Words not heard.
        insertions: Words that nobody said.
    """

    words: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __add__(self, other: WordErrors) -> WordErrors:
        """Return the counts of both."""
        return WordErrors(
            self.words + other.words,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    @property
    def total(self) -> int:
        """All errors."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors for each word that was said; infinite when nobody said any but some were heard."""
        if not self.words:
            return float("inf") if self.total else 0.0
        return self.total / self.words


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which word was heard for which.

    Attributes:
        errors: How many are wrong.
        equal: Pairs (said, heard) of equal words, each an index into its sequence, in order.
        paired: Those, and the pairs of which one was heard instead of the other.
    """

    errors: WordErrors
    equal: tuple[tuple[int, int], ...]
    paired: tuple[tuple[int, int], ...]


def tokens_said(words: Iterable[TrueWord]) -> tuple[Token, ...]:
    """Return a truth's words in the form in which they are compared."""
    return tuple(
        Token(text, word.start_s, word.end_s, word.speaker)
        for word in words
        for text in normalize(word.text)
    )


def tokens_heard(words: Iterable[Word]) -> tuple[Token, ...]:
    """Return the words of events in the form in which they are compared."""
    return tuple(
        Token(text, word.start_ms / 1000, word.end_ms / 1000, word.speaker)
        for word in words
        for text in normalize(word.text)
    )


def align(said: Sequence[str], heard: Sequence[str]) -> Alignment:
    """Align normalised words."""
    if not said or not heard:
        return Alignment(WordErrors(len(said), 0, len(said), len(heard)), (), ())
    found = jiwer.process_words(" ".join(said), " ".join(heard))
    equal: list[tuple[int, int]] = []
    paired: list[tuple[int, int]] = []
    for chunk in found.alignments[0]:
        if chunk.type not in ("equal", "substitute"):
            continue
        pairs = list(
            zip(
                range(chunk.ref_start_idx, chunk.ref_end_idx),
                range(chunk.hyp_start_idx, chunk.hyp_end_idx),
                strict=True,
            )
        )
        paired += pairs
        if chunk.type == "equal":
            equal += pairs
    errors = WordErrors(len(said), found.substitutions, found.deletions, found.insertions)
    return Alignment(errors, tuple(equal), tuple(paired))


def align_tokens(said: Sequence[Token], heard: Sequence[Token]) -> Alignment:
    """Align words by their texts."""
    return align([token.text for token in said], [token.text for token in heard])


@dataclass(frozen=True, slots=True)
class TimeErrors:
    """How far the times of words that were heard rightly lie from the truth, in seconds."""

    start_s: Distribution
    end_s: Distribution


def time_errors(
    said: Sequence[Token], heard: Sequence[Token], alignment: Alignment
) -> TimeErrors | None:
    """Return how wrong times are, or `None` when no word was heard rightly."""
    starts = Distribution.of(abs(said[a].start_s - heard[b].start_s) for a, b in alignment.equal)
    ends = Distribution.of(abs(said[a].end_s - heard[b].end_s) for a, b in alignment.equal)
    return None if starts is None or ends is None else TimeErrors(starts, ends)


@dataclass(frozen=True, slots=True)
class SpeakerErrors:
    """How many of the words that were heard were given to the right voice.

    Attributes:
        words: Words that were said and heard, rightly or not.
        wrong: Those of them given to another voice than the one that stands for their speaker, or
            to none.
    """

    words: int = 0
    wrong: int = 0

    def __add__(self, other: SpeakerErrors) -> SpeakerErrors:
        """Return the counts of both."""
        return SpeakerErrors(self.words + other.words, self.wrong + other.wrong)

    @property
    def rate(self) -> float:
        """The part of the words that is wrong."""
        return self.wrong / self.words if self.words else 0.0


def speaker_errors(
    said: Sequence[Token], heard: Sequence[Token], alignment: Alignment
) -> SpeakerErrors:
    """Count words of the wrong voice, with voices matched to people as it suits best."""
    pairs = Counter((said[a].speaker, heard[b].speaker) for a, b in alignment.paired)
    return SpeakerErrors(pairs.total(), pairs.total() - _best_match(pairs))


def _best_match(pairs: Counter[tuple[str | None, str | None]]) -> int:
    """Return how many pairs (person, voice) are right when each voice stands for one person."""
    people = sorted({person for person, _ in pairs if person is not None})
    voices = sorted({voice for _, voice in pairs if voice is not None})
    # Voice by voice: the most that is right for each set of people, as bits, that have a voice.
    best = {0: 0}
    for voice in voices:
        for taken, right in tuple(best.items()):
            for bit, person in enumerate(people):
                both = taken | 1 << bit
                if both != taken:
                    best[both] = max(best.get(both, 0), right + pairs[person, voice])
    return max(best.values())
