"""A person whom several sessions hear is one speaker of their transcript."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from offline.domain import SpeakerId
from server.acquaintance import ALIKE, ENOUGH, Acquaintance
from server.storage.sessions import NewSession
from streaming.core.domain import Speaker, Voice
from tests.server.editing import TRANSCRIPT, Storage, storage


def joined(stored: Storage, session: str, person: str | None = None) -> Acquaintance:
    """Have a session join the transcript."""
    documents, sessions = stored.store.documents, stored.store.sessions
    lease = documents.lease(TRANSCRIPT)
    added = sessions.add(lease, NewSession(session, 0, None, person))
    return Acquaintance(stored.store, stored.threads, lease, added)


def again(stored: Storage, session: str) -> Acquaintance:
    """Take a session up after others joined: its lease is the newest one."""
    found = stored.store.sessions.find(session)
    assert found is not None
    lease = stored.store.documents.lease(TRANSCRIPT)
    return Acquaintance(stored.store, stored.threads, lease, found)


def voice(label: str, angle: float, weight: float = ENOUGH) -> Voice:
    """Return a voice; the cosine between two is that of the difference of their angles."""
    direction = np.array([np.cos(angle), np.sin(angle)], dtype="<f4")
    return Voice(Speaker(label), direction.tobytes(), weight)


async def two_sessions(stored: Storage) -> tuple[Acquaintance, Acquaintance]:
    """Return two sessions, of which the first heard `s1` and `s2`, the second `s3` and `s4`."""
    first = joined(stored, "one")
    for label in ("S1", "S2"):
        await first.introduce(label)
    assert await first.compare([voice("S1", 0.0), voice("S2", 2.0)], ()) == {}
    second = joined(stored, "two")
    for label in ("S1", "S2"):
        await second.introduce(label)
    return first, second


async def test_voices_get_speakers_in_their_order_and_keep_them(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        await two_sessions(stored)

        assert await again(stored, "one").recall() == {"S1": "s1", "S2": "s2"}
        assert await again(stored, "two").recall() == {"S1": "s3", "S2": "s4"}


async def test_alike_voices_of_two_sessions_are_one_speaker(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        _, second = await two_sessions(stored)

        assert await second.compare([voice("S1", 2.3), voice("S2", 4.5)], ()) == {"s3": "s2"}

        assert await again(stored, "two").recall() == {"S1": "s2", "S2": "s4"}


@pytest.mark.parametrize(
    "heard",
    [
        voice("S1", 0.1, ENOUGH - 1),
        voice("S1", float(np.arccos(ALIKE)) * -1.01),
        voice("S9", 0.1),
    ],
)
async def test_voices_heard_too_little_unlike_or_unknown_stay(tmp_path: Path, heard: Voice) -> None:
    with storage(tmp_path) as stored:
        _, second = await two_sessions(stored)

        assert await second.compare([heard], ()) == {}

        assert (await again(stored, "two").recall())["S1"] == "s3"


async def test_two_voices_of_one_session_never_become_one(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        _, second = await two_sessions(stored)

        assert await second.compare([voice("S1", 0.0), voice("S2", 0.1)], ()) == {"s3": "s1"}


async def test_a_voice_is_compared_once(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        _, second = await two_sessions(stored)
        await second.compare([voice("S1", 4.5)], ())

        assert await second.compare([voice("S1", 0.0)], ()) == {}


async def test_who_was_named_by_a_person_stays(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        _, second = await two_sessions(stored)

        assert await second.compare([voice("S1", 0.0)], {SpeakerId("s3")}) == {}


async def test_who_was_taken_for_the_same_before_comes_along(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        first = joined(stored, "one")
        await first.introduce("S1")
        second = joined(stored, "two")
        await second.introduce("S1")
        await second.compare([voice("S1", 0.9)], ())
        third = joined(stored, "three")
        await third.introduce("S1")
        assert await third.compare([voice("S1", 1.5)], ()) == {"s3": "s2"}
        first = again(stored, "one")
        assert await first.compare([voice("S1", 0.8)], ()) == {"s1": "s2"}
        fourth = joined(stored, "four")
        await fourth.introduce("S1")
        await fourth.compare([voice("S1", 1.0)], ())

        for session in ("one", "two", "three", "four"):
            assert await again(stored, session).recall() == {"S1": "s2"}


async def test_a_person_with_two_microphones_is_one_speaker(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        ada = await joined(stored, "one", "Ada").introduce("Ada")
        bob = await joined(stored, "two", "Bob").introduce("Bob")
        later = await joined(stored, "three", "Ada").introduce("Ada")

        assert (ada, bob, later) == ("s1", "s2", "s1")
