"""Transcripts as a whole: made, found, deleted."""

import pytest

from server.storage.errors import Conflict, UnknownTranscript
from server.storage.store import Store
from server.storage.values import Batch, Transcript, TranscriptState
from tests.server.storage.writing import OTHER, START_MS, TRANSCRIPT, chunk, joined, opened


def test_a_transcript_is_read_as_it_was_made(store: Store) -> None:
    made = store.library.create(TRANSCRIPT, started_ms=5, title="Größe", language="de")

    assert made == Transcript(
        id=TRANSCRIPT,
        title="Größe",
        language="de",
        state=TranscriptState.LIVE,
        created_ms=START_MS + 1000,
        updated_ms=START_MS + 1000,
        started_ms=5,
        duration_ms=0,
        speakers=0,
    )
    assert store.library.get(TRANSCRIPT) == made


def test_an_id_is_used_once(store: Store) -> None:
    opened(store)

    with pytest.raises(Conflict, match="expected a new key"):
        opened(store)


def test_nothing_is_left_of_a_deleted_transcript(store: Store) -> None:
    lease = opened(store)
    session = joined(store, lease)
    store.sessions.add_voice(lease, session.id, "S1")
    store.documents.add_client(lease, 1)
    words = (chunk(session.live_pass, 0, "a"),)
    store.documents.append(lease, Batch(0, (b"a", b"b"), words))
    store.documents.compact(lease, b"a", 1)

    store.library.delete(TRANSCRIPT)

    with pytest.raises(UnknownTranscript):
        store.library.get(TRANSCRIPT)
    with pytest.raises(UnknownTranscript):
        store.documents.append(lease, Batch(2, (b"c",)))
    with pytest.raises(UnknownTranscript):
        store.library.delete(TRANSCRIPT)
    # Under the same id, nothing of before is there.
    opened(store)
    assert store.documents.read(TRANSCRIPT).last_seq == 0
    assert store.documents.clients(TRANSCRIPT) == frozenset()
    assert store.sessions.find(session.id) is None
    assert store.sessions.voices(TRANSCRIPT) == ()
    assert store.passes.of(TRANSCRIPT) == ()
    assert store.passes.words(TRANSCRIPT, [session.live_pass]) == {session.live_pass: ()}


def test_other_transcripts_stay_when_one_is_deleted(store: Store) -> None:
    opened(store)
    lease = opened(store, OTHER)
    store.documents.append(lease, Batch(0, (b"a",)))

    store.library.delete(TRANSCRIPT)

    assert store.documents.read(OTHER).updates == (b"a",)


def test_text_that_no_encoder_takes_is_stored_all_the_same(store: Store) -> None:
    title = "a\0b\ud800c\U0001f600"

    store.library.create(TRANSCRIPT, started_ms=0, title=title)

    assert store.library.get(TRANSCRIPT).title == "a\ufffdb\ufffdc\U0001f600"
    with pytest.raises(UnknownTranscript):
        store.library.get("\0\ud800")
