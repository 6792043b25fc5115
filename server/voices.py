"""Names of voices over the interruptions of a session.

A diarizer that starts anew calls the first voice it hears `S1` again, whoever that is. A session
that goes on from its recording therefore counts on from the voices it has: one person may then
have two names, which people and the accurate pass can mend, but never two persons one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from streaming.core.domain import Speaker, Word
from streaming.core.events import Correction, Event, Final, Partial, SpeakerRevised

_NUMBERED = re.compile(r"S(\d+)")


class Voices:
    """Renames the voices in what one runner says; owned by its session."""

    def __init__(self, known: Iterable[Speaker]) -> None:
        """Count on from the voices named before."""
        numbers = [int(found[1]) for name in known if (found := _NUMBERED.fullmatch(name))]
        self._known = max(numbers, default=0)

    def named(self, event: Event) -> Event:
        """Return the event with the names that clients know."""
        if self._known == 0:
            return event
        match event:
            case Final() | Correction() | Partial():
                return replace(event, words=tuple(self._word(word) for word in event.words))
            case SpeakerRevised(speaker=speaker):
                return replace(event, speaker=self._name(speaker))
            case _:
                return event

    def _word(self, word: Word) -> Word:
        return replace(word, speaker=self._name(word.speaker))

    def _name(self, speaker: Speaker | None) -> Speaker | None:
        found = None if speaker is None else _NUMBERED.fullmatch(speaker)
        return speaker if found is None else Speaker(f"S{int(found[1]) + self._known}")
