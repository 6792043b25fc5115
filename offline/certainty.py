"""Which windows are worth hearing again: those of which earlier passes are not sure (pure).

Four signs, each of which is enough: the passes do not say the same, they are not sure, they heard
less than people say in so much time, or several talk at once, where that is known.

The first is the one that tells. On three talks of 2-4 speakers (964 words), with the live words and
those of the utterance pass as earlier ones (129 errors), hearing everything once more leaves 112;
hearing only windows of which less than a part is agreed on:

    agreed          0.8   0.9   0.95  0.97
    heard again     13 %  49 %  83 %  96 %
    errors left     124   116   114   112
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offline.voting import Vote
from streaming.core.domain import SAMPLE_RATE, Span


@dataclass(frozen=True, slots=True)
class CertaintyRules:
    """From when on earlier passes are sure enough.

    Attributes:
        agreed: Part of the words that all of them have.
        confidence: Mean of the words, in permille.
        words_per_s: Of speech; one word fewer is nothing.
        overlapped: Part of the speech in which several talk at once.
    """

    agreed: float = 0.9
    confidence: int = 800
    words_per_s: float = 1.2
    overlapped: float = 0.1


def is_certain(
    vote: Vote,
    voters: int,
    speech: Sequence[Span],
    overlaps: Sequence[Span],
    rules: CertaintyRules,
) -> bool:
    """Return whether a window need not be heard again.

    Args:
        vote: What earlier passes say of the window.
        voters: How many passes that are; one alone has nobody to agree with.
        speech: Where somebody speaks in it.
        overlaps: Where several do at once, in it or elsewhere; these do not overlap each other.
        rules: What is enough.
    """
    confidence = sum(word.confidence for word in vote.words) / max(1, len(vote.words))
    spoken = sum(span.length for span in speech)
    at_once = sum(span.overlap(overlap) for span in speech for overlap in overlaps)
    return (
        voters > 1
        and vote.agreed >= rules.agreed
        and (confidence >= rules.confidence or not vote.words)
        and len(vote.words) + 1 >= rules.words_per_s * spoken / SAMPLE_RATE
        and at_once <= rules.overlapped * spoken
    )
