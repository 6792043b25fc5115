"""What a server had not described when it was killed is found after the next start."""

from pathlib import Path

import pytest

from offline.domain import PassId, Segment
from offline.edits import InsertText
from server.describing import catch_up
from server.storage.store import Store
from server.storage.values import Batch, Lease
from server.transcript import Transcript
from tests.server.editing import TRANSCRIPT, open_rooms, storage, until
from tests.server.storage.writing import OTHER, chunk, joined
from tests.server.talking import running


def speak(store: Store, lease: Lease) -> None:
    """Store what was said, as a server does that is killed right after."""
    session, writer = joined(store, lease), Transcript(7)
    begun = writer.begin(title="Planning", language="en")
    said = writer.write([InsertText(0, "haystack", Segment(PassId("1"), 0, 1))])
    assert begun is not None
    assert said is not None
    words = chunk(session.live_pass, 0, "haystack")
    store.documents.append(lease, Batch(0, (begun, said), (words,)))


def found(store: Store) -> list[tuple[str, int]]:
    listed = store.library.page(query="haystack").transcripts
    return [(each.id, each.duration_ms) for each in listed]


async def test_what_nobody_described_is_described(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        lease = stored.store.documents.lease(TRANSCRIPT)
        speak(stored.store, lease)

        await catch_up(stored.store, stored.threads)

        assert found(stored.store) == [(TRANSCRIPT, 100)]
        assert stored.store.documents.is_newest(lease)  # whoever has it open keeps it
        assert stored.store.library.next_undescribed() is None


async def test_one_that_cannot_be_read_keeps_no_other_from_being_described(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with storage(tmp_path) as stored:
        stored.store.library.create("a-broken-one", started_ms=0)
        broken = stored.store.documents.lease("a-broken-one")
        stored.store.documents.append(broken, Batch(0, (b"no update",)))
        speak(stored.store, stored.store.documents.lease(TRANSCRIPT))

        await catch_up(stored.store, stored.threads)

        assert found(stored.store) == [(TRANSCRIPT, 100)]
        assert caplog.messages == ["document not described"]


async def test_a_room_describes_what_was_not_described_before_it(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, opened):
        speak(stored.store, stored.store.documents.lease(TRANSCRIPT))
        async with opened.enter(TRANSCRIPT):
            assert found(stored.store) == []
        await until(lambda: found(stored.store) == [(TRANSCRIPT, 100)])


@pytest.mark.slow
async def test_a_server_describes_at_its_start_what_the_last_one_did_not(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with Store(f"sqlite:///{tmp_path / 'data' / 'transcripts.sqlite'}") as store:
        store.library.create(OTHER, started_ms=0)
        speak(store, store.documents.lease(OTHER))
        async with running(tmp_path, "[]"):
            await until(lambda: found(store) == [(OTHER, 100)])
