"""Events as a client receives them, written shortly."""

from collections.abc import Iterator

from loadtest.arrivals import Arrival
from trax_client import Final, Partial, UtteranceEnd, Word

_WORD_MS = 400


def words(text: str, start_ms: int = 0, speaker: str | None = None) -> tuple[Word, ...]:
    """Return the words of a text, each 400 ms long, one after the other."""
    return tuple(
        Word(f" {word}", at, at + _WORD_MS, 900, speaker)
        for at, word in zip(_starts(start_ms), text.split(), strict=False)
    )


def partial(at_s: float, text: str, start_ms: int = 0, utterance: int = 0) -> Arrival:
    """Return a partial that came at `at_s`."""
    return Arrival(at_s, Partial(utterance, 0, words(text, start_ms)))


def final(at_s: float, text: str, start_ms: int = 0, utterance: int = 0) -> Arrival:
    """Return a final that came at `at_s`."""
    return Arrival(at_s, Final(1, utterance, words(text, start_ms)))


def ended(at_s: float, utterance: int = 0) -> Arrival:
    """Return the end of an utterance that came at `at_s`."""
    return Arrival(at_s, UtteranceEnd(1, utterance, 0, 1000))


def _starts(start_ms: int) -> Iterator[int]:
    while True:
        yield start_ms
        start_ms += _WORD_MS
