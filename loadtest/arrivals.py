"""What a client received and when, and what it had at the end.

Measurements of a server and of the engines alone both end up as `Arrival`s, so that both are
counted by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from trax_client.events import Correction, Event, Final, Word
from trax_client.folding import Transcript


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event, and how long after the first sample was spoken it came."""

    at_s: float
    event: Event


def live_words(arrivals: Iterable[Arrival]) -> tuple[Word, ...]:
    """Return the words as they became final, speakers as last revised, without corrections."""
    return _words(each for each in arrivals if not isinstance(each.event, Correction))


def corrected_words(arrivals: Iterable[Arrival]) -> tuple[Word, ...]:
    """Return the words that stand at the end."""
    return _words(arrivals)


def disordered_finals(arrivals: Sequence[Arrival]) -> int:
    """Return how many final words begin before the final word before them ends.

    A final cannot be taken back; a server that wanted to change one could only send it again, at
    the same time. So nothing was changed where this is zero.
    """
    words = [
        word for each in arrivals if isinstance(each.event, Final) for word in each.event.words
    ]
    return sum(after.start_ms < before.end_ms for before, after in pairwise(words))


def _words(arrivals: Iterable[Arrival]) -> tuple[Word, ...]:
    transcript = Transcript()
    for arrival in arrivals:
        transcript.apply(arrival.event)
    return tuple(spoken.word for spoken in transcript.words)
