"""From what a client received to how long each word took, and how often its screen changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadtest.arrivals import Arrival
from loadtest.normalization import normalize
from loadtest.scoring import Token, align_tokens
from trax_client.events import Final, Partial, UtteranceEnd, Word

SAME_WORD_MS = 500
"""A partial shows a word when it has its text at its time, give or take this much: times of words
that are just being said are rough."""


@dataclass(frozen=True, slots=True)
class WordLatency:
    """How long after its end, in seconds, a word was final, and was first shown at all.

    The first may be before the end: recognizers guess a word from its beginning.
    """

    final_s: float
    shown_s: float


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A final word, and when it was final and first shown: seconds after the first sample."""

    token: Token
    at_s: float
    shown_at_s: float


def word_latencies(
    heard: Sequence[HeardWord], said: Sequence[Token] | None
) -> tuple[WordLatency, ...]:
    """Return the latency of every word that was heard rightly.

    Args:
        heard: In the order in which they were said.
        said: The truth. Without it, all words count, and end where the recognizer says.
    """
    if said is None:
        ends = [(word, word.token.end_s) for word in heard]
    else:
        alignment = align_tokens(said, [word.token for word in heard])
        ends = [(heard[index], said[truth].end_s) for truth, index in alignment.equal]
    return tuple(WordLatency(word.at_s - end_s, word.shown_at_s - end_s) for word, end_s in ends)


def final_words(arrivals: Iterable[Arrival]) -> list[HeardWord]:
    """Return the words that became final.

    Args:
        arrivals: All that came, partials too.
    """
    words: list[HeardWord] = []
    shown: dict[int, list[tuple[float, Partial]]] = defaultdict(list)
    for arrival in arrivals:
        match arrival.event:
            case Partial(utterance=utterance) as partial:
                shown[utterance].append((arrival.at_s, partial))
            case Final(utterance=utterance, words=final):
                for word in final:
                    at_s = _first_shown_s(word, shown[utterance], arrival.at_s)
                    start_s, end_s = word.start_ms / 1000, word.end_ms / 1000
                    words += [
                        HeardWord(Token(text, start_s, end_s, word.speaker), arrival.at_s, at_s)
                        for text in normalize(word.text)
                    ]
            case _:
                pass
    return words


def _first_shown_s(word: Word, partials: Iterable[tuple[float, Partial]], final_s: float) -> float:
    text = normalize(word.text)
    for at_s, partial in partials:
        for shown in partial.words:
            near = abs(shown.start_ms - word.start_ms) <= SAME_WORD_MS
            if near and normalize(shown.text) == text:
                return at_s
    return final_s


def count_retracted(arrivals: Iterable[Arrival]) -> int:
    """Return how many words were shown and then taken back.

    A word is taken back when the next partial or final of its utterance has another word, or
    none, in its place, counted from the utterance's beginning. Case and punctuation may change.
    """
    retracted = 0
    shown: dict[int, list[tuple[str, ...]]] = defaultdict(list)
    for arrival in arrivals:
        match arrival.event:
            case Partial(utterance=utterance, words=words):
                texts = _texts(words)
                retracted += _differing(shown[utterance], texts) + max(
                    0, len(shown[utterance]) - len(texts)
                )
                shown[utterance] = texts
            case Final(utterance=utterance, words=words):
                texts = _texts(words)
                retracted += _differing(shown[utterance], texts)
                shown[utterance] = shown[utterance][len(texts) :]
            case UtteranceEnd(utterance=utterance):
                retracted += len(shown.pop(utterance, []))
            case _:
                pass
    return retracted


def _texts(words: Iterable[Word]) -> list[tuple[str, ...]]:
    return [normalize(word.text) for word in words]


def _differing(before: Sequence[tuple[str, ...]], after: Sequence[tuple[str, ...]]) -> int:
    return sum(old != new for old, new in zip(before, after, strict=False))
