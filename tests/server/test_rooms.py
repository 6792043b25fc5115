"""Rooms open for whoever comes, close behind the last, and keep nothing that is not committed."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from offline.domain import PassId, Segment
from offline.edits import InsertText
from server import commits, rooms
from server.errors import RoomClosed, TranscriptError
from server.mailbox import Dismissal, Mailbox
from server.rooms import DELETED, FAILED, RESTART, STORAGE_FAILED
from server.storage.errors import StorageUnavailable, UnknownTranscript
from server.storage.values import Batch, Lease
from server.transcript import Transcript
from tests.server.editing import TRANSCRIPT, Storage, open_rooms, until, write

UNREAD_BYTES = 1024 * 1024


def insert(transcript: Transcript, text: str) -> bytes:
    """Write at the start; return the update."""
    update = transcript.write([InsertText(0, text, Segment(PassId("1"), 0, 1))])
    assert update is not None
    return update


def log_length(stored: Storage) -> int:
    return len(stored.store.documents.read(TRANSCRIPT).updates)


async def sent_away(mailbox: Mailbox) -> Dismissal | None:
    async with asyncio.timeout(60):
        await mailbox.dismissed()
    return mailbox.dismissal


async def test_a_new_document_begins_with_what_is_known_of_it(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, opened):
        async with opened.enter(TRANSCRIPT) as room:
            await room.idle()

        assert stored.written().meta("title") == "Planning"
        assert stored.written().meta("schema") == "1"


async def test_all_who_come_at_once_are_in_one_room(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, opened), AsyncExitStack() as stack:
        entering = [stack.enter_async_context(opened.enter(TRANSCRIPT)) for _ in range(5)]
        entered = await asyncio.gather(*entering)

        assert len(set(map(id, entered))) == 1
        assert stored.store.documents.lease(TRANSCRIPT).number == 2  # one was taken before


async def test_an_unknown_transcript_has_no_room(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (_, opened):
        with pytest.raises(UnknownTranscript):
            await opened.enter("unknown").__aenter__()

        assert not opened._open


async def test_a_document_that_cannot_be_read_has_no_room(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, opened):
        lease = stored.store.documents.lease(TRANSCRIPT)
        stored.store.documents.append(lease, Batch(0, (b"no update",)))

        with pytest.raises(TranscriptError):
            await opened.enter(TRANSCRIPT).__aenter__()

        assert not opened._open


async def test_a_schema_that_an_editor_wrote_is_put_right(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (_, opened):
        async with opened.enter(TRANSCRIPT) as room:
            room.commit(room.transcript.put_meta("title", "Ours"))
            room.commit(room.transcript.put_meta("schema", "99"))
        await until(lambda: not opened._open)

        async with opened.enter(TRANSCRIPT) as room:
            assert (room.transcript.meta("schema"), room.transcript.meta("title")) == ("1", "Ours")


async def test_an_empty_room_is_freed_and_its_log_is_short(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, opened):
        async with opened.enter(TRANSCRIPT) as room:
            for number in range(5):
                room.commit(insert(room.transcript, f"{number}"))
            assert not opened._closing
        await until(lambda: not opened._open)

        assert log_length(stored) == 0
        assert stored.written().text == "43210"
        await until(lambda: not opened._closing)
        assert not opened._locks


@pytest.mark.slow
async def test_who_comes_back_soon_finds_the_room_open(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, linger_s=0.05) as (_, opened):
        async with opened.enter(TRANSCRIPT) as before:
            pass
        async with opened.enter(TRANSCRIPT) as room:
            await until(lambda: not opened._closing)
            assert room is before
        await until(lambda: not opened._open)


async def test_a_room_is_kept_for_a_while_after_the_last_left(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, linger_s=0.01) as (_, opened):
        async with opened.enter(TRANSCRIPT) as before:
            pass
        (leaving,) = opened._closing
        await asyncio.sleep(0)  # It begins to wait.
        opened._linger_s = 60.0
        async with opened.enter(TRANSCRIPT):
            pass
        await leaving

        async with opened.enter(TRANSCRIPT) as room:
            assert room is before


async def test_who_comes_while_a_room_closes_gets_a_new_one(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (_, opened):
        async with opened.enter(TRANSCRIPT) as before:
            before.commit(insert(before.transcript, "said"))
        while not opened._lock(TRANSCRIPT).locked():  # noqa: ASYNC110 - it is only for a moment
            await asyncio.sleep(0)
        async with opened.enter(TRANSCRIPT) as room:
            assert room is not before
            assert room.transcript.text == "said"


async def test_a_room_that_was_closed_has_no_lease(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (_, opened):
        async with opened.enter(TRANSCRIPT):
            assert opened.lease(TRANSCRIPT) == Lease(TRANSCRIPT, 1)
        await until(lambda: not opened._open)

        with pytest.raises(RoomClosed):
            opened.lease(TRANSCRIPT)


async def test_a_deleted_transcript_sends_everybody_away(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (_, opened):
        async with opened.enter(TRANSCRIPT) as room:
            mailbox = Mailbox(UNREAD_BYTES)
            room.join(mailbox, writes=True)
            closed = asyncio.create_task(opened.closed(TRANSCRIPT, room))
            await opened.delete(TRANSCRIPT)

            assert mailbox.dismissal == DELETED
            await closed
            await opened.closed(TRANSCRIPT, room)  # at once, as it is closed already
            with pytest.raises(UnknownTranscript):
                await opened.enter(TRANSCRIPT).__aenter__()
        with pytest.raises(UnknownTranscript):
            await opened.delete(TRANSCRIPT)


async def test_a_closed_transcript_can_be_deleted(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, opened):
        await opened.delete(TRANSCRIPT)

        with pytest.raises(UnknownTranscript):
            stored.store.library.get(TRANSCRIPT)


async def test_what_another_program_deletes_is_noticed_with_the_next_change(
    tmp_path: Path,
) -> None:
    async with open_rooms(tmp_path) as (stored, opened), opened.enter(TRANSCRIPT) as room:
        mailbox = Mailbox(UNREAD_BYTES)
        room.join(mailbox, writes=True)
        await room.idle()
        stored.store.library.delete(TRANSCRIPT)
        room.commit(insert(room.transcript, "late"))

        assert await sent_away(mailbox) == DELETED


@pytest.mark.slow
async def test_a_storage_that_fails_closes_the_room_and_forgets_what_is_not_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(commits, "ATTEMPTS", 1)
    async with open_rooms(tmp_path) as (stored, opened), opened.enter(TRANSCRIPT) as room:
        await room.idle()
        mailbox = Mailbox(UNREAD_BYTES)
        room.join(mailbox, writes=True)
        with stored.locked():
            room.commit(insert(room.transcript, "lost"))
            assert await sent_away(mailbox) == STORAGE_FAILED
            with pytest.raises(StorageUnavailable):
                await opened.enter(TRANSCRIPT).__aenter__()
        async with opened.enter(TRANSCRIPT) as again:
            assert again.transcript.text == ""
            assert again is not room
    assert [record.getMessage() for record in caplog.records] == ["room closed"]


async def test_a_room_that_another_server_took_over_lets_go(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, opened), opened.enter(TRANSCRIPT) as room:
        await room.idle()
        mailbox = Mailbox(UNREAD_BYTES)
        room.join(mailbox, writes=True)
        stored.store.documents.lease(TRANSCRIPT)
        room.commit(insert(room.transcript, "late"))

        assert await sent_away(mailbox) == STORAGE_FAILED


async def test_a_room_whose_members_cannot_be_told_is_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_rooms(tmp_path) as (_, opened), opened.enter(TRANSCRIPT) as room:
        mailbox = Mailbox(UNREAD_BYTES)
        room.join(mailbox, writes=True)

        def then() -> None:
            raise OverflowError("nobody can be told")

        room._commits.add(commits.Change(then))

        assert await sent_away(mailbox) == FAILED
    assert "nobody can be told" in caplog.text


async def test_compaction_stores_nothing_that_is_not_committed(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, opened), opened.enter(TRANSCRIPT) as room:
        await room.idle()
        room.commit(insert(room.transcript, "committed"))
        await room.idle()
        with stored.locked():
            insert(room.transcript, "not ")
            shortening = asyncio.create_task(opened._compact(TRANSCRIPT, opened._open[TRANSCRIPT]))
            await asyncio.sleep(0.05)
        await shortening

        assert stored.written().text == "committed"
        assert log_length(stored) == 0


async def test_a_long_log_is_compacted_while_the_room_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "SILENCE_CHECK_S", 0.01)
    monkeypatch.setattr(rooms, "COMPACT_AFTER", 20)
    async with open_rooms(tmp_path) as (stored, opened), opened.enter(TRANSCRIPT) as room:
        for _ in range(30):
            room.commit(insert(room.transcript, "a"))
        await room.idle()
        await until(lambda: log_length(stored) < 20)
        room.commit(insert(room.transcript, "b"))
        await room.idle()

        assert stored.written().text == "b" + 30 * "a"


async def test_a_log_that_was_left_long_counts_when_the_room_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "SILENCE_CHECK_S", 0.01)
    monkeypatch.setattr(rooms, "COMPACT_AFTER", 5)
    async with open_rooms(tmp_path) as (stored, opened):
        writer = Transcript(7)
        lease = stored.store.documents.lease(TRANSCRIPT)
        log = tuple(insert(writer, str(number)) for number in range(6))
        stored.store.documents.append(lease, Batch(0, log))
        async with opened.enter(TRANSCRIPT) as room:
            await until(lambda: log_length(stored) < 5)
            assert room.transcript.text == "543210"


async def test_a_document_that_cannot_be_compacted_stays_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_rooms(tmp_path) as (stored, opened), opened.enter(TRANSCRIPT) as room:
        room.commit(insert(room.transcript, "a"))
        await room.idle()
        with stored.locked():
            await opened._compact(TRANSCRIPT, opened._open[TRANSCRIPT])

        assert stored.written().text == "a"
        assert caplog.messages == ["document not compacted"]


async def test_what_a_document_says_is_found_while_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rooms, "SILENCE_CHECK_S", 0.01)
    monkeypatch.setattr(rooms, "DESCRIBE_EVERY_S", 0.02)
    async with open_rooms(tmp_path) as (stored, opened), opened.enter(TRANSCRIPT) as room:
        title = stored.store.library.get(TRANSCRIPT).title
        room.commit(room.transcript.put_meta("title", "Plans"))
        await until(lambda: stored.store.library.get(TRANSCRIPT).title == "Plans")
        room.commit(room.transcript.put_meta("title", "More plans"))
        await room.idle()
        with stored.locked():
            await until(lambda: "document not described" in caplog.messages)
        await until(lambda: stored.store.library.get(TRANSCRIPT).title == "More plans")

        assert title == "Planning"


async def test_a_room_that_nobody_can_look_after_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "SILENCE_CHECK_S", 0.01)
    async with open_rooms(tmp_path) as (_, opened), opened.enter(TRANSCRIPT) as room:
        mailbox = Mailbox(UNREAD_BYTES)
        room.join(mailbox, writes=True)

        def clock() -> float:
            raise OverflowError("no time left")

        room._clock = clock

        assert await sent_away(mailbox) == FAILED


async def test_a_room_whose_storage_fails_while_it_closes_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "ATTEMPTS", 1)
    async with open_rooms(tmp_path) as (stored, opened):
        async with opened.enter(TRANSCRIPT) as room:
            await room.idle()
            lock = stored.locked()
            lock.__enter__()
            room.commit(insert(room.transcript, "lost"))
        await until(lambda: not opened._open)
        lock.__exit__(None, None, None)

        assert stored.written().text == ""


async def test_members_who_fell_silent_are_not_shown_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "SILENCE_CHECK_S", 0.01)
    async with open_rooms(tmp_path) as (_, opened), opened.enter(TRANSCRIPT) as room:
        room.show("session1", {"text": " hm"})
        shown = room._presence.everybody()
        room._clock = lambda: asyncio.get_running_loop().time() + 3600.0
        await until(lambda: room._presence.everybody() != shown)


async def test_a_stop_commits_everything_and_sends_everybody_away(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, linger_s=60.0) as (stored, opened):
        stored.store.library.create("other", started_ms=0)
        async with opened.enter("other") as lingering:
            lingering.commit(insert(lingering.transcript, "there"))
        async with opened.enter(TRANSCRIPT) as room:
            mailbox = Mailbox(UNREAD_BYTES)
            room.join(mailbox, writes=True)
            room.commit(insert(room.transcript, "here"))
            async with asyncio.timeout(60):
                await opened.aclose()

            assert mailbox.dismissal == RESTART
            assert not opened._open
        assert stored.written().text == "here"
        assert stored.written("other").text == "there"


async def test_a_room_that_is_being_opened_does_not_outlive_a_stop(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (_, opened):
        entering = asyncio.create_task(opened.enter(TRANSCRIPT).__aenter__())
        await asyncio.sleep(0)
        await opened.aclose()

        with pytest.raises(RoomClosed):
            await entering
        with pytest.raises(RoomClosed):
            await opened.enter(TRANSCRIPT).__aenter__()
        assert not opened._open


async def test_who_gives_up_while_a_room_is_opened_leaves_nothing_behind(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (_, opened):
        entering = asyncio.create_task(opened.enter(TRANSCRIPT).__aenter__())
        await asyncio.sleep(0)
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering

        async with opened.enter(TRANSCRIPT) as room:
            room.commit(insert(room.transcript, "a"))
            await room.idle()


async def test_a_transcript_is_not_deleted_while_it_is_being_opened(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (_, opened):
        entering = asyncio.create_task(opened.enter(TRANSCRIPT).__aenter__())
        await asyncio.sleep(0)
        await opened.delete(TRANSCRIPT)
        room = await entering
        mailbox = Mailbox(UNREAD_BYTES)
        room.join(mailbox, writes=True)

        assert not opened._open
        await opened.closed(TRANSCRIPT, room)


async def test_a_document_is_found_by_what_it_says_once_it_is_closed(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, opened):
        async with opened.enter(TRANSCRIPT) as room:
            room.commit(room.transcript.put_meta("title", "Budget"))
            await write(room, InsertText(0, "we need more herring", Segment(PassId("1"), 0, 4)))
        await until(lambda: stored.store.library.page(query="herring").transcripts != ())

        found = stored.store.library.page(query="herring").transcripts
        assert [(each.id, each.title) for each in found] == [(TRANSCRIPT, "Budget")]
