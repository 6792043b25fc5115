"""Documents of earlier versions become ones of this version; newer ones are left alone."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest

from server import schema as module
from server.errors import UnsupportedSchema
from server.schema import SCHEMA, steps_from
from server.storage.store import Store
from server.storage.values import Batch, Document
from server.transcript import Transcript
from tests.server.api.asking import ask, made
from tests.server.editing import (
    TRANSCRIPT,
    editing,
    open_rooms,
    open_transcript,
    store_of,
    transcribing,
)
from tests.server.talking import running, talk, talking


def named(transcript: Transcript) -> None:
    """Call by its name what was called otherwise in version 0."""
    transcript.put_meta("title", transcript.meta("name") or "")


def proposed(transcript: Transcript) -> None:
    transcript.propose_name("s1", "Speaker 1")  # type: ignore[arg-type]  # a SpeakerId


def store_old(store: Store, version: int) -> None:
    """Store a document as a server of another version left it, and what an editor forged in it."""
    old = Transcript(7)
    updates = (old.put_meta("name", "Plans"), old.put_meta("schema", "99"))
    lease = store.documents.lease(TRANSCRIPT)
    batch = Batch(0, tuple(filter(None, updates)), schema=version)
    assert store.documents.append(lease, batch) == 2


def test_a_document_of_our_version_lacks_nothing() -> None:
    assert steps_from(SCHEMA) == []


@pytest.mark.parametrize("version", [SCHEMA + 1, -1])
def test_a_version_that_we_do_not_know_is_refused(version: int) -> None:
    with pytest.raises(UnsupportedSchema, match=f"version {SCHEMA} or older expected"):
        steps_from(version)


async def test_a_document_of_an_earlier_version_is_stored_as_one_of_ours_before_it_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEPS", MappingProxyType({-1: named, 0: proposed}))
    async with open_rooms(tmp_path) as (stored, opened):
        store_old(stored.store, -1)
        async with opened.enter(TRANSCRIPT) as room:
            migrated: Document = stored.store.documents.read(TRANSCRIPT)
            assert room.transcript.meta("title") == "Plans"
            assert set(room.transcript.speakers()) == {"s1"}
            assert room.transcript.client_id in stored.store.documents.clients(TRANSCRIPT)
            assert stored.written().state_vector() == room.transcript.state_vector()
        assert (migrated.schema, migrated.last_seq) == (SCHEMA, 3)
        assert stored.written().meta("schema") == str(SCHEMA)


async def test_a_document_of_our_version_is_not_written_when_it_is_opened(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, opened):
        async with opened.enter(TRANSCRIPT):
            before = stored.store.documents.read(TRANSCRIPT)
            await opened._close(TRANSCRIPT, opened._open[TRANSCRIPT])
        async with opened.enter(TRANSCRIPT):
            after = stored.store.documents.read(TRANSCRIPT)

    assert (before.schema, before.last_seq) == (SCHEMA, 1)
    assert after.last_seq == 1


@pytest.mark.slow
async def test_a_document_of_a_newer_version_is_refused_and_no_other(tmp_path: Path) -> None:
    async with transcribing(tmp_path) as server:
        store_old(store_of(server), SCHEMA + 1)
        before = store_of(server).documents.read(TRANSCRIPT)
        async with editing(server, TRANSCRIPT) as editor:
            await editor.until(lambda: editor.code != -1)
        async with talking(server) as client:
            await client.send("start", transcript=TRANSCRIPT)
            code, error = await client.refused()
        shown = await ask(server, "GET", f"/v1/transcripts/{TRANSCRIPT}")
        listed = await ask(server, "GET", "/v1/transcripts")
        other = (await made(server)).rpartition("/")[2]
        async with editing(server, other) as good:
            await good.write(0, "fine")

        assert store_of(server).documents.read(TRANSCRIPT) == before
    assert (editor.code, good.code) == (4415, 1000)
    assert f"version {SCHEMA} or older expected, got {SCHEMA + 1}" in editor.reason
    assert (code, error["code"]) == (4415, "unsupported")
    assert (shown.status, shown.code) == (501, "unsupported")
    assert listed.status == 200


async def test_the_version_is_kept_where_editors_cannot_write(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        open_transcript(server)
        async with editing(server, TRANSCRIPT) as editor:
            editor.map("meta")["schema"] = "99"
            await editor.flush()
            await editor.acknowledged()
        assert store_of(server).documents.read(TRANSCRIPT).schema == SCHEMA
