"""What was heard, written down as turns: what a document shows that nobody has edited (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from offline.domain import PassId, Run, Segment, Speaker, SpeakerId, Turn, TurnId
from offline.placement import NEW_TURN_AFTER_MS
from offline.results import HeardWord, Hearing


@dataclass(frozen=True, slots=True)
class FairCopy:
    """A hearing written down.

    Attributes:
        turns: In the order of time; their segments are words of the pass.
        speakers: Who speaks in them, in the order of their first words.
    """

    turns: tuple[Turn, ...]
    speakers: dict[SpeakerId, Speaker]


def write_down(hearing: Hearing, pass_id: PassId) -> FairCopy:
    """Write a hearing down: a turn ends where the voice changes, or after a pause.

    Args:
        hearing: Of a whole recording.
        pass_id: What its words are called.
    """
    voices = dict.fromkeys(heard.voice for heard in hearing.words if heard.voice is not None)
    names = {voice: SpeakerId(f"s{number}") for number, voice in enumerate(voices, start=1)}
    turns: list[Turn] = []
    for first, words in _turns(hearing.words):
        segment = Segment(pass_id, first, first + len(words))
        text = "".join(heard.word.text for heard in words).lstrip()
        who = next((heard.voice for heard in words if heard.voice is not None), None)
        turn = TurnId(f"{pass_id}.{first}")
        speaker = None if who is None else names[who]
        turns.append(Turn(turn, speaker, (Run(text, segment),)))
    speakers = {
        name: Speaker(name, f"Speaker {number}")
        for number, name in enumerate(names.values(), start=1)
    }
    return FairCopy(tuple(turns), speakers)


def _turns(words: Iterable[HeardWord]) -> list[tuple[int, list[HeardWord]]]:
    """Return the words of each turn, with the number of its first."""
    turns: list[tuple[int, list[HeardWord]]] = []
    voice: int | None = None
    for number, heard in enumerate(words):
        goes_on = bool(turns) and (
            heard.word.start_ms - turns[-1][1][-1].word.end_ms < NEW_TURN_AFTER_MS
        )
        if goes_on and heard.voice in (None, voice):
            turns[-1][1].append(heard)
        elif goes_on and voice is None:
            turns[-1][1].append(heard)  # Nobody knew whose turn it was so far.
            voice = heard.voice
        else:
            turns.append((number, [heard]))
            voice = heard.voice
    return turns
