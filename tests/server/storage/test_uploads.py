"""Files: each joins its transcript once, together with its session and its job."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offline.jobs import JobKind, JobState
from server.storage.errors import TooManyJobs, UnknownTranscript
from server.storage.jobs import Bounds
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.storage.uploads import NewUpload, Wishes
from server.storage.values import PassState
from tests.server.storage.writing import TRANSCRIPT, opened

AMPLE = Bounds(100, 1000)
WISHES = Wishes(model="whisper-base", language="de", hotwords=("Trax",), diarization=False)
NEW = NewUpload(
    NewSession("session1", 5_000, samples=16_000, over=True),
    digest="d1",
    key="k1",
    name="Größe.mp3",
    size_bytes=77,
    wishes=WISHES,
)


def test_a_file_joins_with_its_session_and_its_job(store: Store) -> None:
    lease = opened(store)

    upload, job = store.uploads.add(lease, NEW, AMPLE)

    (session,) = store.sessions.of(TRANSCRIPT)
    assert (session.id, session.offset_ms, session.samples) == ("session1", 5_000, 16_000)
    assert {each.state for each in store.passes.of(TRANSCRIPT)} == {PassState.CLOSED}
    assert job == store.jobs.get(upload.job)
    assert (job.state, job.task.kind, job.task.session) == (
        JobState.WAITING,
        JobKind.UPLOAD,
        "session1",
    )
    assert (job.task.model, job.task.language) == ("whisper-base", "de")
    assert (job.task.hotwords, job.task.diarization) == (("Trax",), False)
    assert store.uploads.of(TRANSCRIPT) == (upload,)


def test_it_is_found_by_its_key_or_else_by_its_content(store: Store) -> None:
    lease = opened(store)
    first, _ = store.uploads.add(lease, NEW, AMPLE)
    other = replace(NEW, session=NewSession("session2", 0), digest="d2", key=None)
    second, _ = store.uploads.add(lease, other, AMPLE)

    find = store.uploads.find
    assert find(TRANSCRIPT, digest="d1", key=None) == first
    assert find(TRANSCRIPT, digest="d2", key="k1") == first
    assert find(TRANSCRIPT, digest="d2", key="k2") == second
    assert find(TRANSCRIPT, digest="d3", key=None) is None
    assert find("elsewhere", digest="d1", key="k1") is None


def test_where_no_job_is_taken_nothing_is_added(store: Store) -> None:
    lease = opened(store)

    with pytest.raises(TooManyJobs):
        store.uploads.add(lease, NEW, Bounds(0, 10))

    assert store.sessions.of(TRANSCRIPT) == ()
    assert store.uploads.of(TRANSCRIPT) == ()


def test_it_can_be_heard_again_after_its_job_was_cancelled(store: Store) -> None:
    lease = opened(store)
    upload, job = store.uploads.add(lease, NEW, AMPLE)
    store.jobs.cancel(job.id)

    again, another = store.uploads.begin_again(upload, Wishes(), AMPLE)

    assert another.id == again.job != job.id
    assert (another.state, another.task.session) == (JobState.WAITING, "session1")
    assert store.uploads.of(TRANSCRIPT) == (again,)


def test_whoever_begins_it_again_second_gets_the_job_of_the_first(store: Store) -> None:
    lease = opened(store)
    upload, job = store.uploads.add(lease, NEW, AMPLE)
    store.jobs.cancel(job.id)

    first = store.uploads.begin_again(upload, Wishes(), AMPLE)
    second = store.uploads.begin_again(upload, Wishes(language="de"), AMPLE)

    assert second == first


def test_it_goes_with_its_transcript(store: Store) -> None:
    lease = opened(store)
    upload, _ = store.uploads.add(lease, NEW, AMPLE)

    store.library.delete(TRANSCRIPT)

    assert store.uploads.of(TRANSCRIPT) == ()
    with pytest.raises(UnknownTranscript):
        store.uploads.begin_again(upload, Wishes(), AMPLE)
