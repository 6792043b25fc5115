"""Events of sessions that follow each other, counted on as if they were those of one."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, TypeVar

from trax_client.events import (
    Correction,
    DurableEvent,
    Final,
    Partial,
    Speaker,
    SpeechStart,
    Stats,
    UtteranceEnd,
    Word,
)

_Placed = TypeVar("_Placed", bound=DurableEvent | Partial | Stats)


@dataclass(frozen=True, slots=True)
class _Counts:
    """How far something has come."""

    seq: int = 0
    utterances: int = 0
    speakers: int = 0
    ms: int = 0


class Continuation:
    """What the sessions before the present one counted; owned by its `Dialogue`.

    Speakers are told apart anew in each session: a label is never given twice, so that no two
    people are taken for one. `Done` tells of the last session only, and is not for here.
    """

    def __init__(self) -> None:
        self._before = self._reached = _Counts()
        self._shown: Partial | None = None

    def begin(self, at_ms: int) -> Partial | None:
        """Begin another session, whose first sample stands at `at_ms`.

        Returns:
            What takes back the words that the session before has not made final, if there are any.
        """
        self._before = self._reached = dataclasses.replace(self._reached, ms=at_ms)
        shown, self._shown = self._shown, None
        return None if shown is None else dataclasses.replace(shown, stable=0, words=())

    def place(self, event: _Placed) -> _Placed:
        """Return an event of the present session as one of the whole."""
        before = self._before
        shifts = {
            "seq": before.seq,
            "utterance": before.utterances,
            **dict.fromkeys(("start_ms", "end_ms", "audio_ms", "processed_ms"), before.ms),
        }
        # Fields of one name mean the same in every event.
        changed: dict[str, Any] = {
            field.name: getattr(event, field.name) + shifts[field.name]
            for field in dataclasses.fields(event)
            if field.name in shifts
        }
        if isinstance(event, Partial | Final | Correction):
            changed["words"] = tuple(map(self._word, event.words))
        if isinstance(event, Speaker):
            changed["speaker"] = self._label(event.speaker)
        placed = dataclasses.replace(event, **changed)
        self._note(placed)
        return placed

    def _word(self, word: Word) -> Word:
        start_ms, end_ms = word.start_ms + self._before.ms, word.end_ms + self._before.ms
        speaker = self._label(word.speaker)
        return dataclasses.replace(word, start_ms=start_ms, end_ms=end_ms, speaker=speaker)

    def _label(self, speaker: str | None) -> str | None:
        return None if speaker is None else f"S{_number(speaker) + self._before.speakers}"

    def _note(self, event: DurableEvent | Partial | Stats) -> None:
        reached = self._reached
        seq, utterances, voices = reached.seq, reached.utterances, [reached.speakers]
        if not isinstance(event, Partial | Stats):
            seq = event.seq
        if isinstance(event, SpeechStart | Partial | Final | UtteranceEnd | Correction):
            # Corrections come when later utterances have begun.
            utterances = max(utterances, event.utterance + 1)
        if isinstance(event, Partial | Final | Correction):
            voices += [_number(word.speaker or "") for word in event.words]
        if isinstance(event, Speaker):
            voices.append(_number(event.speaker or ""))
        if isinstance(event, Partial):
            self._shown = event
        elif isinstance(event, Final | UtteranceEnd):
            self._shown = None
        self._reached = _Counts(seq, utterances, max(voices), reached.ms)


def _number(speaker: str) -> int:
    """Return that of a label such as `S2`."""
    found = re.fullmatch(r"S(\d+)", speaker)
    return int(found[1]) if found else 0
