"""Several readings of one stretch of audio made one, word by word (pure).

As in ROVER (Fiscus, "A Post-processing System to Yield Reduced Word Error Rates: Recognizer Output
Voting Error Reduction", ASRU 1997): the readings are aligned one after another into a row of
places, at each of which a reading has a word or none, and each place goes to what most of them say
for sure. Recognizers skip more easily than they invent, so that silence counts less than a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streaming.core.agreement import agreement_key
from streaming.core.domain import SAMPLE_RATE, Word

NUMBER = 0.5
"""What of a vote counts however sure the reading is; the rest is its confidence."""

SILENT = 0.8
"""What the vote of a reading without a word counts, if its confidence is that of a coin."""

APART = SAMPLE_RATE
"""Words further apart than this are hardly the same ones."""


@dataclass(slots=True)
class _Place:
    """Where readings have a word or none: one entry for each reading so far."""

    words: list[Word | None]
    keys: frozenset[str]
    middle: float

    @classmethod
    def of(cls, words: Sequence[Word | None]) -> _Place:
        said = [word for word in words if word is not None]
        middle = sum(_middle(word) for word in said) / len(said)
        return cls(list(words), frozenset(agreement_key(word.text) for word in said), middle)


@dataclass(frozen=True, slots=True)
class Vote:
    """What came of a vote.

    Attributes:
        words: What most readings say; times may overlap where words of several readings meet.
        agreed: The part of the places at which all readings say the same; 1 if nobody says
            anything.
    """

    words: tuple[Word, ...]
    agreed: float


def vote(readings: Sequence[Sequence[Word]]) -> Vote:
    """Let readings vote.

    Args:
        readings: Each in time order. What the first ones have in common decides how the others are
            aligned, so the best come first; of equal votes the earlier reading's counts.
    """
    places = [_Place.of([word]) for reading in readings[:1] for word in reading]
    for number, reading in enumerate(readings[1:], start=1):
        places = _align(places, reading, number)
    elected = (_elect(place) for place in places)
    agreed = sum(len(place.keys) == 1 and None not in place.words for place in places)
    return Vote(
        tuple(word for word in elected if word is not None),
        agreed / len(places) if places else 1.0,
    )


def _elect(place: _Place) -> Word | None:
    votes: dict[str, float] = {}
    best: dict[str, Word] = {}
    for word in place.words:
        key = "" if word is None else agreement_key(word.text)
        votes[key] = votes.get(key, 0.0) + _weight(word)
        if word is not None and (key not in best or word.confidence > best[key].confidence):
            best[key] = word
    return best.get(max(votes, key=lambda key: votes[key]))


def _weight(word: Word | None) -> float:
    if word is None:
        return SILENT * (NUMBER + (1 - NUMBER) / 2)
    return NUMBER + (1 - NUMBER) * word.confidence / 1000


def _align(places: Sequence[_Place], words: Sequence[Word], before: int) -> list[_Place]:
    """Return the places with one more reading, by the alignment of least cost.

    Args:
        places: Of the readings before.
        words: The next reading.
        before: How many readings came before.
    """
    steps = _steps(places, words)
    i, j = len(places), len(words)
    aligned: list[_Place] = []
    while i or j:
        step = steps[i][j]
        i, j = i - (step != _INSERT), j - (step != _DELETE)
        if step == _INSERT:
            aligned.append(_Place.of([*[None] * before, words[j]]))
        else:
            aligned.append(_Place.of([*places[i].words, words[j] if step == _PAIR else None]))
    return aligned[::-1]


_PAIR, _DELETE, _INSERT = range(3)

_UNEQUAL, _SKIPPED, _SKIPPED_AGAIN = 1.2, 1.0, 0.6
"""Costs of pairing words that differ, of a word alone, and of none where others had none."""

_MOST_APART = 3.0


def _steps(places: Sequence[_Place], words: Sequence[Word]) -> list[list[int]]:
    """Return for each pair of ends how the best alignment of what is before them ends."""
    keys = [agreement_key(word.text) for word in words]
    middles = [_middle(word) for word in words]
    costs = [_SKIPPED * j for j in range(len(words) + 1)]
    steps = [[_INSERT] * (len(words) + 1)]
    for place in places:
        skipping = _SKIPPED_AGAIN if None in place.words else _SKIPPED
        row, how = [costs[0] + skipping], [_DELETE]
        for j, (key, middle) in enumerate(zip(keys, middles, strict=True)):
            apart = max(0.0, abs(place.middle - middle) / APART - 1)
            pair = costs[j] + min(apart, _MOST_APART) + (_UNEQUAL if key not in place.keys else 0)
            options = (pair, costs[j + 1] + skipping, row[j] + _SKIPPED)
            step = min(range(3), key=lambda n, options=options: options[n])  # type: ignore[misc]
            row.append(options[step])
            how.append(step)
        costs = row
        steps.append(how)
    return steps


def _middle(word: Word) -> float:
    return (word.span.start + word.span.end) / 2
