"""Uploads that go wrong beside people who speak and edit: who sent it is told, they go on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server import jobs, upload_files
from server.storage import claims
from tests.offline.hands import DoesByHotword, wait_for
from tests.server.api.asking import Reply, ask, ask_until, made
from tests.server.editing import editing, stored_text
from tests.server.recording_files import wav, write_silent_film
from tests.server.small_disk import mounted
from tests.server.talking import final_words, journal, running, samples, talk, talking

pytestmark = pytest.mark.slow  # files are examined, and heard, in processes of their own

TONE = wav(samples(2.0))
LONG = wav(samples(60.0))
ROOM_BYTES = 1_000_000
"""Enough for the database, and half of what `LONG` becomes."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB, for the data of a server."""
    with mounted(tmp_path / "data", "16m") as folder:
        yield folder


@contextmanager
def nearly_full(disk: Path) -> Iterator[None]:
    """Leave `ROOM_BYTES` free."""
    status = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(bytes(status.f_bavail * status.f_frsize - ROOM_BYTES))
    try:
        yield
    finally:
        filler.unlink()


def failed_once(reply: Reply) -> bool:
    return reply.json["error"] is not None


def done(reply: Reply) -> bool:
    return bool(reply.json["state"] == "done")


async def test_bad_files_are_refused_while_others_speak_edit_and_upload(tmp_path: Path) -> None:
    bad = {
        b"": "empty",
        b"This was once called notes.txt.\n" * 50: "unreadable",
        b"RIFF\0\0\0\0WAVE" + bytes(9): "unreadable",
        write_silent_film(tmp_path / "film.mp4").read_bytes(): "no_audio",
        wav(bytes(1_000), said_bytes=2 * 3600 * 32_000): "too_long",
    }
    async with running(tmp_path, talk(8), upload_hours=1) as server, talking(server) as client:
        path = await made(server)
        ready = await client.start(language="en", transcript=path.rpartition("/")[2])
        await client.stream(samples(2.0))
        async with editing(server, path.rpartition("/")[2]) as ada:
            refused = [await ask(server, "POST", f"{path}/audio", content) for content in bad]
            taken = await ask(server, "POST", f"{path}/audio", TONE)
            await ada.write(0, "EDIT ")
            await client.stream(samples(4.0), at=32_000)
            await client.send("end")
            assert await client.closed() == 1000
            assert ada.code == -1
        about = (await ask(server, "GET", path)).json
        words = final_words(journal(server, ready))
        assert "EDIT" in stored_text(server, path.rpartition("/")[2])

    assert [reply.code for reply in refused] == list(bad.values())
    assert taken.status == 202
    assert len(about["sessions"]) == 2
    assert len(words) == 8


async def test_a_job_that_finds_the_disk_full_says_so_and_is_done_once_there_is_room(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_files, "RESERVE_BYTES", 0)
    monkeypatch.setattr(claims, "FIRST_BACKOFF_MS", 1_000)
    monkeypatch.setattr(jobs, "SWEEP_S", 0.2)
    async with running(
        small_disk.parent, talk(6), passes=None, cache_dir=small_disk.parent / "cache"
    ) as server:
        path = await made(server)
        transcript = path.rpartition("/")[2]
        async with editing(server, transcript) as ada:
            await ada.write(0, "before ")
            job = (await ask(server, "POST", f"{path}/audio", LONG)).headers["location"]
            with nearly_full(small_disk):
                told = await ask_until(server, job, failed_once)
                await ada.write(0, "while ")
                assert stored_text(server, transcript) == "while before "
            assert (await ask_until(server, job, done)).json["error"] is None
            await ada.until_says("w0", "w5", "while before")
            assert ada.code == -1

    assert told.json["state"] == "waiting"
    assert told.json["error"]["code"] == "unavailable"
    assert "No space left" in told.json["error"]["message"]


async def test_a_transcript_is_deleted_while_its_job_runs_and_others_are_heard(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    async with running(tmp_path, talk(1), hire=DoesByHotword(gate), workers=1) as server:
        doomed, kept = await made(server), await made(server)
        async with editing(server, kept.rpartition("/")[2]) as ada:
            job = await ask(server, "POST", f"{doomed}/audio?hotwords=waits", TONE)
            await asyncio.to_thread(wait_for, (tmp_path / "gate.upload.begun").exists)
            deleted = await ask(server, "DELETE", doomed)
            gone = await ask(server, "GET", job.headers["location"])
            other = await ask(server, "POST", f"{kept}/audio", TONE)
            await ask_until(server, other.headers["location"], done)
            await ada.until_says("heard")
            assert ada.code == -1
        (session,) = (await ask(server, "GET", kept)).json["sessions"]
        folders = [folder.name for folder in (server.data_dir / "sessions").iterdir()]

    assert (deleted.status, gone.status, gone.code) == (204, 404, "not_found")
    assert folders == [session["id"]]


async def test_a_model_that_is_missing_fails_its_job_and_no_other(tmp_path: Path) -> None:
    async with running(tmp_path, talk(6), passes=None, cache_dir=tmp_path / "cache") as server:
        path = await made(server)
        failing = await ask(server, "POST", f"{path}/audio?model=whisper-base", TONE)
        other = await ask(server, "POST", f"{path}/audio", wav(samples(1.0)))
        failed = await ask_until(server, failing.headers["location"], failed_once)
        await ask_until(server, other.headers["location"], done)

    assert failed.json["state"] == "failed"
    assert failed.json["error"]["code"] == "model_missing"
    assert "whisper-base" in failed.json["error"]["message"]


async def test_a_file_in_which_nobody_speaks_is_done_without_a_word(tmp_path: Path) -> None:
    async with running(tmp_path, talk(0), passes=None, cache_dir=tmp_path / "cache") as server:
        path = await made(server)
        transcript = path.rpartition("/")[2]
        async with editing(server, transcript) as ada:
            await ada.write(0, "mine")
            job = await ask(server, "POST", f"{path}/audio", wav(bytes(5 * 32_000)))
            over = await ask_until(server, job.headers["location"], done)
            assert stored_text(server, transcript) == str(ada.text) == "mine"

    assert over.json["error"] is None
