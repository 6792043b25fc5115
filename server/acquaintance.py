"""Who the voices of a session are in its transcript, where several sessions may hear one person.

A session names voices by itself (`S1`), and each becomes a speaker of the transcript (`s1`). Once
enough of a voice was heard it is compared with those that other sessions heard, and if they are
alike, both are one speaker from then on. A voice is compared only once, and two voices of one
session never become one: its own diarizer told them apart.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from offline.domain import SpeakerId
from server.disk import Disk
from server.storage.store import Store
from server.storage.values import Lease, Session
from server.storage.values import Voice as KnownVoice
from streaming.core.domain import Speaker, Voice

ENOUGH = 10.0
"""Windows of the diarizer in which a voice must have been heard: about 5 s of speech. The first
second or two may hold somebody else's."""

ALIKE = 0.55
"""Cosine from which two voices are one. On the halves of three talks of 2-4 speakers, heard by a
session each, the same persons had 0.67 or more (25 of 28 pairs), different ones 0.40 or less; the
rest were voices that the diarizer had mixed up."""


class Acquaintance:
    """The voices of one session; owned by the task that writes its words."""

    def __init__(self, store: Store, threads: Disk, lease: Lease, session: Session) -> None:
        """Know nobody; `recall` comes first."""
        self._store = store
        self._threads = threads
        self._lease = lease
        self._session = session
        self._compared: set[Speaker] = set()

    async def recall(self) -> dict[str, SpeakerId]:
        """Return who the session's voices are that were introduced before.

        Raises:
            StorageError: It cannot be known now.
        """
        known = await self._everybody()
        return {voice.label: voice.speaker for voice in known if voice.session == self._session.id}

    async def introduce(self, label: str) -> SpeakerId:
        """Return who a new voice is: a new speaker, unless it is a person who spoke before.

        Raises:
            StorageError: It cannot be decided now.
        """
        speaker = await self._same_person() if self._session.person is not None else None
        voice = await self._threads.run(
            lambda: self._store.sessions.add_voice(self._lease, self._session.id, label, speaker)
        )
        return voice.speaker

    async def compare(
        self, voices: Sequence[Voice], named: Collection[SpeakerId]
    ) -> dict[SpeakerId, SpeakerId]:
        """Compare voices of which enough was heard with those of other sessions.

        Args:
            voices: Of the session, as they sound now.
            named: Speakers whom people named: none of them becomes another one.

        Returns:
            Which speaker is another one after all. The storage knows it already.

        Raises:
            StorageError: It cannot be done now.
        """
        new = [v for v in voices if v.weight >= ENOUGH and v.speaker not in self._compared]
        same: dict[SpeakerId, SpeakerId] = {}
        for voice in new:
            self._compared.add(voice.speaker)
            everybody = await self._everybody()
            mine = {v.label: v.speaker for v in everybody if v.session == self._session.id}
            if voice.speaker not in mine:
                continue
            was = mine[voice.speaker]
            found = None if was in named else _likest(voice, everybody, set(mine.values()))
            speaker = found or was
            await self._change(KnownVoice(self._session.id, voice.speaker, speaker, voice.print))
            if found is not None:
                same[was] = found
                for known in everybody:
                    if known.speaker == was and known.session != self._session.id:
                        await self._change(replace(known, speaker=found))
        return same

    async def _same_person(self) -> SpeakerId | None:
        """Return who the person of this session is already, if another session had it."""
        sessions = await self._threads.run(
            lambda: self._store.sessions.of(self._session.transcript)
        )
        theirs = {each.id for each in sessions if each.person == self._session.person}
        found = (v.speaker for v in await self._everybody() if v.session in theirs)
        return next(found, None)

    async def _everybody(self) -> tuple[KnownVoice, ...]:
        return await self._threads.run(
            lambda: self._store.sessions.voices(self._session.transcript)
        )

    async def _change(self, voice: KnownVoice) -> None:
        await self._threads.run(lambda: self._store.sessions.change_voice(self._lease, voice))


def _likest(
    voice: Voice, everybody: Sequence[KnownVoice], mine: set[SpeakerId]
) -> SpeakerId | None:
    """Return the speaker of other sessions who sounds most like a voice, if any does enough."""
    best, speaker = ALIKE, None
    for known in everybody:
        if known.embedding is not None and known.speaker not in mine:
            likeness = voice.likeness(Voice(voice.speaker, known.embedding, ENOUGH))
            if likeness >= best:
                best, speaker = likeness, known.speaker
    return speaker
