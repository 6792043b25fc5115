"""What accurate passes heard comes into the document, whatever happens to it meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycrdt import Assoc, Doc, Map, Text, create_awareness_message

from offline.domain import PassWord, SpeakerId
from offline.jobs import FailureCode, Job, JobKind, JobState, Task
from offline.queue import JobQueue
from offline.results import HeardVoice, HeardWord, Hearing
from server import corrections as module
from server.corrections import Corrections
from server.dictation import Dictation
from server.errors import RoomClosed
from server.jobs import Jobs
from server.journal import Entry
from server.machine import Planned
from server.mailbox import Mailbox
from server.room import Room
from server.rooms import Rooms
from server.storage.errors import StaleWriter
from server.storage.jobs import Bounds, NewJob
from server.storage.sessions import NewSession
from server.storage.values import Batch, Lease, PassKind, PassState, Session, WordChunk
from server.telemetry import Telemetry
from server.yjs import messages
from streaming.core.domain import Permille, Samples, UtteranceId, from_ms
from streaming.core.events import Final
from tests.server.editing import TRANSCRIPT, Storage, open_rooms, until
from tests.server.events import word

OTHER = "transcript-bbbbbbbbbb"
OFFSET_MS = 5_000
WORD_MS = 400
VOICE = HeardVoice(b"", 10_000)


@dataclass
class Desk:
    """A transcript with one session, and jobs over it that nobody works on."""

    stored: Storage
    rooms: Rooms
    room: Room
    session: Session
    jobs: Jobs
    corrections: Corrections
    dictation: Dictation

    async def say(self, *texts: str, speaker: str = "S1", first: int = 0) -> None:
        """Let the session say words, one after the other from word number `first`."""
        said = tuple(
            word(f" {each}", from_ms(n * WORD_MS), from_ms((n + 1) * WORD_MS), speaker)
            for n, each in enumerate(texts, start=first)
        )
        self.dictation.introduce(speaker, SpeakerId(speaker.lower()), f"Speaker {speaker[1:]}")
        entry = Entry(self.dictation.seq + 1, Final(UtteranceId(0), said))
        await self.dictation.take(entry, Samples(0))
        await self.room.idle()

    async def heard(
        self,
        hearing: Hearing | bytes,
        kind: JobKind = JobKind.RECORDING,
        task: Task | None = None,
    ) -> Job:
        """Return a job whose worker is done."""
        task = task or Task(kind, TRANSCRIPT, self.session.id)
        job = await self.jobs.submit(NewJob(task))
        claim = self.stored.store.claims.take("worker", 60_000)
        assert claim is not None
        result = hearing if isinstance(hearing, bytes) else hearing.encode()
        assert self.stored.store.claims.finish(claim, result)
        return await self.jobs.get(job.id)

    def state(self, job: Job) -> JobState:
        return self.stored.store.jobs.get(job.id).state

    def turns(self) -> list[tuple[str | None, str]]:
        return [(turn.speaker, turn.text) for turn in self.room.transcript.turns()]


@asynccontextmanager
async def opened(folder: Path, person: str | None = None) -> AsyncIterator[Desk]:
    async with open_rooms(folder, linger_s=60) as (stored, rooms), rooms.enter(TRANSCRIPT) as room:
        lease = rooms.lease(TRANSCRIPT)
        new = NewSession("session1", OFFSET_MS, person=person)
        session = stored.store.sessions.add(lease, new)
        for label in ("S1", "S2"):
            stored.store.sessions.add_voice(lease, session.id, label)
        queue = JobQueue(None)
        jobs = Jobs(stored.store, stored.threads, queue, Telemetry(), Bounds(9, 9))
        corrections = Corrections(stored.store, stored.threads, rooms, jobs)
        try:
            voices = {"S1": SpeakerId("s1"), "S2": SpeakerId("s2")}
            dictation = Dictation(room, session, voices)
            yield Desk(stored, rooms, room, session, jobs, corrections, dictation)
        finally:
            await corrections.aclose()
            await jobs.aclose()
            queue.close()


def hearing(
    *texts: str, voices: Sequence[int | None] = (), first: int = 0, language: str | None = None
) -> Hearing:
    """Return what a pass heard from word number `first`, on the clock of the session."""
    words = tuple(
        HeardWord(
            PassWord(f" {each}", n * WORD_MS, (n + 1) * WORD_MS, Permille(900)),
            voices[n - first] if voices else None,
        )
        for n, each in enumerate(texts, start=first)
    )
    count = 1 + max((voice for voice in voices if voice is not None), default=-1)
    start_ms, end_ms = first * WORD_MS, (first + len(texts)) * WORD_MS
    return Hearing(start_ms, end_ms, words, count * (VOICE,), language)


async def test_a_file_is_as_long_as_what_could_be_decoded_of_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        job = await here.heard(hearing("hello", "there"), JobKind.UPLOAD)
        await here.corrections.take(job)
        session = here.stored.store.sessions.find(here.session.id)

    assert session is not None
    assert session.samples == from_ms(2 * WORD_MS)


class Person:
    """An editor in a room, without a connection."""

    def __init__(self, room: Room, client: int = 7) -> None:
        self.room = room
        self.member = room.join(Mailbox(1024 * 1024), writes=True)
        self.doc: Doc[Any] = Doc(client_id=client)
        self.text: Text = self.doc.get("text", type=Text)
        self.receive()
        self._clock = 0

    def receive(self) -> None:
        self.doc.apply_update(self.room.transcript.update_since(self.doc.get_state()))

    async def send(self) -> None:
        change = self.doc.get_update(self.room.transcript.state_vector())
        await self.room.receive(self.member, messages.encode(messages.Update(change)))

    async def point(self, at: int | None) -> None:
        """Show a cursor at a character, or behind the last one."""
        place: dict[str, object] = {"type": None, "tname": "text", "item": None, "assoc": 0}
        if at is not None:
            place["item"] = self.text.sticky_index(at, Assoc.AFTER).to_json()["item"]
        await self.show({"cursor": {"anchor": place, "head": place}})

    async def show(self, state: object) -> None:
        self._clock += 1
        shown = json.dumps(state).encode()
        update = bytes([1, self.doc.client_id, self._clock])
        update += len(shown).to_bytes(1) if len(shown) < 128 else _varuint(len(shown))
        await self.room.receive(self.member, create_awareness_message(update + shown))


def _varuint(number: int) -> bytes:
    return bytes([number & 127 | 128, number >> 7])


async def test_words_that_nobody_touched_become_what_was_heard(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.say("we", "went", "too", "the", "see")
        job = await desk.heard(hearing("We", "went", "to", "the", "sea", language="en"))
        await desk.corrections.take(job)

        assert desk.turns() == [("s1", "We went to the sea")]
        assert desk.stored.written().text == desk.room.transcript.text
        assert desk.room.transcript.meta("language") == "en"
        done = desk.stored.store.jobs.get(job.id)
        assert done.state is JobState.DONE
        passes = desk.stored.store.passes.of(TRANSCRIPT)
        (accurate,) = [each for each in passes if each.kind is PassKind.ACCURATE]
        assert (accurate.id, accurate.state, accurate.words) == (done.pass_id, PassState.CLOSED, 5)
        words = desk.stored.store.passes.words(TRANSCRIPT, [accurate.id])[accurate.id]
        assert (words[0].text, words[0].start_ms) == (" We", OFFSET_MS)
        outcomes = {each.outcome.value for each in desk.room.decisions}
        assert outcomes == {"applied"}
        assert len(desk.stored.store.merges.all_decisions(TRANSCRIPT)) == len(desk.room.decisions)


async def test_what_a_person_changed_stays_and_gets_a_suggestion(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.say("we", "went", "too", "the", "see")
        person = Person(desk.room)
        at = str(person.text).index("too")
        del person.text[at : at + 3]
        person.text.insert(at, "into")
        await person.send()
        await desk.corrections.take(await desk.heard(hearing("we", "went", "to", "the", "sea")))

        assert desk.turns() == [("s1", "we went into the sea")]
        (suggestion,) = desk.room.transcript.suggestions().values()
        assert (suggestion.text.strip(), suggestion.alternative.strip()) == ("into", "to")


async def test_what_somebody_asked_for_is_not_undone_by_the_recording(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.say("we", "went", "too", "the", "see")
        recording = await desk.heard(hearing("We", "went", "two", "the", "C"))
        asked = await desk.heard(hearing("to", "the", "sea", first=2), JobKind.PASSAGE)
        await desk.corrections.take(asked)
        await desk.corrections.take(recording)

        assert desk.turns() == [("s1", "We went to the sea")]
        assert desk.room.transcript.suggestions() == {}
        kinds = [each.kind for each in desk.stored.store.passes.of(TRANSCRIPT)]
        assert kinds[2:] == [PassKind.PASSAGE, PassKind.ACCURATE]


async def test_what_is_only_to_be_suggested_leaves_the_text_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.say("we", "went", "too", "the", "see")
        heard = hearing("we", "went", "to", "the", "sea", voices=[0, 0, 1, 1, 1])
        task = Task(JobKind.PASSAGE, TRANSCRIPT, desk.session.id, suggests=True)
        job = await desk.heard(heard, task=task)
        await desk.corrections.take(job)

        assert desk.turns() == [("s1", "we went too the see")]
        suggested = desk.room.transcript.suggestions().values()
        assert {(each.text, each.alternative) for each in suggested} == {
            (" too", " to"),
            (" see", " sea"),
        }
        again = await desk.heard(hearing("we", "went", "two", "the", "sea"))
        await desk.corrections.take(again)
        assert desk.turns() == [("s1", "we went two the sea")], "nobody edited there"


async def test_a_file_that_nobody_heard_yet_becomes_a_transcript(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        job = await desk.heard(
            hearing("good", "morning", "hello", "there", voices=(0, 0, 1, 1)), JobKind.UPLOAD
        )
        await desk.corrections.take(job)

        assert desk.turns() == [("s3", "good morning"), ("s4", "hello there")]
        names = [each.name for each in desk.room.transcript.speakers().values()]
        assert names == ["Speaker 3", "Speaker 4"]


async def test_voices_are_the_speakers_with_whom_they_agree_longest(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.say("a", "b", "c", "d")
        await desk.say("e", "f", "g", "h", speaker="S2", first=4)
        person = Person(desk.room)
        person.doc.get("speakers", type=Map)["s2"] = {"name": "Ada"}
        await person.send()
        said = ("a", "b", "c", "d", "e", "f", "g", "h")
        await desk.corrections.take(
            await desk.heard(hearing(*said, voices=(1, 1, 1, 0, 0, 0, 0, 0)))
        )

        assert desk.turns() == [("s1", "a b c"), ("s2", "d e f g h")]
        assert desk.room.transcript.speakers()[SpeakerId("s2")].name == "Ada"


@pytest.mark.slow
async def test_words_that_people_edit_do_not_part_what_one_voice_says(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        opening = ("good", "day", "to", "you", "all", "and", "out", "of", "their", "first")
        await desk.say(*opening)
        said = ("levy", "they", "washed", "their", "dishes", "once", "a", "day")
        person = Person(desk.room)
        for n, each in enumerate(said, start=10):
            await desk.say(each, speaker="S2", first=n)
            person.receive()
            if each in {"levy", "washed", "once"}:
                person.text.insert(len(str(person.text).encode()) - 2, "éNß")
                await person.send()
        job = await desk.heard(hearing(*opening, *said, voices=18 * (0,)))
        await desk.corrections.take(job)

        edited = "leéNßvy they washéNßed their dishes onéNßce a day"
        assert desk.turns() == [("s1", f"{' '.join(opening)} {edited}")]


async def test_a_voice_is_known_by_its_print_to_another_session(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        sessions, lease = desk.stored.store.sessions, desk.rooms.lease(TRANSCRIPT)
        sessions.add(lease, NewSession("session2", OFFSET_MS))
        theirs = sessions.add_voice(lease, "session2", "S1")
        prints = [np.eye(4, dtype="<f4")[axis].tobytes() for axis in range(2)]
        sessions.keep_print(lease, "session2", theirs.label, prints[1])
        await desk.say("a", "b", "c", "d")
        found = hearing("a", "b", "c", "d", "e", "f", voices=(0, 0, 0, 0, 1, 1))
        voices = tuple(HeardVoice(each, 10_000) for each in prints)
        await desk.corrections.take(await desk.heard(replace(found, voices=voices)))

        assert desk.turns() == [("s1", "a b c d"), (theirs.speaker, "e f")]


async def test_who_speaks_alone_into_a_microphone_keeps_all_words(tmp_path: Path) -> None:
    async with opened(tmp_path, person="Ada") as desk:
        await desk.say("a", "b", "c", "d")
        await desk.corrections.take(
            await desk.heard(hearing("a", "b", "c", "d", "e", voices=(0, 0, 1, 1, 1)))
        )

        assert desk.turns() == [("s1", "a b c d e")]


async def test_a_job_that_is_taken_twice_changes_nothing_more(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.say("we", "went", "too", "the", "see")
        job = await desk.heard(hearing("We", "went", "to", "the", "sea", voices=(0, 0, 0, 0, 1)))
        await desk.corrections.take(job)
        before = desk.room.transcript.state_vector()
        await desk.corrections.take(job)  # its result is gone
        again = await desk.heard(hearing("We", "went", "to", "the", "sea", voices=(0, 0, 0, 0, 1)))
        await desk.corrections.take(again)

        assert desk.room.transcript.state_vector() == before
        assert desk.state(again) is JobState.DONE


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 6])
async def test_who_dies_in_the_middle_leaves_it_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr(module, "WORDS_AT_ONCE", 2)
    monkeypatch.setattr("offline.portions.SHORTEST_MS", 800)
    monkeypatch.setattr("offline.portions.LONGEST_MS", 1_600)
    async with opened(tmp_path) as desk:
        await desk.say("a", "x", "c", "x", "e", "x", "g", "x")
        job = await desk.heard(hearing("a", "b", "c", "d", "e", "f", "g", "h"))
        write, written = desk.room.machine.write, 0

        async def write_some(
            *plans: Planned, words: Sequence[WordChunk] = (), apart_from: Sequence[str] = ()
        ) -> None:
            nonlocal written
            if written == steps:
                raise RoomClosed("dead")
            written += 1
            await write(*plans, words=words, apart_from=apart_from)

        monkeypatch.setattr(desk.room.machine, "write", write_some)
        with suppress(RoomClosed):
            await desk.corrections.take(job)
        assert written == steps
        monkeypatch.setattr(desk.room.machine, "write", write)
        await desk.corrections.take(job)

        assert desk.turns() == [("s1", "a b c d e f g h")]
        passes = desk.stored.store.passes.of(TRANSCRIPT)
        assert [each.words for each in passes if each.kind is PassKind.ACCURATE] == [8]


async def test_a_job_that_heard_something_else_the_second_time_gets_another_pass(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as desk:
        await desk.say("a", "x")
        lease = desk.rooms.lease(TRANSCRIPT)
        job = await desk.heard(hearing("a", "b"))
        before = desk.stored.store.passes.begin_for(lease, job.id)
        desk.room.passes[before.id] = [PassWord(" other", 0, 1, Permille(1))]
        await desk.corrections.take(job)

        assert desk.turns() == [("s1", "a b")]
        assert desk.stored.store.jobs.get(job.id).pass_id != before.id


async def test_what_is_next_to_a_cursor_waits_until_it_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 0.01)
    monkeypatch.setattr(module, "MOST_LOOKS", 10_000)
    async with opened(tmp_path) as desk:
        await desk.say("Grüße", "we", "went", "too")
        await desk.say(*(f"w{n}" for n in range(30)), first=4)
        person = Person(desk.room)
        place = len(str(person.text)[: str(person.text).index("too") + 1].encode())
        await person.point(place)
        job = await desk.heard(hearing("Grüße", "we", "went", "to"))
        taking = asyncio.create_task(desk.corrections.take(job))
        await until(lambda: len(desk.room.passes) > 2)
        await asyncio.sleep(0.05)
        assert " too" in desk.room.transcript.text

        await person.point(len(str(person.text).encode()) - 3)
        await taking
        assert " too" not in desk.room.transcript.text
        assert desk.state(job) is JobState.DONE


async def test_a_cursor_in_what_somebody_typed_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 0.01)
    monkeypatch.setattr(module, "MOST_LOOKS", 10_000)
    async with opened(tmp_path) as desk:
        await desk.say("we", "went", "too", *(f"w{n}" for n in range(30)))
        person = Person(desk.room)
        at = str(person.text).index("nt")
        person.text.insert(at, "x")
        await person.send()
        await person.point(at)
        taking = asyncio.create_task(
            desk.corrections.take(await desk.heard(hearing("we", "went", "to")))
        )
        await until(lambda: len(desk.room.passes) > 2)
        await asyncio.sleep(0.05)
        assert " too" in desk.room.transcript.text

        await person.point(len(str(person.text)) - 3)
        await taking
        assert desk.room.transcript.text.startswith("\nwe wexnt to w0")


async def test_a_cursor_that_stays_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 0.001)
    async with opened(tmp_path) as desk:
        await desk.say("we", "went", "too")
        person = Person(desk.room)
        await person.point(None)
        await desk.corrections.take(await desk.heard(hearing("we", "went", "to")))

        assert desk.turns() == [("s1", "we went to")]


async def test_where_nothing_is_heard_words_go(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.say("hm")
        await desk.corrections.take(await desk.heard(Hearing(0, 60_000, ())))

        assert "".join(text for _, text in desk.turns()).strip() == ""


async def test_a_result_that_is_none_is_rejected(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        job = await desk.heard(b"\x91\x05")
        await desk.corrections.take(job)

        failed = desk.stored.store.jobs.get(job.id)
        assert failed.state is JobState.FAILED
        assert failed.failure is not None
        assert failed.failure.code is FailureCode.REJECTED


async def test_heard_jobs_are_taken_by_themselves(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.say("we", "went", "too")
        desk.corrections.start()
        jobs = [await desk.heard(hearing("we", "went", text)) for text in ("to", "two")]
        desk.jobs.notice()
        await until(lambda: all(desk.state(job) is JobState.DONE for job in jobs))

        assert desk.turns() == [("s1", "we went two")]


async def test_a_job_whose_transcript_goes_goes_with_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.say("we", "went", "too")
        job = await desk.heard(hearing("we", "went", "to"))
        await desk.rooms.delete(TRANSCRIPT)
        await desk.corrections._see_to(job)


async def heard_elsewhere(desk: Desk) -> Job:
    """Return a heard job of another transcript."""
    store = desk.stored.store
    store.library.create(OTHER, started_ms=0)
    async with desk.rooms.enter(OTHER):
        store.sessions.add(desk.rooms.lease(OTHER), NewSession("session2", 0))
    return await desk.heard(hearing("hello"), task=Task(JobKind.UPLOAD, OTHER, "session2"))


async def test_a_cursor_that_stays_keeps_no_other_transcript_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 1)
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 0.01)
    monkeypatch.setattr(module, "MOST_LOOKS", 1_000_000)
    async with opened(tmp_path) as desk:
        await desk.say("we", "went", "too")
        await Person(desk.room).point(None)
        waiting = await desk.heard(hearing("we", "went", "to"))
        desk.corrections.start()
        await until(lambda: len(desk.room.passes) > 2)
        other = await heard_elsewhere(desk)
        desk.jobs.notice()
        await until(lambda: desk.state(other) is JobState.DONE)

        assert desk.state(waiting) is JobState.HEARD


async def test_a_job_that_is_cancelled_while_it_is_written_is_written_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 0.01)
    monkeypatch.setattr(module, "MOST_LOOKS", 1_000_000)
    monkeypatch.setattr(module, "RENEW_S", 0.01)
    async with opened(tmp_path) as desk:
        await desk.say("we", "went", "too")
        await Person(desk.room).point(None)
        job = await desk.heard(hearing("we", "went", "to"))
        taking = asyncio.create_task(desk.corrections.take(job))
        await until(lambda: len(desk.room.passes) > 2)
        await desk.jobs.cancel(job.id)
        await taking

        assert desk.turns() == [("s1", "we went too")]
        assert desk.state(job) is JobState.CANCELLED


@asynccontextmanager
async def second_server(desk: Desk) -> AsyncIterator[Corrections]:
    """Correct by another server over the same database."""
    rooms = desk.stored.rooms(linger_s=60)
    corrections = Corrections(desk.stored.store, desk.stored.threads, rooms, desk.jobs)
    try:
        yield corrections
    finally:
        await corrections.aclose()
        await rooms.aclose()


async def test_a_server_leaves_corrections_to_the_one_that_has_the_room_open(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as desk, second_server(desk) as other:
        await desk.say("we", "went", "too")
        job = await desk.heard(hearing("we", "went", "to"))
        assert not await other._is_ours(job)
        assert await desk.corrections._is_ours(job)
        other.start()
        desk.corrections.start()
        desk.jobs.notice()
        await until(lambda: desk.state(job) is JobState.DONE)

        assert desk.turns() == [("s1", "we went to")]
        assert desk.stored.store.documents.is_newest(desk.rooms.lease(TRANSCRIPT))


async def test_a_server_that_writes_for_long_keeps_others_away(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk, second_server(desk) as other:
        job = await desk.heard(hearing("we", "went", "to"))
        desk.stored.store.jobs.reserve(job.id, 0)
        assert await other._is_ours(await desk.jobs.get(job.id))
        reserving = asyncio.create_task(desk.corrections._reserve(job))
        await until(lambda: desk.stored.store.jobs.get(job.id).due_ms > job.due_ms)

        assert not await other._is_ours(await desk.jobs.get(job.id))
        reserving.cancel()


async def test_what_the_server_of_a_room_does_not_write_another_one_writes(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk, second_server(desk) as other:
        await desk.say("we", "went", "too")
        job = await desk.heard(hearing("we", "went", "to"))
        desk.stored.store.jobs.reserve(job.id, 0)
        other.start()
        await until(lambda: desk.state(job) is JobState.DONE)

        assert "we went to" in desk.stored.written().text


async def test_a_transcript_that_no_server_has_opened_is_corrected_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        job = await heard_elsewhere(desk)
        async with second_server(desk) as other:
            assert not await other._is_ours(job)

        assert await desk.corrections._is_ours(job)


async def test_of_two_servers_that_come_at_once_one_writes(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk, second_server(desk) as other:
        store = desk.stored.store
        store.library.create(OTHER, started_ms=0)
        lease = Lease(OTHER, 0)  # nobody opened it yet
        store.sessions.add(lease, NewSession("session2", 0))
        task = Task(JobKind.UPLOAD, OTHER, "session2")
        job = await desk.heard(hearing("hello"), task=task)

        ours = [await each._is_ours(job) for each in (desk.corrections, other, other)]

        assert ours == [True, False, False]
        assert store.documents.is_newest(lease)


async def test_a_room_that_another_server_took_over_is_closed_and_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    async with opened(tmp_path) as desk:
        await desk.say("we", "went", "too")
        person = Person(desk.room)
        desk.stored.store.documents.lease(TRANSCRIPT)  # by a server that dies at once
        job = await desk.heard(hearing("we", "went", "to"))
        with pytest.raises(StaleWriter):
            await desk.corrections.take(job)

        assert desk.rooms.present(TRANSCRIPT) is None
        assert person.member.mailbox.dismissal is not None
        await desk.corrections.take(job)
        assert "we went to" in desk.stored.written().text


async def test_a_document_of_a_newer_server_is_left_to_that_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path) as desk:
        job = await heard_elsewhere(desk)
        store = desk.stored.store
        store.documents.append(store.documents.lease(OTHER), Batch(1, (b"\0\0",), schema=99))
        async with second_server(desk) as other:
            for pause_s in (module.UNREADABLE_S, 2 * module.UNREADABLE_S):
                await other._see_to(job)
                assert other._aside[OTHER].pause_s == pause_s
            store.jobs.reserve(job.id, 0)

            assert not await other._is_ours(await desk.jobs.get(job.id))
        assert desk.state(job) is JobState.HEARD
    assert caplog.messages.count("job not written for now") == 2
