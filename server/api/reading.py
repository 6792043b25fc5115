"""What a shared document says now, as values that a thread may compute with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offline.domain import PassId, PassWord, Speaker, SpeakerId, Turn
from server.api.answers import SpeakerAnswer
from server.api.operation import Call


@dataclass(frozen=True, slots=True)
class Reading:
    """A document at one moment; immutable.

    Attributes:
        title: As people see it.
        language: Code of the language, if it is known.
        speakers: With the names that people see.
        turns: In the order of the document.
        passes: The words of every pass.
    """

    title: str
    language: str | None
    speakers: Mapping[SpeakerId, Speaker]
    turns: Sequence[Turn]
    passes: Mapping[PassId, Sequence[PassWord]]


async def read(call: Call) -> Reading:
    """Read the document of a request; takes some milliseconds of the event loop for three hours.

    Raises:
        UnknownTranscript: There is none.
        StorageError: It cannot be opened now.
    """
    async with call.serving.rooms.enter(call.transcript) as room:
        document = room.transcript
        return Reading(
            title=document.meta("title") or "",
            language=document.meta("language"),
            speakers=document.speakers(),
            turns=document.turns(),
            passes={name: tuple(words) for name, words in room.passes.items()},
        )


def name_speakers(speakers: Mapping[SpeakerId, Speaker]) -> list[SpeakerAnswer]:
    """Return speakers as they are answered."""
    return [
        SpeakerAnswer(id=speaker.id, name=speaker.name, colour=speaker.colour)
        for speaker in speakers.values()
    ]
