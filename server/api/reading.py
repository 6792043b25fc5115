"""What a shared document says now, as values that a thread may compute with.

The document of a room is used in the event loop only, and reading three hours of speech out of it
would hold everybody up for 25 ms. So it is copied there, as one update, and read in the thread.
Without an open room it is read from the storage: to open one would write, and take the right to
write away from another server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from offline.domain import PassId, PassWord, Speaker, SpeakerId, Turn
from server.api.answers import SpeakerAnswer
from server.api.operation import Call
from server.describing import LONGEST_LANGUAGE, LONGEST_TITLE
from server.storage.store import Store
from server.storage.values import Session
from server.storage.values import Transcript as AboutTranscript
from server.stored import Stored
from server.transcript import Transcript, make_client_id
from streaming.core.domain import to_ms

COMMITTED_S = 1.0
"""So long a request waits for the changes before it; they take milliseconds."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A document at one moment; immutable.

    Attributes:
        title: As people see it.
        language: Code of the language, if it is known.
        speakers: With the names that people see; without those who have neither a turn nor a name
            that a person gave.
        turns: In the order of the document.
        passes: The words of every pass.
        notes: Of people, in Markdown.
    """

    title: str
    language: str | None
    speakers: Mapping[SpeakerId, Speaker]
    turns: Sequence[Turn]
    passes: Mapping[PassId, Sequence[PassWord]]
    notes: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A committed document at one moment, not looked into yet; immutable.

    Attributes:
        open: Makes the document; blocks.
        passes: The words of every pass.
    """

    open: Callable[[], Transcript]
    passes: Mapping[PassId, Sequence[PassWord]]

    def read(self) -> Reading:
        """Return what it says; blocks for some 50 ms for three hours of speech.

        Raises:
            TranscriptError: It cannot be read.
            UnsupportedSchema: It is of a newer version.
        """
        document = self.open()
        turns = document.turns()
        shown = {turn.speaker for turn in turns} | document.known_speakers()
        return Reading(
            title=title_of(document),
            language=language_of(document),
            speakers={
                each: speaker for each, speaker in document.speakers().items() if each in shown
            },
            turns=turns,
            passes=self.passes,
            notes=document.notes,
        )


async def copy(call: Call) -> Copy:
    """Copy the document of a request as it is committed; nothing is written for it.

    It is copied from its room, in a millisecond for three hours of speech, if that is open here
    and its changes are committed soon. Otherwise it is read from the storage, which holds what is
    committed also while it cannot be written to.

    Raises:
        UnknownTranscript: There is none.
        StorageError: It cannot be read now.
    """
    room = call.serving.rooms.present(call.transcript)
    if room is not None:
        passes = {name: tuple(words) for name, words in room.passes.items()}
        update = room.transcript.update_since()
        try:
            async with asyncio.timeout(COMMITTED_S):
                await room.idle()
        except TimeoutError:
            pass  # The storage is slow, or the room closed meanwhile.
        else:
            return Copy(lambda: Transcript(make_client_id(), [update]), passes)
    return await call.threads.read(lambda: _stored(call.serving.store, call.transcript))


def _stored(store: Store, transcript: str) -> Copy:
    """Copy a document from the storage, in a thread.

    The words are read after it: they are committed together with it, and only ever get more.
    """
    stored = Stored.read(store, transcript)
    passes = store.passes.words(transcript, [each.id for each in store.passes.of(transcript)])
    return Copy(lambda: stored.replica(make_client_id())[0], passes)


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
