"""What a shared document says now, as values that a thread may compute with.

The document of a room is used in the event loop only, and reading three hours of speech out of it
would hold everybody up for 25 ms. So it is copied there, as one update, and read in the thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from offline.domain import PassId, PassWord, Speaker, SpeakerId, Turn
from server.api.answers import SpeakerAnswer
from server.api.operation import Call
from server.describing import LONGEST_LANGUAGE, LONGEST_TITLE
from server.storage.values import Session
from server.storage.values import Transcript as AboutTranscript
from server.transcript import Transcript, make_client_id
from streaming.core.domain import to_ms


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


@dataclass(frozen=True, slots=True)
class Copy:
    """A document at one moment, not looked into yet; immutable."""

    update: bytes
    passes: Mapping[PassId, Sequence[PassWord]]

    def read(self) -> Reading:
        """Return what it says; blocks for some 50 ms for three hours of speech."""
        document = Transcript(make_client_id(), [self.update])
        return Reading(
            title=title_of(document),
            language=language_of(document),
            speakers=document.speakers(),
            turns=document.turns(),
            passes=self.passes,
        )


async def copy(call: Call) -> Copy:
    """Copy the document of a request, which takes a millisecond for three hours of speech.

    Raises:
        UnknownTranscript: There is none.
        StorageError: It cannot be opened now.
    """
    async with call.serving.rooms.enter(call.transcript) as room:
        passes = {name: tuple(words) for name, words in room.passes.items()}
        return Copy(room.transcript.update_since(), passes)


def length_ms(about: AboutTranscript, sessions: Iterable[Session]) -> int:
    """Return where on its clock a transcript ends: what was said, and what was recorded."""
    ends = (session.offset_ms + to_ms(session.samples) for session in sessions)
    return max(about.duration_ms, *ends, 0)


def title_of(document: Transcript) -> str:
    """Return a document's title, cut to what we take ourselves: editors may type anything."""
    return (document.meta("title") or "")[:LONGEST_TITLE]


def language_of(document: Transcript) -> str | None:
    """Return a document's language, likewise."""
    language = document.meta("language")
    return None if language is None else language[:LONGEST_LANGUAGE]


def name_speakers(speakers: Mapping[SpeakerId, Speaker]) -> list[SpeakerAnswer]:
    """Return speakers as they are answered."""
    return [
        SpeakerAnswer(id=speaker.id, name=speaker.name, colour=speaker.colour)
        for speaker in speakers.values()
    ]
