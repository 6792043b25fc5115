"""What is not believed of what a recognizer says it heard (pure)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from streaming.core.agreement import agreement_key
from streaming.core.domain import Samples, Span, Word, from_ms

NEAR = from_ms(250)
"""So far from speech may a word lie: times from attention are not exact."""

PHANTOMS = frozenset(
    "".join(text.split())
    for text in (
        "you",
        "thank you",
        "thank you so much",
        "thank you very much",
        "thanks for watching",
        "thank you for watching",
        "thank you so much for watching",
        "please subscribe",
        "bye",
        "bye bye",
        "so",
        "oh",
    )
)
"""What Whisper hears in silence, noise and music: the ends of the videos it was trained on."""

PHANTOM_SURE = 600
"""Who really says only that is heard with more than this, in permille."""

REPEATED = 4
"""So many times in a row nobody says the same few words; the rest is a loop of the decoder."""

LONGEST_REPEATED = 6
"""Words of such a phrase."""


def believable(words: Sequence[Word], speech: Sequence[Span]) -> list[Word]:
    """Return the words that may have been said.

    Args:
        words: What was heard in one window, in time order.
        speech: Where somebody speaks, in time order.
    """
    spoken = [word for word in words if _is_spoken(word, speech)]
    return [] if _is_phantom(spoken) else _without_loops(spoken)


def _is_spoken(word: Word, speech: Sequence[Span]) -> bool:
    around = Span(Samples(max(0, word.span.start - NEAR)), Samples(word.span.end + NEAR))
    after = bisect_left(speech, around.start, key=lambda span: span.end)
    return after < len(speech) and speech[after].start < around.end


def _is_phantom(words: Sequence[Word]) -> bool:
    said = "".join(agreement_key(word.text) for word in words)
    sure = sum(word.confidence for word in words) / max(1, len(words))
    return said in PHANTOMS and sure < PHANTOM_SURE


def _without_loops(words: Sequence[Word]) -> list[Word]:
    keys = [agreement_key(word.text) for word in words]
    kept: list[int] = []
    at = 0
    while at < len(words):
        length, times = _loop(keys, at)
        kept += range(at, at + length)
        at += length * times
    return [words[index] for index in kept]


def _loop(keys: Sequence[str], at: int) -> tuple[int, int]:
    """Return length and number of a phrase that begins at a word and is said too often; or 1, 1."""
    for length in range(1, LONGEST_REPEATED + 1):
        phrase = keys[at : at + length]
        times = 1
        while keys[at + length * times : at + length * (times + 1)] == phrase:
            times += 1
        if times > REPEATED:
            return length, times
    return 1, 1
