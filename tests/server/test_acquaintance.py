"""A person whom several sessions hear is one speaker of their transcript."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from offline.domain import SpeakerId, TurnId
from offline.edits import AssignTurn, InsertTurn
from server.acquaintance import ALIKE, ENOUGH, Acquaintance, likest
from server.room import Room
from server.rooms import Rooms
from server.storage.errors import StorageUnavailable, Trouble
from server.storage.sessions import NewSession, Sessions
from server.storage.values import Session
from server.storage.values import Voice as KnownVoice
from streaming.core.domain import Speaker, Voice
from tests.server.editing import TRANSCRIPT, Storage, open_rooms, until, write

S1, S2, S3, S4 = (SpeakerId(f"s{number}") for number in range(1, 5))


def print_at(angle: float) -> bytes:
    return np.array([np.cos(angle), np.sin(angle)], dtype="<f4").tobytes()


def voice(label: str, angle: float, weight: float = ENOUGH) -> Voice:
    """Return a voice; the cosine between two is that of the difference of their angles."""
    return Voice(Speaker(label), print_at(angle), weight)


@dataclass
class Meeting:
    """An open transcript, and who is heard in it."""

    stored: Storage
    rooms: Rooms
    room: Room
    known: Acquaintance
    sessions: dict[str, Session] = field(default_factory=dict)

    async def join(self, session: str, *labels: str, person: str | None = None) -> None:
        """Have a session that hears voices, each of which has a turn."""
        lease = self.rooms.lease(TRANSCRIPT)
        new = NewSession(session, 0, None, person)
        added = self.sessions[session] = self.stored.store.sessions.add(lease, new)
        for label in labels:
            speaker = await self.known.introduce(added, label)
            self.room.commit(self.room.transcript.propose_name(speaker, f"Speaker {speaker}"))
            turn, at = TurnId(f"{session}-{label}"), len(self.room.transcript.text)
            await write(self.room, InsertTurn(at, turn), AssignTurn(turn, speaker))

    def name(self, speaker: SpeakerId, name: str) -> None:
        """Name a speaker, as an editor does."""
        transcript = self.room.transcript
        with transcript._doc.transaction(origin="machine"):
            transcript._maps["speakers"][speaker] = {"name": name}
        self.room.commit(transcript._taken())

    def heard(self) -> dict[str, SpeakerId]:
        """Return who all voices are, as the storage knows it."""
        found = self.stored.store.sessions.voices(TRANSCRIPT)
        return {f"{voice.session}-{voice.label}": voice.speaker for voice in found}

    def said(self) -> dict[str, SpeakerId]:
        """Return who said every turn, as the document says."""
        return dict(self.room.transcript.machine_speakers())  # type: ignore[arg-type]  # ids


@asynccontextmanager
async def meeting(folder: Path) -> AsyncIterator[Meeting]:
    async with open_rooms(folder) as (stored, rooms), rooms.enter(TRANSCRIPT) as room:
        yield Meeting(stored, rooms, room, rooms.acquaintance(TRANSCRIPT))


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Meeting]:
    """Two sessions, of which the first heard `s1` and `s2`, the second `s3` and `s4`."""
    async with meeting(tmp_path) as met:
        await met.join("one", "S1", "S2")
        await met.join("two", "S1", "S2")
        await met.known.hear("one", [voice("S1", 0.0), voice("S2", 2.0)])
        yield met


async def test_voices_get_speakers_in_their_order_and_keep_them(two: Meeting) -> None:
    assert await two.known.recall("one") == {"S1": S1, "S2": S2}
    assert await two.known.recall("two") == {"S1": S3, "S2": S4}


async def test_alike_voices_of_two_sessions_are_one_speaker(two: Meeting) -> None:
    await two.known.hear("two", [voice("S1", 2.3), voice("S2", 4.5)])

    one = {"one-S1": S1, "one-S2": S2, "two-S1": S2, "two-S2": S4}
    assert two.heard() == two.said() == one
    assert set(two.room.transcript.speakers()) == {S1, S2, S4}
    assert two.room.identity(S3) == S2


@pytest.mark.parametrize(
    "heard",
    [
        voice("S1", 0.1, ENOUGH - 1),
        voice("S1", float(np.arccos(ALIKE)) * -1.01),
        voice("S9", 0.1),
    ],
)
async def test_voices_heard_too_little_unlike_or_unknown_stay(two: Meeting, heard: Voice) -> None:
    await two.known.hear("two", [heard])

    assert two.heard()["two-S1"] == two.said()["two-S1"] == S3


async def test_two_voices_of_one_session_never_become_one(two: Meeting) -> None:
    await two.known.hear("two", [voice("S1", 0.0), voice("S2", 0.1)])

    assert two.heard()["two-S1"] == S1
    assert two.heard()["two-S2"] == S4


async def test_a_print_is_kept_until_the_last_one_comes(two: Meeting) -> None:
    await two.known.hear("two", [voice("S1", 4.5)])
    await two.known.hear("two", [voice("S1", 0.0)])
    assert two.heard()["two-S1"] == S3

    await two.known.hear("two", [voice("S1", 0.0)], last=True)
    assert two.heard()["two-S1"] == S1


@pytest.mark.parametrize("named", [S1, S3])
async def test_who_was_named_stays_whoever_is_heard_first(two: Meeting, named: SpeakerId) -> None:
    two.name(named, "Ada")
    await two.known.hear("two", [voice("S1", 0.0)])

    for found in (two.heard(), two.said()):
        assert found["one-S1"] == found["two-S1"] == named


async def test_two_who_were_named_stay_two(two: Meeting) -> None:
    two.name(S1, "Ada")
    two.name(S3, "Bob")
    await two.known.hear("two", [voice("S1", 0.0)])

    assert two.heard()["two-S1"] == S3


async def test_who_was_named_after_being_taken_for_another_is_found_again(two: Meeting) -> None:
    await two.known.hear("two", [voice("S1", 0.0)])
    two.name(S3, "Ada")
    two.known.settled = False
    await two.known.settle()

    assert two.heard()["two-S1"] == two.said()["two-S1"] == S1


async def test_sessions_that_compare_at_the_same_moment_agree(tmp_path: Path) -> None:
    async with meeting(tmp_path) as met:
        names = [f"session{number}" for number in range(4)]
        for name in names:
            await met.join(name, "S1")
        await asyncio.gather(*(met.known.hear(name, [voice("S1", 0.0)]) for name in names))

        assert set(met.heard().values()) == set(met.said().values()) == {S1}


async def test_what_the_storage_did_not_take_is_made_up_for(
    two: Meeting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise StorageUnavailable("here", Trouble.UNREACHABLE, "gone")

    with monkeypatch.context() as failing:
        failing.setattr(Sessions, "unite", refuse)
        await two.known.hear("two", [voice("S1", 0.0)])
    assert caplog.messages == ["voices not compared"]
    assert (two.heard()["two-S1"], two.said()["two-S1"]) == (S3, S1)

    await two.known.settle()
    assert two.heard()["two-S1"] == S1


async def test_a_print_that_the_storage_did_not_take_is_kept_later(
    two: Meeting, caplog: pytest.LogCaptureFixture
) -> None:
    with two.stored.locked():
        await two.known.hear("two", [voice("S1", 0.0)])
    assert caplog.messages == ["voices not kept"]

    await two.known.hear("two", [voice("S1", 0.0)])
    assert two.heard()["two-S1"] == S1


async def test_who_was_not_compared_is_when_the_room_opens_again(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, rooms):
        async with rooms.enter(TRANSCRIPT) as room:
            met = Meeting(stored, rooms, room, rooms.acquaintance(TRANSCRIPT))
            await met.join("one", "S1")
            await met.join("two", "S1")
            for session in ("one", "two"):
                lease = rooms.lease(TRANSCRIPT)
                assert stored.store.sessions.keep_print(lease, session, "S1", print_at(0.0))
        await until(lambda: not rooms._open)
        async with rooms.enter(TRANSCRIPT) as room:
            await until(lambda: set(met.heard().values()) == {S1})
            assert set(room.transcript.machine_speakers().values()) == {S1}


async def test_a_person_with_two_microphones_is_one_speaker(tmp_path: Path) -> None:
    async with meeting(tmp_path) as met:
        await met.join("one", "Ada", person="Ada")
        await met.join("two", "Bob", person="Bob")
        for name in ("three", "four"):
            lease = met.rooms.lease(TRANSCRIPT)
            new = NewSession(name, 0, None, "Cleo")
            met.sessions[name] = met.stored.store.sessions.add(lease, new)
        cleo = [met.known.introduce(met.sessions[name], "Cleo") for name in ("three", "four")]

        assert await asyncio.gather(*cleo) == [S3, S3]
        await met.join("five", "Ada", person="Ada")
        assert met.heard()["five-Ada"] == S1


def test_who_has_a_microphone_of_their_own_stays() -> None:
    heard = [KnownVoice(name, "S1", who, print_at(0.0)) for name, who in (("a", S1), ("b", S2))]

    assert likest(heard, ()) == (S2, S1)
    assert likest(heard, {S2}) == (S1, S2)
    assert likest(heard, {S1, S2}) is None
    assert likest([heard[0], KnownVoice("b", "S1", S2)], ()) is None
