"""A full disk or a locked database loses nothing that was written, and it goes on after."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from server import commits
from server.storage.database import CONNECTIONS
from tests.server.api.asking import ask, made
from tests.server.editing import (
    TRANSCRIPT,
    editing,
    store_of,
    stored_text,
    transcribing,
)
from tests.server.talking import Running, running, samples, talk, talking

HOLD = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def locking(server: Running) -> AsyncIterator[None]:
    """Let another process lock the database."""
    other = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", HOLD, str(server.data_dir / "transcripts.sqlite")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert other.stdout is not None
    assert await other.stdout.readline() == b"locked\n"
    try:
        yield
    finally:
        await other.communicate(b"")  # which ends it


@contextmanager
def impatient(server: Running) -> Iterator[None]:
    """Have the storage give up soon."""
    with each_connection(server, "PRAGMA busy_timeout=50"):
        yield


@contextmanager
def full(server: Running) -> Iterator[None]:
    """Have SQLite find its disk full: not another page is to be had."""
    with each_connection(server, "PRAGMA max_page_count=1"):
        yield
    # It stays with the connections.
    engine_of(server).dispose()


@contextmanager
def each_connection(server: Running, statement: str) -> Iterator[None]:
    def prepare(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(statement)

    with nobody_connected(server):
        event.listen(engine_of(server), "checkout", prepare)
    try:
        yield
    finally:
        with nobody_connected(server):
            event.remove(engine_of(server), "checkout", prepare)


@contextmanager
def nobody_connected(server: Running) -> Iterator[None]:
    """Take all connections: who checks one out meanwhile would find the listeners changing."""
    with ExitStack() as taken:
        for _ in range(CONNECTIONS):
            taken.enter_context(closing(engine_of(server).raw_connection()))
        yield


def engine_of(server: Running) -> Engine:
    return store_of(server)._database._engine


@pytest.mark.slow
async def test_who_comes_while_the_database_is_locked_is_told_to_come_again(
    tmp_path: Path,
) -> None:
    async with transcribing(tmp_path) as server:
        with impatient(server):
            async with locking(server), editing(server, TRANSCRIPT) as editor:
                pass
        assert editor.code == 1013

        async with editing(server, TRANSCRIPT, editor):
            await editor.write(0, "later")


@pytest.mark.slow
async def test_a_full_disk_loses_nothing_that_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "RETRY_S", 0.01)
    async with transcribing(tmp_path) as server:
        async with (
            editing(server, TRANSCRIPT) as ada,
            editing(server, TRANSCRIPT) as bob,
        ):
            await ada.write(0, "before ")
            await bob.until_says("before")
            with full(server):
                ada.text.insert(7, 8_000 * "after ")
                await ada.flush()
                await ada.until(lambda: ada.code != -1)
                await bob.until(lambda: bob.code != -1)
            assert ada.code == bob.code == 1013
            assert str(bob.text) == "before "  # nobody saw what is not kept

        async with editing(server, TRANSCRIPT, ada), editing(server, TRANSCRIPT, bob):
            await bob.until(lambda: str(bob.text) == "before " + 8_000 * "after ")
        assert stored_text(server) == str(bob.text)


@pytest.mark.slow
async def test_a_database_that_is_locked_for_three_seconds_delays_only(tmp_path: Path) -> None:
    async with (
        transcribing(tmp_path) as server,
        editing(server, TRANSCRIPT) as ada,
        editing(server, TRANSCRIPT) as bob,
    ):
        async with locking(server):
            ada.text.insert(0, "late")
            await ada.flush()
            await asyncio.sleep(3.0)
            assert str(bob.text) == ""
        await bob.until_says("late")

        assert ada.code == bob.code == -1


@pytest.mark.slow
async def test_a_database_that_stays_locked_loses_no_edit_and_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "RETRY_S", 0.01)
    monkeypatch.setattr("server.transcripts.RETRY_S", 0.1)
    async with transcribing(tmp_path) as server, talking(server) as client:
        await client.start(language="en", transcript=TRANSCRIPT)
        await client.stream(samples(3.0))
        async with editing(server, TRANSCRIPT) as ada, editing(server, TRANSCRIPT) as bob:
            await bob.until_says("w0")
            with impatient(server):
                async with locking(server):
                    await client.stream(samples(3.0), at=48_000)
                    ada.text.insert(0, "EDIT ")
                    await ada.flush()
                    await ada.until(lambda: ada.code != -1)
                    await bob.until(lambda: bob.code != -1)
                    async with editing(server, TRANSCRIPT, bob):
                        pass
            assert ada.code == bob.code == 1013
            assert "EDIT" not in str(bob.text)

        async with editing(server, TRANSCRIPT, ada), editing(server, TRANSCRIPT, bob):
            await bob.until_says("EDIT")
            await client.stream(samples(3.0), at=96_000)
            await client.send("end")
            assert await client.closed() == 1000
            await bob.until_says("w7")
        words = stored_text(server).replace("EDIT", "").split()
        assert words == [f"w{number}" for number in range(8)]


@pytest.mark.slow
async def test_who_waits_for_a_locked_database_holds_up_no_audio(tmp_path: Path) -> None:
    async with running(tmp_path, talk(2)) as server:
        paths = [await made(server) for _ in range(8)]
        async with locking(server):
            waiting = [
                asyncio.create_task(ask(server, "PATCH", path, {"title": "Later"}))
                for path in paths
            ]
            async with talking(server) as client:
                await client.start(language="en")
                await client.stream(samples(1.0))
                await client.send("end")
                assert await client.closed() == 1000
            assert not any(each.done() for each in waiting)
        replies = await asyncio.gather(*waiting)

    assert [reply.status for reply in replies] == [200] * 8
