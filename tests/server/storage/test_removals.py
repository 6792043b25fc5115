"""Which sessions were deleted is known until their recordings are gone."""

from server.storage.store import Store
from tests.server.storage.writing import OTHER, TRANSCRIPT, Clock, joined, opened


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
