"""Sessions are followed into their transcripts, whatever happens to the rooms meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from server import commits as commits_module
from server import transcripts as module
from server.acquaintance import ENOUGH
from server.errors import TranscriptClosed
from server.journal import Entry
from server.recordings import unix_ms
from server.rehearing import Wishes
from server.rooms import Rooms
from server.storage.errors import StorageUnavailable, UnknownTranscript
from server.storage.values import TranscriptState
from server.transcripts import PAGE, Transcripts
from streaming.core.domain import Samples, Speaker, UtteranceId, Voice
from streaming.core.events import Final, Partial
from tests.server.editing import TRANSCRIPT, Storage, open_rooms, until
from tests.server.events import word

U0 = UtteranceId(0)


class Tape:
    """A session that says what a test wants."""

    id = "session1"
    received = Samples(160_000)
    voices: Sequence[Voice] = ()
    wishes = Wishes("de", ("Trax",), diarization=True)

    def __init__(self) -> None:
        self.partial: Partial | None = None
        self.complete = False
        self._entries: list[Entry] = []
        self._news = asyncio.Event()

    def say(self, *words: str, speaker: str | None = "S1") -> None:
        """Say words, each in an event of its own."""
        for text in words:
            number = len(self._entries)
            said = word(f" {text}", 1_600 * number, 1_600 * (number + 1), speaker)
            self._entries.append(Entry(number + 1, Final(U0, (said,))))
        self._news.set()

    def show(self, text: str | None) -> None:
        self.partial = None if text is None else Partial(U0, (word(text, 0, 1_600),), 0)
        self._news.set()

    def end(self) -> None:
        self.complete = True
        self._news.set()

    async def entries(self, after: int, limit: int) -> Sequence[Entry]:
        return self._entries[after : after + limit]

    async def news(self) -> None:
        await self._news.wait()
        self._news.clear()


@asynccontextmanager
async def opened(
    folder: Path, *, person: str | None = None
) -> AsyncIterator[tuple[Storage, Rooms, Transcripts]]:
    """Make a transcript with one session."""
    async with open_rooms(folder) as (stored, rooms):
        transcripts = Transcripts(stored.store, stored.threads, rooms)
        await transcripts.admit(TRANSCRIPT, "session1", microphone="desk", person=person)
        yield stored, rooms, transcripts


@asynccontextmanager
async def following(transcripts: Transcripts, tape: Tape) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(transcripts.follow(tape))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_new_transcript_is_known_to_the_storage(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, _, transcripts):
        first = await transcripts.create(title="Planning", language="de")
        second = await transcripts.create()

        about = stored.store.library.get(first)
        assert (about.title, about.language) == ("Planning", "de")
        assert second != first


async def test_a_session_begins_on_the_clock_of_its_transcript(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, _, transcripts):
        transcript = await transcripts.create()
        await transcripts.admit(transcript, "session2", microphone=None, person="Ada")

        early, late = (stored.store.sessions.find(f"session{n}") for n in (2, 1))
        assert early is not None
        assert late is not None
        assert 0 <= early.offset_ms < 60_000
        assert late.offset_ms > 10**12  # of a transcript that began in 1970
        assert (early.person, late.microphone) == ("Ada", "desk")
        with pytest.raises(UnknownTranscript):
            await transcripts.admit("unknown", "session3", microphone=None, person=None)


async def test_audio_that_waited_stands_where_it_was_said(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, _, transcripts):
        await transcripts.admit(
            TRANSCRIPT, "session2", microphone=None, person=None, age_ms=600_000
        )
        transcript = await transcripts.create()
        await transcripts.admit(
            transcript, "session3", microphone=None, person=None, age_ms=600_000
        )

        now, before, early = (stored.store.sessions.find(f"session{n}") for n in (1, 2, 3))
        assert now is not None
        assert before is not None
        assert early is not None
        assert 540_000 < now.offset_ms - before.offset_ms <= 600_000
        assert early.offset_ms == 0  # not before its transcript


async def test_no_session_begins_before_its_transcript_whatever_clocks_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as (stored, _, transcripts):
        transcript = await transcripts.create()
        monkeypatch.setattr("server.transcripts.unix_ms", lambda: unix_ms() - 60_000)

        await transcripts.admit(transcript, "session2", microphone=None, person=None)

        session = stored.store.sessions.find("session2")
        assert session is not None
        assert session.offset_ms == 0


async def test_a_transcript_that_was_closed_takes_no_more_sessions(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, _, transcripts):
        stored.store.library.change(TRANSCRIPT, state=TranscriptState.CLOSED)
        with pytest.raises(TranscriptClosed):
            await transcripts.admit(TRANSCRIPT, "session2", microphone=None, person=None)

        assert stored.store.sessions.find("session2") is None


async def test_all_that_a_session_says_is_written(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, _, transcripts):
        tape = Tape()
        tape.say(*(f"w{number}" for number in range(2 * PAGE)))
        async with following(transcripts, tape) as task:
            await until(lambda: "w127" in stored.written().text)
            tape.say("more")
            tape.end()
            await task

        words = [f"w{number}" for number in range(2 * PAGE)]
        assert stored.written().text.split() == [*words, "more"]
        found = stored.store.sessions.find("session1")
        assert found is not None
        assert found.applied_seq == 2 * PAGE + 1
        assert next(iter(stored.written().speakers().values())).name == "Speaker 1"


async def test_silence_at_the_end_counts_as_stored(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, _, transcripts):
        tape = Tape()
        tape.say("last")
        async with following(transcripts, tape) as task:
            await until(lambda: "last" in stored.written().text)
            tape.received = Samples(320_000)
            tape.end()
            await task

        found = stored.store.sessions.find("session1")
        assert found is not None
        assert found.samples == 320_000


async def test_others_go_on_while_a_session_catches_up(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, rooms, transcripts):
        tape = Tape()
        tape.say(*(f"w{number}" for number in range(PAGE)))
        tape.end()
        async with following(transcripts, tape) as task, rooms.enter(TRANSCRIPT) as room:
            lengths = set[int]()
            while not task.done():
                lengths.add(len(room.transcript.text))
                await asyncio.sleep(0)

        assert len(lengths) > PAGE


async def test_what_was_written_before_is_not_written_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, rooms, transcripts):
        tape = Tape()
        tape.say("one", "two")
        async with following(transcripts, tape):
            await until(lambda: "two" in stored.written().text)
        await until(lambda: not rooms._open)
        tape.say("three")
        tape.end()
        await transcripts.follow(tape)
        await transcripts.follow(tape)

        assert stored.written().text == "\none two three"


async def test_the_words_of_a_person_s_microphone_bear_the_person_s_name(tmp_path: Path) -> None:
    async with opened(tmp_path, person="Ada") as (stored, _, transcripts):
        tape = Tape()
        tape.say("mine", speaker=None)
        tape.end()
        await transcripts.follow(tape)

        (turn,) = stored.written().turns()
        assert turn.speaker is not None
        assert stored.written().speakers()[turn.speaker].name == "Ada"


async def test_what_is_being_said_is_shown_until_the_end(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, rooms, transcripts):
        tape = Tape()
        async with following(transcripts, tape), rooms.enter(TRANSCRIPT) as room:
            tape.show(" hel")
            await until(lambda: "session1" in room._partials)
            tape.show(None)
            await until(lambda: "session1" not in room._partials)
            tape.show(" again")
            await until(lambda: "session1" in room._partials)
        assert room._partials == {}


async def test_a_person_whom_two_microphones_hear_is_one_speaker(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, _, transcripts):
        await transcripts.admit(TRANSCRIPT, "session2", microphone=None, person=None)
        print_of_ada = np.array([1.0, 0.0], dtype="<f4").tobytes()
        for session in ("session1", "session2"):
            tape = Tape()
            tape.id = session
            tape.voices = [Voice(Speaker("S1"), print_of_ada, ENOUGH)]
            tape.say(*(f"w{number}" for number in range(PAGE + 1)))
            tape.end()
            await transcripts.follow(tape)

        assert {turn.speaker for turn in stored.written().turns()} == {"s1"}
        assert set(stored.written().speakers()) == {"s1"}


async def test_a_session_in_no_transcript_cannot_be_followed(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, _, transcripts):
        tape = Tape()
        tape.id = "session9"
        with pytest.raises(UnknownTranscript):
            await transcripts.follow(tape)


async def test_a_session_whose_transcript_is_deleted_is_not_followed_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    async with opened(tmp_path) as (stored, rooms, transcripts):
        tape = Tape()
        tape.say("one")
        async with following(transcripts, tape) as task:
            await until(lambda: "one" in stored.written().text)
            await rooms.delete(TRANSCRIPT)
            with pytest.raises(UnknownTranscript):
                await task


@pytest.mark.slow
async def test_words_wait_for_a_storage_that_fails_and_are_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    monkeypatch.setattr(commits_module, "ATTEMPTS", 1)
    async with opened(tmp_path) as (stored, rooms, transcripts):
        tape = Tape()
        tape.say("one")
        async with following(transcripts, tape) as task:
            await until(lambda: "one" in stored.written().text)
            with stored.locked():
                tape.say("two")
                await until(lambda: "transcript not written for now" in caplog.messages)
                with pytest.raises(StorageUnavailable):
                    await transcripts.admit(TRANSCRIPT, "session2", microphone=None, person=None)
            tape.say("three")
            tape.end()
            await task

        assert stored.written().text == "\none two three"
        assert rooms._open[TRANSCRIPT].users == 0
