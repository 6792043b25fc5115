"""Changes reach the storage in their order, and others only after it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server import commits as module
from server.commits import CHANGE_BYTES, MOST_WAITING_BYTES, Change, Commits
from server.errors import TranscriptError
from server.storage.errors import StorageUnavailable, UnknownTranscript
from server.storage.sessions import NewSession
from server.storage.values import Progress
from tests.server.editing import TRANSCRIPT, Storage, storage
from tests.server.storage.writing import chunk


def opened(stored: Storage) -> Commits:
    return Commits(stored.store, stored.threads, stored.store.documents.lease(TRANSCRIPT), 0)


@asynccontextmanager
async def running(commits: Commits) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(commits.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def updates(stored: Storage) -> tuple[bytes, ...]:
    return stored.store.documents.read(TRANSCRIPT).updates


async def test_changes_are_stored_before_others_hear_of_them(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        commits = opened(stored)
        heard: list[tuple[str, int]] = []
        for name in "abc":
            commits.add(
                Change(lambda n=name: heard.append((n, len(updates(stored)))), (name.encode(),))  # type: ignore[misc]  # mypy does not see the type of the default
            )
        async with running(commits):
            await commits.idle()

        assert heard == [("a", 3), ("b", 3), ("c", 3)]
        assert updates(stored) == (b"a", b"b", b"c")
        assert commits.last_seq == 3


async def test_what_changes_nothing_waits_for_what_was_added_before(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        commits = opened(stored)
        heard: list[int] = []
        commits.add(Change(lambda: None, (b"a",)))
        commits.add(Change(lambda: heard.append(len(updates(stored)))))
        async with running(commits):
            await commits.idle()
            commits.add(Change(lambda: heard.append(commits.last_seq)))
            await commits.idle()

        assert heard == [1, 1]


async def test_words_and_progress_are_stored_with_the_change(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        commits = opened(stored)
        lease = stored.store.documents.lease(TRANSCRIPT)
        session = stored.store.sessions.add(lease, NewSession("session1", 0))
        commits = Commits(stored.store, stored.threads, lease, 0)
        words, progress = chunk(session.live_pass, 0, " a"), Progress("session1", 3, 160)
        commits.add(Change(lambda: None, (b"a",), (words,), progress))
        async with running(commits):
            await commits.idle()

        found = stored.store.sessions.find("session1")
        assert found is not None
        assert found.applied_seq == 3
        heard = stored.store.passes.words(TRANSCRIPT, [session.live_pass])
        assert [word.text for word in heard[session.live_pass]] == [" a"]


async def test_nobody_is_listened_to_while_too_much_waits(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        commits = opened(stored)
        commits.add(Change(lambda: None, (bytes(MOST_WAITING_BYTES - CHANGE_BYTES),)))
        await commits.roomy()
        commits.add(Change(lambda: None))
        waiting = asyncio.create_task(commits.roomy())
        await asyncio.sleep(0)
        assert not waiting.done()

        async with running(commits):
            await waiting


async def test_answers_that_wait_take_room_too(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        commits = opened(stored)
        commits.add(Change(lambda: None, answer_bytes=MOST_WAITING_BYTES))
        waiting = asyncio.create_task(commits.roomy())
        await asyncio.sleep(0)

        assert not waiting.done()
        waiting.cancel()


@pytest.mark.slow
async def test_a_storage_that_is_locked_for_a_while_is_asked_again(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        commits = opened(stored)
        commits.add(Change(lambda: None, (b"a",)))
        async with running(commits):
            with stored.locked():
                await asyncio.sleep(0.4)  # longer than one attempt takes
                assert commits.last_seq == 0
            await commits.idle()

        assert updates(stored) == (b"a",)


@pytest.mark.slow
async def test_a_storage_that_stays_locked_ends_the_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 2)
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    with storage(tmp_path) as stored:
        commits = opened(stored)
        heard: list[bytes] = []
        commits.add(Change(lambda: heard.append(b"a"), (b"a",)))
        async with running(commits) as task:
            with stored.locked(), pytest.raises(StorageUnavailable):
                await task

        assert (heard, updates(stored)) == ([], ())


async def test_a_transcript_that_was_deleted_ends_the_commits(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        commits = opened(stored)
        stored.store.library.delete(TRANSCRIPT)
        commits.add(Change(lambda: None, (b"a",)))
        async with running(commits) as task:
            with pytest.raises(UnknownTranscript):
                await task


async def test_a_document_that_failed_is_not_committed(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        commits = opened(stored)
        commits.add(Change(lambda: None, (b"a",)))
        commits.fail(TranscriptError("broken"))
        async with running(commits) as task:
            with pytest.raises(TranscriptError, match="broken"):
                await task

        assert updates(stored) == ()


async def test_what_is_added_while_others_hear_is_committed_too(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        commits = opened(stored)
        commits.add(Change(lambda: commits.add(Change(lambda: None, (b"b",))), (b"a",)))
        async with running(commits):
            await commits.idle()

        assert updates(stored) == (b"a", b"b")
