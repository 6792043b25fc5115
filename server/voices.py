"""Names of voices as clients know them: `S1`, `S2` ... in the order in which words bear them.

A diarizer names a voice as soon as it suspects one, and one that starts anew calls the first voice
it hears `S1` again, whoever that is. So a voice gets its number here, with its first lasting word.
A session that goes on from its recording knows the voices again whose prints were kept with it,
and counts on from all it had: one person may then have two names, which people and the accurate
pass can mend, but never two persons one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from streaming.core.domain import Speaker, Voice, Word
from streaming.core.events import Correction, Event, Final, Partial, SpeakerRevised

_NUMBERED = re.compile(r"S(\d+)")

Names = dict[Speaker, Speaker]


class Voices:
    """Renames the voices in what one runner says; owned by its session."""

    def __init__(self, known: Iterable[Speaker], prints: Iterable[Voice] = ()) -> None:
        """Count on from the voices named before.

        Args:
            known: All of them.
            prints: Those that the runner knows again, by these names.
        """
        self._known = max(map(_number, known), default=0)
        self._names: Names = {voice.speaker: voice.speaker for voice in prints}

    def heard(self, voices: Iterable[Voice]) -> tuple[Voice, ...]:
        """Return the voices that have a number, by their names."""
        return tuple(
            replace(voice, speaker=self._names[voice.speaker])
            for voice in voices
            if voice.speaker in self._names
        )

    def named(self, event: Event) -> Event:
        """Return the event with the names that clients know."""
        match event:
            case Partial():
                # What is only suspected takes no number from who comes next.
                return replace(event, words=self._words(event.words, self._names.copy()))
            case Final() | Correction():
                return replace(event, words=self._words(event.words, self._names))
            case SpeakerRevised(speaker=speaker):
                return replace(event, speaker=self._name(speaker, self._names))
            case _:
                return event

    def _words(self, words: Iterable[Word], names: Names) -> tuple[Word, ...]:
        return tuple(replace(word, speaker=self._name(word.speaker, names)) for word in words)

    def _name(self, voice: Speaker | None, names: Names) -> Speaker | None:
        if voice is not None and voice not in names:
            last = max(map(_number, names.values()), default=0)
            names[voice] = Speaker(f"S{max(self._known, last) + 1}")
        return None if voice is None else names[voice]


def _number(name: Speaker) -> int:
    found = _NUMBERED.fullmatch(name)
    return 0 if found is None else int(found[1])
