"""Which speakers of a transcript the voices of one hearing are (pure).

A name that a person gave must stay on the voice it was given to, so the voices that an offline
diarization found are matched with the speakers that the transcript has for the same time. Two kinds
of evidence count:

- *time*: how long a voice speaks where the transcript has a speaker, in milliseconds;
- *prints*: how alike both sound. They know a person again who came back, or whom another
  microphone heard, and contradict times that agree by chance.

The pairs chosen are those that agree most in all (the assignment problem; Kuhn, "The Hungarian
method", 1955, as scipy solves it): to settle the best pair first would sometimes leave two others
with nothing. Voices that one diarization told apart are never one speaker, unless they sound the
same after all. A voice that is nobody is a new speaker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from offline.domain import SpeakerId
from offline.results import HeardVoice

LEAST_SHARE = 0.2
"""A voice of which less agrees with a speaker in time is somebody else. Diarizers that agree at all
agree on more than half (see "Diarization" in the README)."""

ALIKE = 0.55
"""Cosine from which prints say that two voices are one person's (see `server.acquaintance`)."""

UNLIKE = 0.15
"""Cosine up to which prints contradict a time that agrees by less than half."""

SAME = 0.75
"""Cosine from which two voices of one hearing are one that it split."""

LIKENESS_WEIGHT = 0.5
"""What voices that sound exactly alike count for, in parts of the time that the voice speaks."""

Agreement = Mapping[tuple[int, SpeakerId], int]
"""For how many milliseconds a voice speaks where the transcript has a speaker."""


def identify(
    voices: Sequence[HeardVoice],
    agreed: Agreement,
    known: Mapping[SpeakerId, Sequence[bytes]],
) -> dict[int, SpeakerId]:
    """Return who the voices are that are speakers of the transcript already.

    Args:
        voices: Of the hearing, by index.
        agreed: Who spoke at the same time; nothing for a microphone nobody has heard yet.
        known: What speakers of the transcript sounded like, in this session or others.
    """
    speakers = sorted({speaker for _, speaker in agreed} | set(known))
    gains = np.array(
        [
            [_gain(voice, agreed.get((number, who), 0), known.get(who, ())) for who in speakers]
            for number, voice in enumerate(voices)
        ]
    ).reshape(len(voices), len(speakers))
    found = {number: speakers[place] for number, place in _best_pairs(gains)}
    for number, voice in enumerate(voices):
        if number not in found:
            twin = _twin(voice, {other: voices[other] for other in found})
            if twin is not None:
                found[number] = found[twin]
    return dict(sorted(found.items()))


def likeness(one: bytes, other: bytes) -> float | None:
    """Return how alike two prints are (their cosine); `None` where they cannot be compared."""
    if not one or len(one) != len(other):
        return None
    return float(np.frombuffer(one, dtype="<f4") @ np.frombuffer(other, dtype="<f4"))


def _gain(voice: HeardVoice, agreed_ms: int, prints: Sequence[bytes]) -> float:
    """Return what speaks for a voice and a speaker being one, in milliseconds; 0 is nothing."""
    share = agreed_ms / max(voice.speech_ms, 1)
    alike = [likeness(voice.print, each) for each in prints]
    most = max((each for each in alike if each is not None), default=None)
    by_time = share >= LEAST_SHARE
    if most is None:
        return float(agreed_ms) if by_time else 0.0
    if most <= UNLIKE and share < 1 / 2:
        return 0.0
    if most < ALIKE:
        return float(agreed_ms) if by_time else 0.0
    return agreed_ms + LIKENESS_WEIGHT * most * max(voice.speech_ms, 1)


def _best_pairs(gains: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return the pairs (row, column) of the largest sum, each with a gain."""
    # Half a second of imports, which a server that begins does not have to wait for.
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    rows, columns = linear_sum_assignment(gains, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(row, column) for row, column in pairs if gains[row, column] > 0]


def _twin(voice: HeardVoice, others: Mapping[int, HeardVoice]) -> int | None:
    """Return the voice that sounds the same, if one does."""
    alike = [
        (likely, -number)
        for number, other in others.items()
        if (likely := likeness(voice.print, other.print)) is not None and likely >= SAME
    ]
    return -max(alike)[1] if alike else None
