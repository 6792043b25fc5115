"""Files: each joins its transcript once, together with its session and its job."""

from __future__ import annotations

import pytest

from offline.jobs import JobKind, JobState
from server.storage.errors import TooManyJobs, UnknownTranscript
from server.storage.jobs import Bounds
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.storage.uploads import KeyedRequest, NewUpload, Wishes
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


def test_it_is_found_by_its_content(store: Store) -> None:
    upload, _ = store.uploads.add(opened(store), NEW, AMPLE)

    assert store.uploads.find(TRANSCRIPT, "d1") == upload
    assert store.uploads.find(TRANSCRIPT, "d2") is None
    assert store.uploads.find("elsewhere", "d1") is None


def test_each_key_stands_for_a_file_and_the_job_of_its_time(store: Store) -> None:
    upload, first = store.uploads.add(opened(store), NEW, AMPLE)
    again, second = store.uploads.begin_again(upload, Wishes(), "k2", AMPLE)
    store.uploads.note_key(again, "k3")
    under = store.uploads.under

    assert under(TRANSCRIPT, "k1") == KeyedRequest("d1", first.id)
    assert under(TRANSCRIPT, "k2") == under(TRANSCRIPT, "k3") == KeyedRequest("d1", second.id)
    assert under(TRANSCRIPT, "k4") is None
    assert under("elsewhere", "k1") is None

    store.uploads.note_key(again, "k1")
    assert under(TRANSCRIPT, "k1") == KeyedRequest("d1", second.id)


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

    again, another = store.uploads.begin_again(upload, Wishes(), None, AMPLE)

    assert another.id == again.job != job.id
    assert (another.state, another.task.session) == (JobState.WAITING, "session1")
    assert store.uploads.of(TRANSCRIPT) == (again,)


def test_whoever_begins_it_again_second_gets_the_job_of_the_first(store: Store) -> None:
    lease = opened(store)
    upload, job = store.uploads.add(lease, NEW, AMPLE)
    store.jobs.cancel(job.id)

    first = store.uploads.begin_again(upload, Wishes(), None, AMPLE)
    second = store.uploads.begin_again(upload, Wishes(language="de"), None, AMPLE)

    assert second == first


def test_it_goes_with_its_transcript(store: Store) -> None:
    lease = opened(store)
    upload, _ = store.uploads.add(lease, NEW, AMPLE)

    store.library.delete(TRANSCRIPT)

    assert store.uploads.of(TRANSCRIPT) == ()
    assert store.uploads.under(TRANSCRIPT, "k1") is None
    with pytest.raises(UnknownTranscript):
        store.uploads.note_key(upload, "k2")
    with pytest.raises(UnknownTranscript):
        store.uploads.begin_again(upload, Wishes(), None, AMPLE)
