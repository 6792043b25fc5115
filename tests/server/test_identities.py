"""A speaker who turns out to be another one: turns, names, and words still to come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from offline.domain import SpeakerId, TurnId
from offline.edits import AssignTurn, InsertTurn
from server.room import Room
from tests.server.editing import TRANSCRIPT, open_rooms, write

ONE, TWO, THREE = SpeakerId("s1"), SpeakerId("s2"), SpeakerId("s3")


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """A room with three turns of three speakers."""
    async with open_rooms(tmp_path) as (_, rooms), rooms.enter(TRANSCRIPT) as room:
        for speaker in (ONE, TWO, THREE):
            room.commit(room.transcript.propose_name(speaker, f"Speaker {speaker}"))
            turn = TurnId(f"t{speaker}")
            at = len(room.transcript.text)
            await write(room, InsertTurn(at, turn), AssignTurn(turn, speaker))
        yield room


def said_by(room: Room) -> list[SpeakerId | None]:
    return [turn.speaker for turn in room.transcript.turns()]


async def test_what_a_speaker_said_is_what_the_other_said(room: Room) -> None:
    await room.identify(TWO, ONE)

    assert said_by(room) == [ONE, ONE, THREE]
    assert set(room.transcript.speakers()) == {ONE, THREE}
    assert (room.identity(TWO), room.identity(THREE)) == (ONE, THREE)


async def test_who_turned_out_to_be_another_goes_on_to_be_a_third(room: Room) -> None:
    await room.identify(TWO, ONE)
    await room.identify(ONE, THREE)

    assert said_by(room) == [THREE, THREE, THREE]
    assert room.identity(TWO) == THREE


async def test_two_who_turn_out_to_be_each_other_are_one(room: Room) -> None:
    await room.identify(TWO, ONE)
    await room.identify(ONE, TWO)

    assert said_by(room) == [ONE, ONE, THREE]
    assert room.identity(TWO) == room.identity(ONE) == ONE
