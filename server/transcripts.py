"""Sessions and the transcripts that they speak into.

    Session --entries--> Following --> Dictation --> Room

A `Following` reads a session's lasting events from its journal and has them written into the
transcript's room, for as long as the session lasts, whatever happens to the room meanwhile. What
was not written when a server died is written when the session, or its recording, is taken up.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Collection, Sequence
from functools import partial
from typing import Protocol

from offline.domain import SpeakerId
from server.dictation import Dictation
from server.errors import RoomClosed, TranscriptClosed
from server.journal import Entry
from server.recordings import unix_ms
from server.rehearing import Rehearing, Rehearings, Wishes
from server.room import Room
from server.rooms import Rooms
from server.storage.errors import StorageError, UnknownTranscript
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.storage.values import Session, TranscriptState
from server.store_threads import StoreThreads
from streaming.core.domain import Samples, Voice
from streaming.core.events import Partial

logger = logging.getLogger(__name__)

PAGE = 64
"""Events taken from a journal at once."""

RETRY_S = 2.0
"""How long to wait before a room is entered again that could not be used."""

ID_BYTES = 12


class Speech(Protocol):
    """A session, or its recording, as its transcript follows it."""

    @property
    def id(self) -> str:
        """The session's id."""
        ...

    @property
    def received(self) -> Samples:
        """Length of its audio."""
        ...

    @property
    def partial(self) -> Partial | None:
        """What is being said."""
        ...

    @property
    def voices(self) -> Sequence[Voice]:
        """What its speakers sound like."""
        ...

    @property
    def wishes(self) -> Wishes:
        """How it is to be heard."""
        ...

    @property
    def complete(self) -> bool:
        """Whether no event will come any more."""
        ...

    async def entries(self, after: int, limit: int) -> Sequence[Entry]:
        """Return lasting events that follow number `after`."""
        ...

    async def news(self) -> None:
        """Wait until there may be something new."""
        ...


