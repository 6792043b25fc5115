"""Who the voices of sessions are in their transcript, where several may hear one person.

A session names voices by itself (`S1`), and each becomes a speaker of the transcript (`s1`). Once
enough of a voice was heard, its print is kept, and speakers who sound alike become one:

- Never two whom one session heard: its own diarizer told them apart.
- Never two whom people know: who gave them names, or turns, or declared whose microphone it is.
- Whoever people know stays; otherwise, the one who was heard first.

Speakers are compared in one place for each transcript, one after the other, and always by all that
is kept. So it does not matter who is heard first or named when, and what was missed because the
storage failed is made up for the next time: the document is changed before the storage says that
two are one, and comparing them again changes nothing more. It is done when the room opens, when a
print is new, and when a session ends.

The microphone of one person has no print: nothing diarizes what it hears.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import combinations

from offline.domain import SpeakerId
from server.room import Room
from server.storage.errors import StorageError
from server.storage.store import Store
from server.storage.values import Lease, Session
from server.storage.values import Voice as KnownVoice
from server.store_threads import StoreThreads
from streaming.core.domain import Speaker, Voice

logger = logging.getLogger(__name__)

ENOUGH = 10.0
"""Windows of the diarizer in which a voice must have been heard: about 5 s of speech. The first
second or two may hold somebody else's."""

ALIKE = 0.55
"""Cosine from which two voices are one. On the halves of three talks of 2-4 speakers, heard by a
session each, the same persons had 0.67 or more (25 of 28 pairs), different ones 0.40 or less; the
rest were voices that the diarizer had mixed up."""


class Acquaintance:
    """The voices of one transcript; belongs to its open room, used in the event loop."""

    def __init__(self, store: Store, threads: StoreThreads, lease: Lease, room: Room) -> None:
        """Know nobody; `settle` comes first.

        Args:
            store: Where the voices are kept.
            threads: To wait for it in.
            lease: On the transcript.
            room: Its document.
        """
        self._store = store
        self._threads = threads
        self._lease = lease
        self._room = room
        self._printed: set[tuple[str, str]] = set()
        self._turn = asyncio.Lock()
        self.settled = False
        """Whether speakers were compared by all that is kept."""

    async def recall(self, session: str) -> dict[str, SpeakerId]:
        """Return who a session's voices are that were introduced before.

        Raises:
            StorageError: It cannot be known now.
        """
        known = await self._everybody()
        return {voice.label: voice.speaker for voice in known if voice.session == session}

    async def introduce(self, session: Session, label: str) -> SpeakerId:
        """Return who a new voice is: a new speaker, unless it is a person who spoke before.

        Raises:
            StorageError: It cannot be decided now.
        """
        async with self._turn:
            speaker = None if session.person is None else await self._same_person(session.person)
            voice = await self._threads.write(
                lambda: self._store.sessions.add_voice(self._lease, session.id, label, speaker)
            )
            return voice.speaker

    async def hear(self, session: str, voices: Sequence[Voice], *, last: bool = False) -> None:
        """Keep the prints of voices of which enough was heard, and compare them.

        Args:
            session: Whose they are.
            voices: As they sound now.
            last: Whether they will not sound any better; else the first prints are kept.
        """
        new = [
            voice
            for voice in voices
            if voice.weight >= ENOUGH and (last or (session, voice.speaker) not in self._printed)
        ]
        if not new:
            return
        try:
            for voice in new:
                if await self._keep(session, voice):
                    self._printed.add((session, voice.speaker))
                    self.settled = False
        except StorageError:  # They are kept the next time.
            logger.exception("voices not kept", extra={"session": session})
        await self.settle()

    async def settle(self) -> None:
        """Make those one who sound alike; harmless to be repeated, as it is where it failed."""
        async with self._turn:
            if self.settled:
                return
            self.settled = True  # unless another print is kept meanwhile
            try:
                await self._settle()
            except StorageError:
                self.settled = False
                logger.exception(
                    "voices not compared", extra={"transcript": self._lease.transcript}
                )
            except BaseException:
                self.settled = False
                raise

    async def _settle(self) -> None:
        everybody = list(await self._everybody())
        for speaker in {voice.speaker for voice in everybody}:
            everybody = await self._note(everybody, speaker)
        declared = await self._declared()
        while True:
            transcript = self._room.transcript
            chosen = transcript.chosen_speakers().values()
            known = declared | transcript.known_speakers() | set(chosen)
            pair = likest(everybody, known)
            if pair is None:
                return
            await self._room.identify(*pair)
            # The storage says that they are one only once the document does.
            await self._room.idle()
            for speaker in pair:
                everybody = await self._note(everybody, speaker)

    async def _note(self, everybody: list[KnownVoice], speaker: SpeakerId) -> list[KnownVoice]:
        """Have the storage know who a speaker turned out to be; return the voices as they are."""
        other = self._room.identity(speaker)
        if other == speaker:
            return everybody
        await self._threads.write(lambda: self._store.sessions.unite(self._lease, speaker, other))
        return [
            replace(voice, speaker=other) if voice.speaker == speaker else voice
            for voice in everybody
        ]

    async def _keep(self, session: str, voice: Voice) -> bool:
        return await self._threads.write(
            lambda: self._store.sessions.keep_print(
                self._lease, session, voice.speaker, voice.print
            )
        )

    async def _declared(self) -> set[SpeakerId]:
        """Return the speakers who have a microphone of their own."""
        persons = {each.id for each in await self._sessions() if each.person is not None}
        return {voice.speaker for voice in await self._everybody() if voice.session in persons}

    async def _same_person(self, person: str) -> SpeakerId | None:
        """Return who a person is already, if another session had the person."""
        theirs = {each.id for each in await self._sessions() if each.person == person}
        found = (v.speaker for v in await self._everybody() if v.session in theirs)
        return next(found, None)

    async def _sessions(self) -> tuple[Session, ...]:
        return await self._threads.read(lambda: self._store.sessions.of(self._lease.transcript))

    async def _everybody(self) -> tuple[KnownVoice, ...]:
        return await self._threads.read(lambda: self._store.sessions.voices(self._lease.transcript))


def likest(
    voices: Sequence[KnownVoice], known: Collection[SpeakerId]
) -> tuple[SpeakerId, SpeakerId] | None:
    """Return the two speakers who sound most alike, if any are one: who goes, and who stays.

    Args:
        voices: Of all sessions of a transcript, oldest first.
        known: Speakers whom people know.
    """
    order = list(dict.fromkeys(voice.speaker for voice in voices))
    of = {who: [voice for voice in voices if voice.speaker == who] for who in order}
    best, found = ALIKE, None
    for first, second in combinations(order, 2):
        if (first in known and second in known) or _apart(of[first], of[second]):
            continue
        likeness = _likeness(of[first], of[second])
        if likeness >= best:
            best, found = likeness, (first, second) if second in known else (second, first)
    return found


def _apart(ours: Sequence[KnownVoice], theirs: Sequence[KnownVoice]) -> bool:
    """Return whether one session heard both."""
    return not {voice.session for voice in ours}.isdisjoint(voice.session for voice in theirs)


def _likeness(ours: Sequence[KnownVoice], theirs: Sequence[KnownVoice]) -> float:
    """Return the largest cosine between two voices; -1 where there is no print."""
    return max(
        (
            _voice(one).likeness(_voice(other))
            for one in ours
            for other in theirs
            if one.embedding is not None and other.embedding is not None
        ),
        default=-1.0,
    )


def _voice(known: KnownVoice) -> Voice:
    return Voice(Speaker(known.label), known.embedding or b"", ENOUGH)
