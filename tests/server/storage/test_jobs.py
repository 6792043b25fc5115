"""Jobs: submitted once, listed, ended, and swept away."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from offline.domain import PassId
from offline.jobs import Failure, FailureCode, Job, JobKind, JobState, Task
from server.storage.claims import LEFT_MS
from server.storage.errors import TooManyJobs, UnknownJob, UnknownTranscript, WrongJobState
from server.storage.jobs import Bounds, JobCursor, NewJob
from server.storage.store import Store
from streaming.core.domain import Permille
from tests.server.storage.writing import OTHER, TRANSCRIPT, Clock, opened

AMPLE = Bounds(100, 1000)
TASK = Task(JobKind.STRETCH, TRANSCRIPT, "session1", 0, 30_000)
REJECTED = Failure(FailureCode.REJECTED, "a hearing expected, got something else", retry=False)


def submitted(store: Store, task: Task = TASK, key: str | None = None) -> Job:
    return store.jobs.submit(NewJob(task, key), AMPLE)


def heard(store: Store, result: bytes = b"heard") -> Job:
    """Submit a job, and have it heard."""
    job = submitted(store)
    claim = store.claims.take("worker", 10_000)
    assert claim is not None
    assert store.claims.finish(claim, result)
    return store.jobs.get(job.id)


def test_a_job_is_kept_as_it_was_submitted(store: Store) -> None:
    opened(store)
    task = Task(
        kind=JobKind.PASSAGE,
        transcript=TRANSCRIPT,
        session="session1",
        start_ms=1_000,
        end_ms=None,
        model="whisper-small",
        language="de",
        hotwords=("Trax", 'ein, "zwei"', "\ud83c"),
        diarization=False,
        suggests=True,
    )

    job = submitted(store, task, "again")

    assert job == store.jobs.get(job.id)
    assert job.task == task
    assert (job.state, job.key, job.attempts, job.progress) == (JobState.WAITING, "again", 0, 0)
    assert (job.failure, job.pass_id, job.started_ms, job.finished_ms) == (None,) * 4
    assert "Trax" not in repr(job)
    assert re.fullmatch("[0-9a-f]{24}", job.id)  # a command takes it for no flag


def test_a_key_makes_a_job_once_within_its_transcript(store: Store) -> None:
    opened(store)
    opened(store, OTHER)

    first = submitted(store, key="k")

    assert submitted(store, replace(TASK, end_ms=1), key="k") == first
    assert submitted(store, replace(TASK, transcript=OTHER), key="k").id != first.id
    assert submitted(store).id != submitted(store).id


def test_a_transcript_that_is_not_there_has_no_jobs(store: Store) -> None:
    with pytest.raises(UnknownTranscript):
        submitted(store)
    with pytest.raises(UnknownJob, match="expected the id of a job, got 'nothing'"):
        store.jobs.get("nothing")


def test_what_waits_is_bounded_in_each_transcript_and_in_all(store: Store) -> None:
    opened(store)
    opened(store, OTHER)
    bounds = Bounds(transcript=2, all=3)
    jobs = [store.jobs.submit(NewJob(TASK, f"k{n}"), bounds) for n in range(2)]

    with pytest.raises(TooManyJobs, match="this transcript: expected fewer than 2 jobs"):
        store.jobs.submit(NewJob(TASK), bounds)
    assert store.jobs.submit(NewJob(TASK, "k0"), bounds) == jobs[0]  # it is there already
    other = NewJob(replace(TASK, transcript=OTHER))
    store.jobs.submit(other, bounds)
    with pytest.raises(TooManyJobs, match="this server: expected fewer than 3 jobs"):
        store.jobs.submit(other, bounds)

    recording = NewJob(replace(TASK, kind=JobKind.RECORDING))
    assert store.jobs.submit(recording, bounds).state is JobState.WAITING
    for job in store.jobs.page(transcript=TRANSCRIPT).jobs[:2]:
        store.jobs.cancel(job.id)
    assert store.jobs.submit(NewJob(TASK), bounds).state is JobState.WAITING


def test_jobs_are_listed_in_pages_newest_first(store: Store) -> None:
    opened(store)
    opened(store, OTHER)
    made = [submitted(store) for _ in range(3)]
    other = submitted(store, replace(TASK, transcript=OTHER))
    store.jobs.cancel(made[1].id)

    first = store.jobs.page(limit=3)
    assert first.following is not None
    second = store.jobs.page(limit=3, after=JobCursor.parse(str(first.following)))

    assert [job.id for job in first.jobs] == [other.id, made[2].id, made[1].id]
    assert [job.id for job in second.jobs] == [made[0].id]
    assert second.following is None
    assert [job.id for job in store.jobs.page(transcript=OTHER).jobs] == [other.id]
    cancelled = store.jobs.page(states=[JobState.CANCELLED, JobState.DONE]).jobs
    assert [job.id for job in cancelled] == [made[1].id]
    assert JobCursor.parse("1.a b") is None
    with pytest.raises(ValueError, match=r"expected 1\.\.100, got 0"):
        store.jobs.page(limit=0)


def test_a_result_is_kept_until_the_document_shows_it(store: Store) -> None:
    opened(store)
    job = heard(store, b"words")

    assert store.jobs.heard() == (job,)
    assert store.jobs.result(job.id) == b"words"

    store.jobs.applied(job.id, PassId("7"))
    store.jobs.applied(job.id, PassId("8"))  # a second server, which comes too late

    done = store.jobs.get(job.id)
    assert (done.state, done.pass_id, done.progress) == (JobState.DONE, "7", 1000)
    assert done.finished_ms is not None
    assert store.jobs.heard() == ()
    assert store.jobs.result(job.id) is None


def test_a_result_that_cannot_be_written_is_rejected(store: Store) -> None:
    opened(store)
    job = heard(store)

    store.jobs.reject(job.id, REJECTED)

    failed = store.jobs.get(job.id)
    assert (failed.state, failed.failure) == (JobState.FAILED, REJECTED)
    assert store.jobs.result(job.id) is None


def test_a_job_is_cancelled_while_it_waits_and_stays_as_it_ended(store: Store) -> None:
    opened(store)
    done = heard(store)
    store.jobs.applied(done.id, None)
    waiting = submitted(store)

    assert store.jobs.cancel(waiting.id).state is JobState.CANCELLED
    assert store.jobs.cancel(waiting.id).state is JobState.CANCELLED
    assert store.jobs.cancel(done.id).state is JobState.DONE
    assert store.claims.due() == ()
    with pytest.raises(UnknownJob):
        store.jobs.cancel("nothing")


def test_only_a_job_that_failed_is_retried(store: Store) -> None:
    opened(store)
    job = heard(store)
    with pytest.raises(WrongJobState, match="expected one that failed, got one that is heard"):
        store.jobs.retry(job.id, AMPLE)
    store.jobs.reject(job.id, REJECTED)

    again = store.jobs.retry(job.id, AMPLE)

    assert (again.state, again.attempts, again.progress) == (JobState.WAITING, 0, 0)
    assert again.failure == REJECTED
    assert again.finished_ms is None
    assert store.claims.due() == (job.id,)


def test_a_job_is_not_retried_where_too_much_waits(store: Store) -> None:
    opened(store)
    job = heard(store)
    store.jobs.reject(job.id, REJECTED)
    bounds = Bounds(transcript=1, all=10)
    other = store.jobs.submit(NewJob(TASK), bounds)
    with pytest.raises(TooManyJobs):
        store.jobs.retry(job.id, bounds)
    assert store.jobs.get(job.id).state is JobState.FAILED

    store.jobs.cancel(other.id)
    assert store.jobs.retry(job.id, bounds).state is JobState.WAITING


def test_jobs_go_with_their_transcript(store: Store) -> None:
    opened(store)
    job = submitted(store)
    claim = store.claims.take("worker", 10_000)
    assert claim is not None

    store.library.delete(TRANSCRIPT)

    assert not store.claims.renew(claim, Permille(500), 10_000)
    assert not store.claims.finish(claim, b"late")
    store.claims.give_back(claim)
    store.jobs.applied(job.id, None)
    assert store.jobs.page().jobs == ()


def test_jobs_that_were_over_long_ago_are_removed(store: Store, clock: Clock) -> None:
    opened(store)
    old, new = submitted(store), submitted(store)
    store.jobs.cancel(old.id)
    clock.ms += 60_000

    assert store.jobs.sweep(clock.ms) == 1

    assert [job.id for job in store.jobs.page().jobs] == [new.id]


def test_jobs_are_counted_by_state(store: Store) -> None:
    opened(store)
    assert store.jobs.census().waiting_since_ms is None
    first, _ = submitted(store), submitted(store)
    store.jobs.cancel(submitted(store).id)

    census = store.jobs.census()

    assert census.of_state[JobState.WAITING] == 2
    assert census.of_state[JobState.CANCELLED] == 1
    assert census.of_state[JobState.DONE] == 0
    assert census.waiting_since_ms == first.due_ms


def test_of_each_transcript_one_heard_job_is_told_the_most_urgent(store: Store) -> None:
    opened(store)
    opened(store, OTHER)
    kinds = (JobKind.UPLOAD, JobKind.STRETCH, JobKind.STRETCH)
    upload, stretch, _ = [submitted(store, replace(TASK, kind=kind)) for kind in kinds]
    other = submitted(store, replace(TASK, kind=JobKind.RECORDING, transcript=OTHER))
    while claim := store.claims.take("worker", 10_000):
        assert store.claims.finish(claim, b"heard")

    assert [each.id for each in store.jobs.heard()] == [stretch.id, other.id]
    for _ in kinds[1:]:
        store.jobs.applied(store.jobs.heard()[0].id, None)
    assert [each.id for each in store.jobs.heard()] == [other.id, upload.id]


def test_of_each_transcript_the_newest_job_is_told(store: Store, clock: Clock) -> None:
    opened(store)
    opened(store, OTHER)
    submitted(store)
    other = submitted(store, replace(TASK, transcript=OTHER))
    clock.ms += 1
    newest = submitted(store)
    store.jobs.cancel(newest.id)

    assert store.jobs.newest([TRANSCRIPT, "none"]) == {TRANSCRIPT: store.jobs.get(newest.id)}
    assert store.jobs.newest([TRANSCRIPT, OTHER])[OTHER].id == other.id
    assert store.jobs.newest([]) == {}


def test_what_was_heard_is_reserved_while_somebody_wants_it(store: Store, clock: Clock) -> None:
    opened(store)
    job = heard(store)
    assert 0 < job.due_ms - job.updated_ms <= LEFT_MS

    assert store.jobs.reserve(job.id, 60_000)
    assert store.jobs.get(job.id).due_ms > clock.ms + 60_000 - LEFT_MS
    store.jobs.cancel(job.id)
    assert not store.jobs.reserve(job.id, 60_000)
