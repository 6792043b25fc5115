"""How long windows and texts of Whisper are, and where decoding goes on (pure).

See `streaming.engines.whisper` and `streaming.engines.whisper_search`, which decode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streaming.core.agreement import agreement_key
from streaming.core.domain import SAMPLE_RATE, Word

SHORTEST_WINDOW = 10 * SAMPLE_RATE
"""Below this, padded or not, base and tiny.en repeat themselves."""

LONGEST_WINDOW = 30 * SAMPLE_RATE
"""What Whisper was trained on, and the most that the encoder takes."""

SILENCE_AFTER = SAMPLE_RATE
"""Padding after the speech without which the decoder does not end the text."""

LENGTH_STEP = SAMPLE_RATE // 2
"""Windows are padded to multiples of this. oneDNN, with which CTranslate2 computes, compiles and
keeps code for each length it meets, up to 1024: with windows of any length an hour of audio took
700 MB, and compiling took time."""

SHORTEST_SEARCHED_REST = 15 * SAMPLE_RATE
NOTHING_AFTER = 5 * SAMPLE_RATE
"""What follows the last word is searched in so much, with so much of nothing behind it: at the
full 30 s that costs a fourth of a search more, and finds nothing more. A whole window searched in
so little leaves 124 errors instead of 118 on the talks of `streaming.engines.whisper`."""

TOKENS_PER_SECOND = 5.5
TOKENS_AT_LEAST = 10
"""Cap on a hypothesis: `TOKENS_PER_SECOND` of audio plus `TOKENS_AT_LEAST`."""

TOKENS_FOR_TIMESTAMPS = 14
"""More tokens allowed where timestamps stand between them: seven segments."""

SAMPLES_PER_TICK = 320
"""A timestamp token counts 20 ms."""

MOST_SEEKS = 5
SHORTEST_REST = SAMPLE_RATE // 3
"""An utterance is decoded at most `MOST_SEEKS` times, and not for a rest shorter than this."""

SAME_WORD = SAMPLE_RATE // 4
"""Nobody says a word twice with less between: where decoding goes on inside a word, it is heard
once more."""


@dataclass(frozen=True, slots=True)
class Seek:
    """Where a decoding with timestamps stopped, though there is more to hear.

    Attributes:
        tokens: How many of its tokens belong to what was heard.
        samples: How much audio that was.
    """

    tokens: int
    samples: int


def seek(tokens: Sequence[int], begin: int) -> Seek | None:
    """Return where to decode from next, or `None` when the whole window was heard.

    Whisper closes a segment with a timestamp and opens the next with the same one. Text that
    ends with a single timestamp, or has no pair, went to the end of the window
    (openai/whisper: transcribe.py).

    Args:
        tokens: What was decoded.
        begin: The first timestamp token.
    """
    if is_whole(tokens, begin):
        return None
    pairs = [i for i in range(1, len(tokens)) if tokens[i - 1] >= begin and tokens[i] >= begin]
    if not pairs or (ticks := tokens[pairs[-1] - 1] - begin) == 0:
        return None
    return Seek(pairs[-1], ticks * SAMPLES_PER_TICK)


def is_whole(tokens: Sequence[int], begin: int) -> bool:
    """Return whether text ends with a single timestamp: nothing follows it in the window."""
    return len(tokens) >= 2 and tokens[-2] < begin <= tokens[-1]


def after(before: Sequence[Word], words: Sequence[Word]) -> Sequence[Word]:
    """Return the words without a first one that is the last of `before`, heard again."""
    if not (before and words):
        return words
    again = agreement_key(before[-1].text) == agreement_key(words[0].text)
    at_once = words[0].span.start - before[-1].span.end < SAME_WORD
    return words[1:] if again and at_once else words


def padded_length(samples: int) -> int:
    """Return how long a window of so many samples is for the encoder."""
    return _stepped(samples + SILENCE_AFTER, SHORTEST_WINDOW)


def rest_length(samples: int) -> int:
    """Return how long for the encoder so many samples are that follow the last word."""
    return _stepped(samples + NOTHING_AFTER, SHORTEST_SEARCHED_REST)


def _stepped(samples: int, shortest: int) -> int:
    steps = -(-samples // LENGTH_STEP)
    return min(max(shortest, steps * LENGTH_STEP), LONGEST_WINDOW)


def token_cap(samples: int) -> int:
    """Return how many tokens of text a window of so many samples holds at most."""
    return round(samples / SAMPLE_RATE * TOKENS_PER_SECOND) + TOKENS_AT_LEAST
