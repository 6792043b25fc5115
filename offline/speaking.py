"""Who said which word: words of an accurate pass and turns of a diarization together (pure).

Both come from different models with errors of their own. Turns begin and end a few hundred
milliseconds beside the truth, and so do words, so that a word at a change of voice easily goes to
the wrong side of it. People do not change voices within a sentence, though, and recognizers write
where sentences end. So:

1. each word goes to the voice that speaks for most of it; where several do, as when people talk at
   once, to the one that said the word before;
2. a word in no turn goes to the nearest one;
3. words between a change of voice and the end of a sentence close to it go with their sentence.

Of the words that Whisper base heard in the three conversations of `tests/data`, 5.2 % go to a wrong
voice by steps 1 and 2, and 3.6 % by all three; 8.0 and 6.3 % with three talks of 2-4 speakers more,
in which people talk at once more often. Step 3 changes nothing where the text has no sentences.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from offline.diarization import VoiceTurn
from offline.domain import PassWord
from offline.results import HeardWord

REACH_MS = 2000
"""How far away the nearest turn may be. It is a guess, and a better one than nobody."""

NEAR_MS = 500
"""How far the end of a sentence may be from where the diarizer says that voices change."""

STRAY_WORDS = 3
"""Most words that change sides there."""

_TERMINAL = (".", "?", "!", "。", "？", "！", "…", "।", "؟")
_CLOSING = "\"'”’»)]」』"


def assign(words: Sequence[PassWord], turns: Sequence[VoiceTurn]) -> tuple[HeardWord, ...]:
    """Return whose voice each word is.

    Args:
        words: In time order.
        turns: By start, on the same clock; those of one voice do not overlap.
    """
    voices = with_sentences(words, by_time(words, turns))
    return tuple(HeardWord(word, voice) for word, voice in zip(words, voices, strict=True))


def by_time(words: Sequence[PassWord], turns: Sequence[VoiceTurn]) -> list[int | None]:
    """Return who speaks during each word, or closest to it."""
    voices: list[int | None] = []
    near = _Near(turns)
    for word in words:
        near.move_to(word)
        before = voices[-1] if voices else None
        voices.append(_speaking(word, near.turns, before))
    return voices


class _Near:
    """The turns within reach of the newest word: it passes over both in one go."""

    def __init__(self, turns: Sequence[VoiceTurn]) -> None:
        self._coming = list(reversed(turns))
        self.turns: list[VoiceTurn] = []

    def move_to(self, word: PassWord) -> None:
        self.turns = [turn for turn in self.turns if turn.end_ms + REACH_MS >= word.start_ms]
        while self._coming and self._coming[-1].start_ms <= word.end_ms + REACH_MS:
            self.turns.append(self._coming.pop())


def _speaking(word: PassWord, turns: Sequence[VoiceTurn], before: int | None) -> int | None:
    shares: dict[int, int] = {}
    for turn in turns:
        share = min(turn.end_ms, word.end_ms) - max(turn.start_ms, word.start_ms)
        if share > 0:
            shares[turn.voice] = shares.get(turn.voice, 0) + share
    if shares:
        most = max(shares.values())
        best = [voice for voice, share in shares.items() if share == most]
        return before if before in best else best[0]
    middle = (word.start_ms + word.end_ms) // 2
    nearest = min(turns, key=lambda turn: _distance(turn, middle), default=None)
    if nearest is None or _distance(nearest, middle) > REACH_MS:
        return None
    return nearest.voice


def _distance(turn: VoiceTurn, at_ms: int) -> int:
    return max(turn.start_ms - at_ms, at_ms - turn.end_ms, 0)


def with_sentences(words: Sequence[PassWord], voices: Sequence[int | None]) -> list[int | None]:
    """Return the voices with changes of voice moved to the ends of sentences close to them.

    A voice that says but a few words, as in between, keeps them.
    """
    moved = list(voices)
    first = 0
    for before, after in itertools.pairwise(_runs(voices)):
        # What is left of it, so that it keeps a word when both of its ends move.
        left = replace(before, first=max(before.first, first))
        boundary = _sentence_near(words, left, after)
        if boundary is None:
            continue
        first = boundary
        change = after.first
        if boundary < change:
            moved[boundary:change] = [after.voice] * (change - boundary)
        else:
            moved[change:boundary] = [before.voice] * (boundary - change)
    return moved


@dataclass(frozen=True, slots=True)
class _Run:
    """Words of one voice in a row, `[first, end)`."""

    first: int
    end: int
    voice: int | None


def _runs(voices: Sequence[int | None]) -> list[_Run]:
    firsts = [i for i, voice in enumerate(voices) if i == 0 or voices[i - 1] != voice]
    ends = [*firsts, len(voices)][1:]
    return [_Run(first, end, voices[first]) for first, end in zip(firsts, ends, strict=True)]


def _sentence_near(words: Sequence[PassWord], before: _Run, after: _Run) -> int | None:
    """Return the word that begins a sentence closest to a change of voice, if one is close.

    `None` also where the change is at such a word already.
    """
    change = after.first
    if before.voice is None or after.voice is None or ends_sentence(words[change - 1].text):
        return None
    lowest = max(before.first + 1, change - STRAY_WORDS)
    highest = min(after.end - 1, change + STRAY_WORDS)
    close = [
        (abs(at - change), at)
        for at in range(lowest, highest + 1)
        if ends_sentence(words[at - 1].text) and _between_ms(words, change, at) <= NEAR_MS
    ]
    return min(close)[1] if close else None


def _between_ms(words: Sequence[PassWord], change: int, sentence: int) -> int:
    """Return how far a change of voice is from the beginning of a sentence."""
    if sentence < change:
        return words[change - 1].end_ms - words[sentence].start_ms
    return words[sentence - 1].end_ms - words[change].start_ms


def ends_sentence(text: str) -> bool:
    """Return whether a sentence ends with a word, as far as its own text tells."""
    return text.rstrip().rstrip(_CLOSING).endswith(_TERMINAL)
