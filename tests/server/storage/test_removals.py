"""Which sessions were deleted is known until their recordings are gone, and nothing else is."""

from pathlib import Path

from sqlalchemy import select

from server.storage.store import Store
from server.storage.tables import removals
from server.storage.values import Batch, Description, Lease
from tests.server.storage.writing import OTHER, TRANSCRIPT, Clock, chunk, joined, opened


def test_the_sessions_of_a_deleted_transcript_are_known_until_they_are_forgotten(
    store: Store, clock: Clock
) -> None:
    lease, other = opened(store), opened(store, OTHER)
    for session in ("session1", "session2"):
        joined(store, lease, session)
    joined(store, other, "session3")
    assert store.removals.all() == ()

    assert set(store.library.delete(TRANSCRIPT)) == {"session1", "session2"}

    assert store.removals.all() == ("session1", "session2")
    store.removals.forget(["session1"], clock.ms)
    assert store.removals.all() == ("session1", "session2")
    store.removals.forget(["session1"], clock.ms + 1)
    assert store.removals.all() == ("session2",)
    store.removals.forget([], clock.ms + 1)
    assert store.removals.all() == ("session2",)


def speak(store: Store, lease: Lease, *words: str) -> None:
    """Have words in every table that holds any."""
    session = joined(store, lease, f"session{len(words)}")
    said = " ".join(words)
    batch = Batch(0, (said.encode(),), (chunk(session.live_pass, 0, *words),))
    store.documents.append(lease, batch)
    store.documents.append(lease, Batch(1, (said.encode(),)))
    store.documents.compact(lease, said.encode(), 1)
    description = Description(said, "en", said, speakers=1, duration_ms=1)
    store.library.describe(lease.transcript, description, seq=2)


def test_no_word_of_a_deleted_transcript_is_left_in_the_files(tmp_path: Path) -> None:
    def files() -> bytes:
        return b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()))

    # Enough of them that there are pages which nothing else reuses.
    gone = [f"{number}zanzibar{number}" for number in range(3_000)]
    with Store(f"sqlite:///{tmp_path / 'trax.db'}") as store:
        speak(store, opened(store, OTHER), "tanganyika")
        speak(store, opened(store), *gone)
        assert b"zanzibar" in files()

        store.library.delete(TRANSCRIPT)
        assert b"zanzibar" in files()
        store.removals.scrub()

        assert b"zanzibar" not in files()
        assert [each.id for each in store.library.page(query="tangan").transcripts] == [OTHER]
        store.removals.scrub()
    assert b"tanganyika" in files()


def test_what_is_read_meanwhile_does_not_stop_a_removal(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'trax.db'}", wait_ms=50) as store:
        speak(store, opened(store), "zanzibar")
        with store.library._database.reading() as connection:
            connection.execute(select(removals)).all()
            store.library.delete(TRANSCRIPT)
            store.removals.scrub()
        store.removals.scrub()

        assert (tmp_path / "trax.db-wal").stat().st_size == 0
