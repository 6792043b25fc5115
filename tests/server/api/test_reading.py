"""Documents that are read: as they are committed, and without writing anything."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.server.api.asking import ask, made, spoken
from tests.server.editing import editing, until
from tests.server.talking import Running, running, talk
from tests.server.test_sync_outages import locking


def written(server: Running) -> list[object]:
    """Return what opening a room writes."""
    database = sqlite3.connect(server.data_dir / "transcripts.sqlite")
    try:
        clients = database.execute("SELECT count(*) FROM clients").fetchall()
        return clients + database.execute("SELECT id, lease, last_seq FROM transcripts").fetchall()
    finally:
        database.close()


@pytest.mark.slow
async def test_a_transcript_that_nobody_has_open_is_read_from_a_locked_database(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, talk(4)) as server:
        path = await spoken(server, 3.0)
        shown = [
            (await ask(server, "GET", f"{path}{what}")).content
            for what in ("/turns", "/export?format=txt")
        ]
    async with running(tmp_path, talk(4)) as server:
        before = written(server)
        async with locking(server):
            about = await ask(server, "GET", path)
            read = [
                await ask(server, "GET", f"{path}{what}")
                for what in ("/turns", "/export?format=txt", "/words")
            ]

        assert [reply.status for reply in (about, *read)] == [200] * 4
        assert [reply.content for reply in read[:2]] == shown
        assert b"w1" in shown[0]
        assert written(server) == before


async def test_a_transcript_that_nobody_ever_opened_has_its_title(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server, title="Planning", language="de")
        before = written(server)
        about = (await ask(server, "GET", path)).json
        turns = (await ask(server, "GET", f"{path}/turns")).json

        assert (about["title"], about["language"], turns["turns"]) == ("Planning", "de", [])
        assert written(server) == before


@pytest.mark.slow
async def test_nothing_is_shown_that_is_not_committed(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        transcript = path.rpartition("/")[2]
        async with editing(server, transcript) as editor:
            await editor.write(0, "kept ")
            room = server.app._lifecycle.serving().rooms.present(transcript)
            assert room is not None
            await room.idle()
            async with locking(server):
                editor.text.insert(0, "lost ")
                await editor.flush()
                await until(lambda: "lost" in room.transcript.text)
                before = await ask(server, "GET", f"{path}/export?format=txt")
            await room.idle()
            after = await ask(server, "GET", f"{path}/export?format=txt")

    assert (before.status, after.status) == (200, 200)
    assert b"kept" in before.content
    assert b"lost" not in before.content
    assert b"lost kept" in after.content
