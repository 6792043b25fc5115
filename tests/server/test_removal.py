"""Recordings of deleted transcripts go, whatever happens meanwhile; no others do."""

from __future__ import annotations

from pathlib import Path

import pytest

from server import sessions
from server.audio_store import AudioStore
from server.errors import AudioStoreError
from server.recordings import Archive, Manifest, Recording
from tests.server.api.asking import ask, spoken
from tests.server.editing import TRANSCRIPT, open_transcript, rooms_of, store_of, until
from tests.server.talking import Running, running, samples, talk, talking


def recorded(server: Running) -> set[str]:
    """Return the sessions that are on disk."""
    return {folder.name for folder in (server.data_dir / "sessions").iterdir()}


async def delete_half(server: Running, path: str) -> None:
    """Delete a transcript as a server that dies before its recordings are removed."""
    await rooms_of(server).delete(path.rpartition("/")[2])


@pytest.mark.slow
async def test_what_a_dying_server_left_of_a_deleted_transcript_goes_at_the_next_start(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, talk(2), resume_ms=0) as server:
        deleted, kept = await spoken(server, 1.0), await spoken(server, 1.0)
        (of_kept,) = store_of(server).sessions.of(kept.rpartition("/")[2])
        async with talking(server) as client:
            in_none = await client.start()
        await delete_half(server, deleted)
        assert len(recorded(server)) == 3
    async with running(tmp_path, talk(2)) as server:
        await until(lambda: len(recorded(server)) == 2)

        assert recorded(server) == {of_kept.id, in_none["session"]}
        heard = await ask(server, "GET", f"{kept}/audio")
    assert heard.content.endswith(samples(1.0))


@pytest.mark.slow
async def test_stored_audio_of_a_deleted_transcript_goes_once_the_store_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"file://{tmp_path}/elsewhere"
    monkeypatch.setattr(sessions, "SWEEP_S", 0.05)
    remove = AudioStore.remove

    def refused(_store: AudioStore, _session: str) -> None:
        raise AudioStoreError("a recording to be removed", "a refusal")

    def stored() -> list[Path]:
        return list((tmp_path / "elsewhere").rglob("audio.pcm"))

    async with running(tmp_path, talk(2), resume_ms=0, recordings_url=url) as server:
        path = await spoken(server, 1.0)
        await until(lambda: stored() != [])
        monkeypatch.setattr(AudioStore, "remove", refused)
        reply = await ask(server, "DELETE", path)
        await until(lambda: "recording not removed" in caplog.messages)
        assert stored() != []

        monkeypatch.setattr(AudioStore, "remove", remove)
        await until(lambda: stored() == [] and recorded(server) == set())

    assert reply.status == 503


async def test_a_session_that_begins_while_its_transcript_is_deleted_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Archive.create
    async with running(tmp_path, talk(2)) as server:
        open_transcript(server)

        def late(archive: Archive, manifest: Manifest) -> Recording:
            store_of(server).library.delete(TRANSCRIPT)
            return create(archive, manifest)

        monkeypatch.setattr(Archive, "create", late)
        async with talking(server) as client:
            await client.start(language="en", transcript=TRANSCRIPT)
            assert await client.closed() == 4404
        await until(lambda: recorded(server) == set())


@pytest.mark.slow
async def test_a_server_with_another_database_removes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, talk(2), resume_ms=0) as server:
        await spoken(server, 1.0)
    database = f"sqlite:///{tmp_path}/another.sqlite"
    async with running(tmp_path, talk(2), resume_ms=0, database=database) as server:
        await server.app._lifecycle.serving().sessions._remove_deleted()

        assert len(recorded(server)) == 1
