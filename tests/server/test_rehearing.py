"""Stretches of a session are heard again while it goes on, and all of it at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from offline.jobs import Job, JobKind
from offline.passes import DEFAULT, Moment, Passes, Stage
from offline.queue import JobQueue
from server.jobs import Jobs
from server.journal import Entry, LastingEvent
from server.rehearing import Rehearings, Wishes
from server.rooms import Rooms
from server.storage.jobs import Bounds
from server.telemetry import Telemetry
from server.transcripts import Transcripts
from streaming.core.domain import Samples, Span, UtteranceId, Voice, from_ms
from streaming.core.events import Final, Partial, UtteranceEnded
from tests.server.editing import TRANSCRIPT, Storage, open_rooms
from tests.server.events import word

LIVE_ONLY = Passes((Stage("utterance", Moment.UTTERANCE, model="live"),))


class Talk:
    """A session whose utterances end at given seconds, and which is over."""

    id = "session1"
    received = Samples(0)
    partial: Partial | None = None
    voices: Sequence[Voice] = ()
    complete = True
    wishes = Wishes("de", ("Trax",), diarization=True)

    def __init__(self, *ends_s: int, words: bool = True) -> None:
        events: list[LastingEvent] = []
        for number, end_s in enumerate(ends_s):
            end = from_ms(1000 * end_s)
            if words:
                said = word(f" w{number}", end - 800, end, "S1")
                events.append(Final(UtteranceId(number), (said,)))
            events.append(UtteranceEnded(UtteranceId(number), Span(Samples(end - 800), end)))
        self._entries = [Entry(seq, event) for seq, event in enumerate(events, start=1)]

    async def entries(self, after: int, limit: int) -> Sequence[Entry]:
        return self._entries[after : after + limit]

    async def news(self) -> None:
        raise AssertionError("nothing is news of a session that is over")


@dataclass
class Office:
    stored: Storage
    rooms: Rooms
    jobs: Jobs

    async def follow(self, talk: Talk, passes: Passes = DEFAULT) -> list[Job]:
        """Let a session be written; return the jobs of the transcript, the oldest first."""
        stored = self.stored
        rehearings = Rehearings(stored.store, stored.threads, self.jobs, passes)
        transcripts = Transcripts(stored.store, stored.threads, self.rooms, rehearings)
        if stored.store.sessions.find(talk.id) is None:
            await transcripts.admit(TRANSCRIPT, talk.id, microphone=None, person=None)
        await transcripts.follow(talk)
        jobs = stored.store.jobs.page(transcript=TRANSCRIPT).jobs
        return sorted(jobs, key=lambda job: (job.task.kind.value, job.task.start_ms))


@asynccontextmanager
async def office(folder: Path, bounds: Bounds = Bounds(9, 9)) -> AsyncIterator[Office]:  # noqa: B008
    async with open_rooms(folder) as (stored, rooms):
        queue = JobQueue(None)
        jobs = Jobs(stored.store, stored.threads, queue, Telemetry(), bounds)
        try:
            yield Office(stored, rooms, jobs)
        finally:
            await jobs.aclose()
            queue.close()


async def test_stretches_are_heard_again_and_the_whole_at_the_end(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        whole, first, second = await here.follow(Talk(5, 20, 31, 40, 70, 75))

    assert whole.task.kind is JobKind.RECORDING
    assert (whole.task.start_ms, whole.task.end_ms) == (0, None)
    assert (whole.task.language, whole.task.hotwords) == ("de", ("Trax",))
    assert [whole.task.diarization, first.task.diarization] == [True, False]
    stretches = [(each.task.start_ms, each.task.end_ms) for each in (first, second)]
    assert stretches == [(0, 31_000), (31_000, 70_000)]


async def test_who_follows_a_session_again_asks_for_nothing_twice(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        before = await here.follow(Talk(31))
        assert await here.follow(Talk(31)) == before
        after = await here.follow(Talk(31, 40, 63))

    assert [each.task.start_ms for each in after] == [0, 0, 31_000]
    assert after[:2] == before


async def test_where_there_are_no_such_passes_nothing_is_heard_again(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        assert await here.follow(Talk(31), LIVE_ONLY) == []


async def test_where_nothing_was_said_nothing_is_heard_again_at_the_end(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        assert await here.follow(Talk(5, words=False)) == []


async def test_a_session_goes_on_when_too_much_waits_and_its_recording_is_never_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with office(tmp_path, Bounds(1, 1)) as here:
        recording, first = await here.follow(Talk(31, 62))
        assert "w1" in here.stored.written().text

    assert (first.task.start_ms, first.task.end_ms) == (0, 31_000)
    assert recording.task.kind is JobKind.RECORDING
    assert recording.task.hotwords == ("Trax",)
    assert caplog.messages.count("not heard again for now, too much waits") == 1