class Transcripts:
    """What sessions need of transcripts; one for the whole server, used in its event loop."""

    def __init__(
        self,
        store: Store,
        threads: StoreThreads,
        rooms: Rooms,
        rehearings: Rehearings | None = None,
    ) -> None:
        """Begin to serve sessions.

        Args:
            store: Where transcripts are.
            threads: To wait for it in.
            rooms: Those that are open.
            rehearings: Has sessions heard again; `None`: nobody does.
        """
        self._store = store
        self._threads = threads
        self._rooms = rooms
        self._rehearings = rehearings

    async def deleted(self) -> tuple[str, ...]:
        """Return the sessions whose recordings are to be removed; nothing else is left of them.

        Raises:
            StorageError: It is not known which.
        """
        removals = self._store.removals
        deleted = await self._threads.read(removals.all)
        if deleted:
            await self._threads.read(removals.scrub)
        return deleted

    async def forget(self, removed: Collection[str], before_ms: int) -> None:
        """Forget sessions of which nothing is left, if they were deleted before this moment.

        Raises:
            StorageError: It cannot be written now.
        """
        if removed:
            await self._threads.write(lambda: self._store.removals.forget(removed, before_ms))

    async def create(self, *, title: str = "", language: str | None = None) -> str:
        """Make a transcript whose clock begins now; return its id.

        Raises:
            StorageError: It cannot be made now.
        """
        transcript = secrets.token_hex(ID_BYTES)  # none begins with -, like a flag
        await self._threads.write(
            lambda: self._store.library.create(
                transcript, started_ms=unix_ms(), title=title, language=language
            )
        )
        return transcript

    async def admit(
        self,
        transcript: str,
        session: str,
        *,
        microphone: str | None,
        person: str | None,
        age_ms: int = 0,
    ) -> str | None:
        """Add a session to a transcript; return the transcript's language.

        Args:
            transcript: Which one.
            session: Which one.
            microphone: What to call it.
            person: Who alone speaks into it.
            age_ms: How long ago the session's first sample was recorded, by its client.

        Raises:
            UnknownTranscript: There is no such transcript.
            TranscriptClosed: It takes no more sessions.
            StorageError: It cannot be added now.
        """
        about = await self._threads.read(lambda: self._store.library.get(transcript))
        if about.state is TranscriptState.CLOSED:
            raise TranscriptClosed("an open transcript expected")
        async with self._rooms.enter(transcript):
            lease = self._rooms.lease(transcript)
            now_ms = unix_ms() - about.started_ms
            # Nothing was said before the transcript began, whatever a clock says.
            offset_ms = max(0, now_ms - age_ms)
            new = NewSession(session, offset_ms, microphone, person)
            await self._threads.write(lambda: self._store.sessions.add(lease, new))
        return about.language

    async def follow(self, speech: Speech) -> None:
        """Write what a session says into its transcript until all of it is written.

        Raises:
            UnknownTranscript: It was deleted, or the session is in none.
        """
        while True:
            try:
                session = await self._session(speech.id)
                async with self._rooms.enter(session.transcript) as room:
                    await self._write(speech, session, room)
                    return
            except UnknownTranscript:
                raise
            except (RoomClosed, StorageError) as error:
                logger.warning(
                    "transcript not written for now",
                    extra={"session": speech.id, "reason": type(error).__name__},
                )
                await asyncio.sleep(RETRY_S)

    async def _session(self, name: str) -> Session:
        session = await self._threads.read(lambda: self._store.sessions.find(name))
        if session is None:
            raise UnknownTranscript(name)
        return session

    async def _write(self, speech: Speech, session: Session, room: Room) -> None:
        """Write until everything is written and committed."""
        closed = asyncio.create_task(self._rooms.closed(session.transcript, room))
        writing = asyncio.create_task(self._dictate(speech, session, room))
        try:
            await asyncio.wait({closed, writing}, return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                raise RoomClosed("an open room expected")
            await writing
        except StorageError:
            # What was written is on its way; to begin again before it is stored would repeat it.
            idle = asyncio.create_task(room.idle())
            await asyncio.wait({closed, idle}, return_when=asyncio.FIRST_COMPLETED)
            idle.cancel()
            raise
        finally:
            closed.cancel()
            writing.cancel()
            await asyncio.gather(closed, writing, return_exceptions=True)
            room.show(session.id, None)

    async def _dictate(self, speech: Speech, session: Session, room: Room) -> None:
        await room.idle()  # What was written of it before may not be stored yet.
        session = await self._session(session.id)
        acquaintance = self._rooms.acquaintance(session.transcript)
        dictation = Dictation(room, session, await acquaintance.recall(session.id))
        if session.person is not None:
            speaker = await acquaintance.introduce(session, session.person)
            dictation.speaks_alone(speaker, session.person)
        again = await self._rehearing(speech, session)
        while True:
            complete = speech.complete
            entries = await speech.entries(dictation.seq, PAGE)
            for entry in entries:
                for label in dictation.strangers(entry):
                    speaker = await acquaintance.introduce(session, label)
                    dictation.introduce(label, speaker, _name(speaker))
                await dictation.take(entry, speech.received)
                await _rehear(again, entry, room)
            room.show(session.id, dictation.show(speech.partial))
            if entries:
                await acquaintance.hear(session.id, speech.voices)
            elif complete:
                await acquaintance.hear(session.id, speech.voices, last=True)
                await self._finish(speech, session, room, again)
                return
            else:
                await speech.news()

    async def _finish(
        self, speech: Speech, session: Session, room: Room, again: Rehearing | None
    ) -> None:
        await room.idle()
        lease = self._rooms.lease(session.transcript)
        # Of the silence at its end no entry told, and its client asks how much of it is stored.
        samples = speech.received
        await self._threads.write(lambda: self._store.sessions.measure(lease, session.id, samples))
        for each in (session.live_pass, session.utterance_pass):
            await self._threads.write(partial(self._store.passes.close, lease, each))
        if again is not None and room.passes.get(session.live_pass):
            await again.recording()

    async def _rehearing(self, speech: Speech, session: Session) -> Rehearing | None:
        if self._rehearings is None:
            return None
        return await self._rehearings.of(session, lambda: speech.wishes)


async def _rehear(again: Rehearing | None, entry: Entry, room: Room) -> None:
    """Have a stretch heard again, if one was closed."""
    if again is not None and again.closes_stretch(entry.event):
        await room.idle()
        await again.stretch(entry.event)


def _name(speaker: SpeakerId) -> str:
    """Return how a speaker is called while no person says so."""
    return f"Speaker {speaker.removeprefix('s')}"
