"""Recordings move to an object store once they are finished, and are heard from there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from server.app import build_app
from server.audio_store import AudioStore
from server.errors import AudioStoreError, StartError
from server.recordings import Archive, Manifest
from tests.server.api.asking import ask, spoken
from tests.server.editing import until
from tests.server.talking import TOKEN, prepared, running, samples, talk
from tests.server.test_recordings import MANIFEST


def recorded(archive: Archive, session: str, pcm: bytes, finished_ms: int | None) -> Manifest:
    """Record a session."""
    manifest = replace(MANIFEST, session=session, finished_ms=finished_ms)
    with archive.create(manifest) as recording:
        recording.append(pcm, ())
    return manifest


@pytest.fixture
def store(tmp_path: Path) -> AudioStore:
    return AudioStore(f"file://{tmp_path}/elsewhere")


@pytest.fixture
def archive(tmp_path: Path, store: AudioStore) -> Archive:
    return Archive(tmp_path / "data", store)


def test_what_is_kept_can_be_read_in_parts_and_removed(store: AudioStore, tmp_path: Path) -> None:
    (tmp_path / "audio").write_bytes(b"abcdefgh")

    store.keep("one", tmp_path / "audio")

    assert store.size_bytes("one") == 8
    assert store.read("one", 2, 5) == b"cde"
    store.remove("one")
    assert (store.size_bytes("one"), store.read("one", 2, 5)) == (None, b"")
    store.remove("one")


def test_only_what_was_finished_long_enough_ago_is_moved(archive: Archive, tmp_path: Path) -> None:
    recorded(archive, "finished", b"abcd", finished_ms=10)
    recorded(archive, "finishedlate", b"efgh", finished_ms=20)
    recorded(archive, "unfinished", b"ijkl", finished_ms=None)

    assert archive.store_finished(20) == 1
    assert archive.store_finished(20) == 0

    here = {path.parent.name for path in (tmp_path / "data").rglob("audio.pcm")}
    assert here == {"finishedlate", "unfinished"}
    for session, pcm in [("finished", b"abcd"), ("finishedlate", b"efgh"), ("unfinished", b"ijkl")]:
        assert archive.size_bytes(session) == 4
        assert archive.read(session, 1, 3) == pcm[1:3]


def test_what_is_removed_is_gone_everywhere(archive: Archive, store: AudioStore) -> None:
    recorded(archive, "finished", b"abcd", finished_ms=10)
    archive.store_finished(20)

    archive.remove("finished")

    assert store.size_bytes("finished") is None
    assert (archive.size_bytes("finished"), archive.read("finished", 0, 4)) == (0, b"")


def test_without_a_store_everything_stays(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    recorded(archive, "finished", b"abcd", finished_ms=10)

    assert archive.store_finished(20) == 0

    assert archive.size_bytes("finished") == 4
    assert (archive.size_bytes("another"), archive.read("another", 0, 4)) == (0, b"")


def test_a_store_that_refuses_leaves_the_recording_where_it_is(
    archive: Archive, tmp_path: Path
) -> None:
    recorded(archive, "finished", b"abcd", finished_ms=10)
    (tmp_path / "elsewhere").rmdir()
    (tmp_path / "elsewhere").write_text("no folder")

    with pytest.raises(AudioStoreError, match="expected a recording to be stored"):
        archive.store_finished(20)

    assert archive.read("finished", 0, 4) == b"abcd"


@pytest.mark.parametrize("url", ["weird://place", "", "no url at all"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(AudioStoreError, match="expected s3://, gs://, az:// or file://"):
        AudioStore(url)


async def test_a_server_moves_old_recordings_and_plays_them_all_the_same(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/elsewhere"
    async with running(tmp_path, talk(2), resume_ms=0, recordings_url=url) as server:
        transcript = await spoken(server, 2.0)
    async with running(tmp_path, talk(2), resume_ms=0, recordings_url=url) as server:
        await until(lambda: not list((tmp_path / "data").rglob("audio.pcm")))

        heard = await ask(server, "GET", f"{transcript}/audio")

    assert heard.content.endswith(samples(2.0))


def test_a_server_with_a_wrong_address_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="--recordings-url"):
        build_app(prepared(tmp_path, talk(1), recordings_url="weird://place"), TOKEN)
