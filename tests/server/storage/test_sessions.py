"""Sessions in transcripts, how far each is, and who its voices are."""

import pytest

from offline.domain import PassId, SpeakerId
from server.storage.errors import Conflict, StaleWriter, UnknownTranscript
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.storage.values import Batch, PassKind, PassState, Progress, Session, Voice
from tests.server.storage.writing import OTHER, START_MS, TRANSCRIPT, joined, opened


def test_a_session_is_found_by_its_id_and_by_its_transcript(store: Store) -> None:
    lease = opened(store)

    first = store.sessions.add(lease, NewSession("session1", 0, "Laptop", "Ada"))
    second = store.sessions.add(lease, NewSession("session0", 90_000))

    assert first == Session(
        id="session1",
        transcript=TRANSCRIPT,
        live_pass=PassId("1"),
        utterance_pass=PassId("2"),
        offset_ms=0,
        samples=0,
        applied_seq=0,
        microphone="Laptop",
        person="Ada",
        created_ms=START_MS + 2000,
    )
    assert (second.live_pass, second.utterance_pass) == ("3", "4")
    assert store.sessions.find("session1") == first
    assert store.sessions.of(TRANSCRIPT) == (first, second)
    assert store.sessions.find("nobody") is None
    assert store.sessions.of(OTHER) == ()


def test_a_session_brings_two_passes(store: Store) -> None:
    session = joined(store, opened(store))

    live, utterance = store.passes.of(TRANSCRIPT)

    assert (live.id, live.kind) == (session.live_pass, PassKind.LIVE)
    assert (utterance.id, utterance.kind) == (session.utterance_pass, PassKind.UTTERANCE)
    assert live.session == utterance.session == session.id
    assert live.state is utterance.state is PassState.OPEN


def test_a_session_is_in_one_transcript_only(store: Store) -> None:
    joined(store, opened(store))

    with pytest.raises(Conflict, match="expected a new key"):
        joined(store, opened(store, OTHER))

    assert store.passes.of(OTHER) == ()


def test_progress_is_kept_and_never_goes_backwards(store: Store) -> None:
    lease = opened(store)
    joined(store, lease)
    store.documents.append(lease, Batch(0, progress=(Progress("session1", 7, 16_000),)))
    store.documents.append(lease, Batch(0, progress=(Progress("session1", 7, 32_000),)))

    with pytest.raises(Conflict, match="that is not further, got event 6"):
        store.documents.append(lease, Batch(0, progress=(Progress("session1", 6, 48_000),)))

    session = store.sessions.find("session1")
    assert session is not None
    assert (session.applied_seq, session.samples) == (7, 32_000)


def test_progress_of_a_session_elsewhere_is_refused(store: Store) -> None:
    joined(store, opened(store))
    other = opened(store, OTHER)

    with pytest.raises(Conflict):
        store.documents.append(other, Batch(0, progress=(Progress("session1", 1, 1),)))


def test_each_new_voice_is_the_next_speaker(store: Store) -> None:
    lease = opened(store)
    joined(store, lease)
    joined(store, lease, "session2")

    first = store.sessions.add_voice(lease, "session1", "S1")
    same_label = store.sessions.add_voice(lease, "session2", "S1")

    assert first == Voice("session1", "S1", SpeakerId("s1"))
    assert same_label.speaker == "s2"
    assert store.sessions.add_voice(lease, "session1", "S1") == first
    assert store.sessions.add_voice(lease, "session1", "S2").speaker == "s3"


def test_one_speaker_may_be_heard_by_two_sessions(store: Store) -> None:
    lease = opened(store)
    joined(store, lease)
    joined(store, lease, "session2")
    store.sessions.add_voice(lease, "session1", "S1")

    known = store.sessions.add_voice(lease, "session2", "S4", SpeakerId("s1"))

    assert known.speaker == "s1"
    assert store.sessions.add_voice(lease, "session2", "S5").speaker == "s2"


def test_a_voice_may_turn_out_to_be_somebody_else(store: Store) -> None:
    lease = opened(store)
    joined(store, lease)
    kept = store.sessions.add_voice(lease, "session1", "S1")
    store.sessions.add_voice(lease, "session1", "S2")
    changed = Voice("session1", "S2", SpeakerId("s1"), b"\0\xff")

    assert store.sessions.keep_print(lease, "session1", "S2", b"\0\xff")
    store.sessions.unite(lease, SpeakerId("s2"), SpeakerId("s1"))

    assert store.sessions.voices(TRANSCRIPT) == (kept, changed)
    assert store.sessions.voices(OTHER) == ()


def test_voices_belong_to_sessions_of_the_transcript(store: Store) -> None:
    joined(store, opened(store))
    other = opened(store, OTHER)

    with pytest.raises(Conflict, match=f"session1: expected a session of {OTHER}"):
        store.sessions.add_voice(other, "session1", "S1")
    with pytest.raises(Conflict, match="expected a session of"):
        store.sessions.keep_print(other, "nobody", "S1", b"")


def test_only_speakers_of_one_transcript_become_one(store: Store) -> None:
    lease, other = opened(store), opened(store, OTHER)
    for each, session in ((lease, "session1"), (other, "session2")):
        joined(store, each, session)
        store.sessions.add_voice(each, session, "S1")

    store.sessions.unite(lease, SpeakerId("s1"), SpeakerId("s9"))

    assert [voice.speaker for voice in store.sessions.voices(TRANSCRIPT)] == ["s9"]
    assert [voice.speaker for voice in store.sessions.voices(OTHER)] == ["s1"]


def test_a_print_is_kept_of_a_voice_that_was_added(store: Store) -> None:
    lease = opened(store)
    joined(store, lease)

    assert not store.sessions.keep_print(lease, "session1", "S1", b"print")
    assert store.sessions.voices(TRANSCRIPT) == ()


def test_only_the_newest_lease_changes_sessions(store: Store) -> None:
    old = opened(store)
    joined(store, old)
    new = store.documents.lease(TRANSCRIPT)
    voice = store.sessions.add_voice(new, "session1", "S1")

    with pytest.raises(StaleWriter):
        joined(store, old, "session2")
    with pytest.raises(StaleWriter):
        store.sessions.add_voice(old, "session1", "S1")
    with pytest.raises(StaleWriter):
        store.sessions.keep_print(old, "session1", "S1", b"print")
    with pytest.raises(StaleWriter):
        store.sessions.unite(old, voice.speaker, SpeakerId("s2"))

    store.library.delete(TRANSCRIPT)
    with pytest.raises(UnknownTranscript):
        joined(store, new, "session2")
