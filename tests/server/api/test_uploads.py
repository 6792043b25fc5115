"""Recordings that are sent as files: taken once, whole, or not at all, whoever goes away."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from server import unpacking, upload_files, upload_pace, uploads
from server.api.uploads import _disposition, _name
from server.storage.errors import StorageUnavailable, Trouble
from server.storage.jobs import Bounds
from server.storage.uploads import Uploads
from streaming.engines.loading import EngineConfig, EngineSet, load
from tests.offline.hands import Does
from tests.server.api.asking import Reply, ask, ask_until, linked, made, spoken
from tests.server.process import as_running, serving_process
from tests.server.recording_files import (
    RATE,
    Pcm16,
    read_speech,
    wav,
    write_recording,
    write_silent_film,
)
from tests.server.small_disk import mounted
from tests.server.talking import DEADLINE_S, TOKEN, Running, running, samples, talk

pytestmark = pytest.mark.slow  # each file is examined in a process of its own

TONE = wav(samples(2.0))


async def send(
    server: Running, path: str, content: bytes, query: str = "", **headers: str
) -> Reply:
    """Send a recording to a transcript."""
    sent = {"content_type": "audio/wav", **headers}
    return await ask(server, "POST", f"{path}/audio?{query}", content, **sent)


def left(server: Running) -> list[str]:
    """Return what there is of recordings: folders of sessions, and what is being received."""
    folders = [server.data_dir / "sessions", server.data_dir / "uploads"]
    return [path.name for folder in folders if folder.is_dir() for path in folder.iterdir()]


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what nobody tells about: files that come and go."""
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def jfk(speech: Path) -> Pcm16:
    return read_speech(speech / "items" / "jfk.flac")


async def test_a_recording_becomes_a_session_and_a_job(tmp_path: Path, jfk: Pcm16) -> None:
    content = write_recording(tmp_path / "talk.m4a", jfk, "speech.m4a").read_bytes()
    async with running(tmp_path, talk(4)) as server:
        path = await made(server)
        reply = await send(
            server,
            path,
            content,
            "language=en&hotwords=Trax,%20Ada%20&diarization=false&model=whisper-base",
            content_disposition="attachment; filename*=UTF-8''folder%2Fspeech%20%F0%9F%91%8B.m4a",
        )
        job = await ask(server, "GET", reply.headers["location"])
        (session,) = (await ask(server, "GET", path)).json["sessions"]
        stored = server.app._lifecycle.serving().store.jobs.get(reply.json["id"])

    assert reply.status == 202
    assert job.json["id"] == reply.json["id"]
    assert (job.json["kind"], job.json["session"]) == ("upload", session["id"])
    assert (job.json["from_ms"], job.json["language"]) == (0, "en")
    assert job.json["file"] == {"name": "speech 👋.m4a", "size_bytes": len(content), "damage": None}
    assert (session["offset_ms"], session["microphone"]) == (0, "speech 👋.m4a")
    assert abs(session["duration_ms"] - 11_000) < 100
    assert (stored.task.hotwords, stored.task.diarization) == (("Trax", "Ada"), False)
    assert stored.task.model == "whisper-base"


async def test_a_server_without_speakers_tells_none_apart_in_files_and_passages(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, talk(4), diarization=False) as server:
        path = await made(server)
        sent = await send(server, path, TONE, "diarization=true")
        await spoken(server, 2.0, transcript=path.rpartition("/")[2])
        again = await ask(server, "POST", f"{path}/retranscribe", {"from_ms": 0, "to_ms": 9_000})
        ready = await ask(server, "GET", "/readyz")
        jobs = server.app._lifecycle.serving().store.jobs
        tasks = [jobs.get(job["id"]).task for job in (sent.json, *again.json["jobs"])]

    assert ready.json["models"]["diarizer"] is None
    assert len(tasks) == 2
    assert not any(task.diarization for task in tasks)


async def test_recordings_stand_one_behind_the_other_or_where_they_are_put(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        await send(server, path, TONE)
        await send(server, path, wav(samples(1.0)))
        await send(server, path, wav(samples(3.0)), "at_ms=60000")
        sessions = (await ask(server, "GET", path)).json["sessions"]

    assert [each["offset_ms"] for each in sessions] == [0, 2_000, 60_000]


async def test_a_file_that_is_there_is_not_put_elsewhere(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        first = await send(server, path, TONE, "at_ms=2000", idempotency_key="monday")
        elsewhere = await send(server, path, TONE, "at_ms=1000")
        keyed = await send(server, path, TONE, "at_ms=1000", idempotency_key="monday")
        there = await send(server, path, TONE, "at_ms=2000")
        anywhere = await send(server, path, TONE)

    assert [(reply.status, reply.code) for reply in (elsewhere, keyed)] == [(409, "elsewhere")] * 2
    assert elsewhere.json["error"]["expected"] == "at_ms=2000, or none"
    assert [(reply.status, reply.json["id"]) for reply in (there, anywhere)] == [
        (200, first.json["id"])
    ] * 2


async def test_the_same_file_is_taken_once(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path, other = await made(server), await made(server)
        both = await asyncio.gather(send(server, path, TONE), send(server, path, TONE))
        again = await send(server, path, TONE, "filename=other.wav")
        elsewhere = await send(server, other, TONE)
        sessions = (await ask(server, "GET", path)).json["sessions"]
        folders = left(server)

    assert sorted(reply.status for reply in both) == [200, 202]
    assert (again.status, elsewhere.status) == (200, 202)
    assert {reply.json["id"] for reply in (*both, again)} == {again.json["id"]}
    assert {reply.headers["location"] for reply in (*both, again)} == {again.headers["location"]}
    assert len(sessions) == 1
    assert len(folders) == 2


async def test_a_key_stands_for_one_file(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        first = await send(server, path, TONE, idempotency_key="k-1")
        again = await send(server, path, TONE, idempotency_key="k-1")
        other = await send(server, path, wav(samples(1.0)), idempotency_key="k-1")
        wrong = await send(server, path, TONE, idempotency_key="a key")

    assert (first.status, again.status) == (202, 200)
    assert again.json["id"] == first.json["id"]
    assert (other.status, other.code) == (422, "key_reused")
    assert (wrong.status, wrong.code) == (422, "invalid")


async def test_a_file_whose_job_was_cancelled_is_heard_when_it_comes_again(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), workers=1) as server:
        path = await made(server)
        first = await send(server, path, TONE)
        store = server.app._lifecycle.serving().store
        store.jobs.cancel(first.json["id"])
        again = await send(server, path, TONE)
        sessions = (await ask(server, "GET", path)).json["sessions"]

    assert again.status == 202
    assert again.json["id"] != first.json["id"]
    assert again.json["session"] == first.json["session"]
    assert len(sessions) == 1


@pytest.mark.parametrize("lost", ["file", "folder"])
async def test_a_file_that_was_lost_comes_back_with_the_next_one(tmp_path: Path, lost: str) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        first = await send(server, path, TONE)
        server.app._lifecycle.serving().store.jobs.cancel(first.json["id"])
        folder = server.data_dir / "sessions" / first.json["session"]
        if lost == "file":
            (folder / "upload").unlink()
        else:
            shutil.rmtree(folder)
        again = await send(server, path, TONE)

        assert again.status == 202
        assert again.json["session"] == first.json["session"]
        assert (folder / "upload").read_bytes() == TONE
        assert (folder / "session.json").exists()
        assert left(server) == [folder.name]


async def test_new_wishes_count_after_a_failure(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), hire=Does()) as server:
        path = await made(server)
        first = await send(server, path, TONE, "language=xx&model=whisper-tiny")
        await ask_until(server, first.headers["location"], failed)
        again = await send(server, path, TONE, "language=en&model=whisper-base")
        sessions = (await ask(server, "GET", path)).json["sessions"]

    assert again.status == 202
    assert again.json["session"] == first.json["session"]
    assert (again.json["language"], again.json["model"]) == ("en", "whisper-base")
    assert len(sessions) == 1


async def test_a_file_that_was_heard_is_heard_in_another_way(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), hire=Does()) as server:
        path = await made(server)
        first = await send(server, path, TONE, "language=en", idempotency_key="monday")
        await ask_until(server, first.headers["location"], done)
        same = await send(server, path, TONE, "language=en")
        reused = await send(server, path, TONE, "language=de", idempotency_key="monday")
        other = await send(server, path, TONE, "language=de")
        heard = await ask_until(server, other.headers["location"], done)
        sessions = (await ask(server, "GET", path)).json["sessions"]

    assert (same.status, same.json["id"]) == (200, first.json["id"])
    assert (reused.status, reused.code) == (422, "key_reused")
    assert other.status == 202
    assert (heard.json["session"], heard.json["language"]) == (first.json["session"], "de")
    assert len(sessions) == 1


async def test_each_key_stands_for_one_request_also_about_a_file_that_is_known(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, talk(1), hire=Does()) as server:
        path = await made(server)
        monday = await send(server, path, TONE, "language=en", idempotency_key="monday")
        await ask_until(server, monday.headers["location"], done)
        tuesday = await send(server, path, TONE, "language=es", idempotency_key="tuesday")
        await ask_until(server, tuesday.headers["location"], done)
        friday = await send(server, path, TONE, "language=es", idempotency_key="friday")
        again = [
            await send(server, path, TONE, "language=en", idempotency_key="monday"),
            await send(server, path, TONE, "language=es", idempotency_key="tuesday"),
        ]
        reused = [
            await send(server, path, wav(samples(1.0)), "language=es", idempotency_key=key)
            for key in ("monday", "tuesday", "friday")
        ]

    assert tuesday.status == 202
    assert (friday.status, friday.json["id"]) == (200, tuesday.json["id"])
    assert [reply.status for reply in again] == [200, 200]
    assert [reply.json["id"] for reply in again] == [monday.json["id"], tuesday.json["id"]]
    assert [(reply.status, reply.code) for reply in reused] == [(422, "key_reused")] * 3


async def test_a_request_whose_job_failed_is_answered_with_a_new_job_under_its_key(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, talk(1), hire=Does()) as server:
        path = await made(server)
        first = await send(server, path, TONE, "language=xx", idempotency_key="monday")
        await ask_until(server, first.headers["location"], failed)
        again = await send(server, path, TONE, "language=xx", idempotency_key="monday")
        await ask_until(server, again.headers["location"], failed)
        other = await send(server, path, TONE, "language=en", idempotency_key="monday")

    assert again.status == 202
    assert again.json["id"] != first.json["id"]
    assert (other.status, other.code) == (422, "key_reused")


async def test_a_file_is_not_heard_in_two_ways_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:  # where nobody works
        path = await made(server)
        first = await send(server, path, TONE, "language=en")
        other = await send(server, path, TONE, "language=de")
        await ask(server, "POST", f"{first.headers['location']}/cancel")
        again = await send(server, path, TONE, "language=de")

    assert (other.status, other.code) == (409, "being_heard")
    assert first.json["id"] in other.json["error"]["expected"]
    assert again.status == 202


async def test_a_language_that_nobody_knows_is_refused_at_once(tmp_path: Path) -> None:
    def load_many(config: EngineConfig) -> EngineSet:
        return replace(load(config), languages=frozenset({"de", "en"}))

    async with running(tmp_path, talk(1), load_engines=load_many, hire=Does()) as server:
        path = await made(server)
        span = {"from_ms": 0, "to_ms": 100}
        refused = [
            await send(server, path, TONE, "language=xx"),
            await ask(server, "POST", f"{path}/retranscribe", {**span, "language": "xx"}),
        ]
        nothing = left(server)
        taken = await send(server, path, TONE, "language=de")

    assert [(reply.status, reply.code) for reply in refused] == [(422, "invalid")] * 2
    assert refused[0].json["error"]["expected"] == "one of de, en"
    assert nothing == []
    assert taken.status == 202


def done(reply: Reply) -> bool:
    return bool(reply.json["state"] == "done")


def failed(reply: Reply) -> bool:
    return bool(reply.json["state"] == "failed")


@pytest.mark.parametrize("end", ["failed", "cancelled"])
async def test_a_file_that_comes_many_times_at_once_begins_again_once(
    tmp_path: Path, end: str
) -> None:
    async with running(tmp_path, talk(1), hire=Does()) as server:
        path = await made(server)
        first = await send(server, path, TONE, "language=xx")
        if end == "failed":
            await ask_until(server, first.headers["location"], failed)
        else:
            server.app._lifecycle.serving().store.jobs.cancel(first.json["id"])
        replies = await asyncio.gather(*(send(server, path, TONE) for _ in range(4)))
        jobs = (await ask(server, "GET", f"{path}/jobs")).json["jobs"]

    assert sorted(reply.status for reply in replies) == [200] * 3 + [202]
    assert len({reply.json["id"] for reply in replies}) == 1
    assert len(jobs) == 2


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 415, "empty"),
        (wav(b""), 415, "empty"),
        (b"This was once called notes.txt.\n" * 50, 415, "unreadable"),
        (bytes(5_000), 415, "unreadable"),
    ],
)
async def test_what_is_no_recording_is_refused_and_leaves_nothing(
    tmp_path: Path, content: bytes, status: int, code: str
) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        refused = await send(server, path, content)
        about = (await ask(server, "GET", path)).json

        assert (refused.status, refused.code) == (status, code)
        assert about["sessions"] == []
        assert left(server) == []


async def test_a_decoder_that_does_not_answer_is_no_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        with monkeypatch.context() as overloaded:
            overloaded.setattr(unpacking, "STALL_S", 0.001)
            later = await send(server, path, TONE)
        nothing = left(server)
        taken = await send(server, path, TONE)

    assert (later.status, later.code) == (503, "unavailable")
    assert int(later.headers["retry-after"]) > 0
    assert nothing == []
    assert taken.status == 202


async def test_a_video_without_sound_and_one_that_is_too_long_are_refused(tmp_path: Path) -> None:
    film = write_silent_film(tmp_path / "film.mp4").read_bytes()
    hours = wav(bytes(1_000), said_bytes=2 * 3600 * 2 * RATE)
    async with running(tmp_path, talk(1), upload_hours=1) as server:
        path = await made(server)
        silent = await send(server, path, film)
        long = await send(server, path, hours)

        assert (silent.status, silent.code) == (415, "no_audio")
        assert (long.status, long.code) == (413, "too_long")
        assert left(server) == []


async def test_a_file_that_is_too_large_is_refused_before_or_while_it_comes(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), upload_bytes=1024 * 1024) as server:
        path = await made(server)
        before = await send(server, path, bytes(1024 * 1024 + 1))
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head(path, "Transfer-Encoding: chunked"))
        for _ in range(20):
            writer.write(b"10000\r\n" + bytes(65_536) + b"\r\n")
        writer.write(b"0\r\n\r\n")
        while_it_comes = await reader.readuntil(b"}}")
        writer.close()

        assert (before.status, before.code) == (413, "too_large")
        assert while_it_comes.startswith(b"HTTP/1.1 413")
        assert left(server) == []


def head(path: str, *lines: str) -> bytes:
    """Return the beginning of an upload."""
    fields = [f"POST {path}/audio HTTP/1.1", "Host: localhost", f"Authorization: Bearer {TOKEN}"]
    return "\r\n".join([*fields, *lines, "\r\n"]).encode()


async def test_who_goes_away_leaves_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head(path, "Content-Length: 9000000"))
        writer.write(TONE * 40)
        await writer.drain()
        await until(lambda: left(server) != [])
        writer.transport.abort()
        await until(lambda: left(server) == [])

        assert (await ask(server, "GET", path)).json["sessions"] == []


async def test_who_sends_nothing_more_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_pace, "IDLE_S", 0.2)
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head(path, "Content-Length: 9000000") + TONE)
        async with asyncio.timeout(DEADLINE_S):
            answer = await reader.readuntil(b"}}")
        writer.close()

        assert answer.startswith(b"HTTP/1.1 408")
        assert left(server) == []


async def test_who_sends_too_slowly_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_pace, "IDLE_S", 0.3)
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head(path, "Content-Length: 9000000"))
        answer = asyncio.create_task(reader.readuntil(b"}}"))
        async with asyncio.timeout(DEADLINE_S):
            while not answer.done():
                writer.write(b"a")  # sooner than would be too late
                await asyncio.wait({answer}, timeout=0.03)
        writer.close()

        assert (await answer).startswith(b"HTTP/1.1 408")
        assert left(server) == []


async def test_one_transcript_does_not_take_all_the_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_IN_TRANSCRIPT", 1)
    async with running(tmp_path, talk(1)) as server:
        path, other = await made(server), await made(server)
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head(path, "Content-Length: 9000000") + TONE)
        await until(lambda: left(server) != [])
        refused = await send(server, path, TONE)
        elsewhere = await send(server, other, TONE)
        writer.transport.abort()
        await until(lambda: len(left(server)) == 1)
        taken = await send(server, path, TONE)

    assert (refused.status, refused.code) == (503, "overloaded")
    assert (elsewhere.status, taken.status) == (202, 202)


async def test_too_many_at_once_are_told_to_come_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_AT_ONCE", 0)
    async with running(tmp_path, talk(1)) as server:
        refused = await send(server, await made(server), TONE)

    assert (refused.status, refused.code) == (503, "overloaded")
    assert int(refused.headers["retry-after"]) > 0


async def test_where_too_much_waits_nothing_is_left(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        server.app._lifecycle.serving().jobs._bounds = Bounds(0, 0)
        path = await made(server)
        refused = await send(server, path, TONE)

        assert (refused.status, refused.code) == (503, "overloaded")
        assert (await ask(server, "GET", path)).json["sessions"] == []
        assert left(server) == []


async def test_a_file_stays_when_it_is_not_known_whether_it_was_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Uploads.add

    def adds_and_fails(*arguments: object) -> None:
        add(*arguments)  # type: ignore[arg-type]  # as it is called
        raise StorageUnavailable("elsewhere", Trouble.UNREACHABLE, "08006")

    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        with monkeypatch.context() as broken:
            broken.setattr(Uploads, "add", adds_and_fails)
            refused = await send(server, path, TONE)
        again = await send(server, path, TONE)

        assert refused.status == 503
        assert again.status == 200
        assert left(server) == [again.json["session"]]
    async with running(tmp_path, talk(1)) as server:
        assert left(server) == [again.json["session"]]
        assert not list((server.data_dir / "sessions").glob("*/unconfirmed"))


async def test_viewers_and_strangers_send_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        editor, viewer = await linked(server, path, "editor"), await linked(server, path, "viewer")
        refused = [
            await ask(server, "POST", f"{path}/audio", TONE, token=viewer),
            await ask(server, "POST", f"{path}/audio", TONE, token=None),
            await ask(server, "POST", f"{path}/audio?model=any/model", TONE, token=editor),
            await ask(server, "POST", f"{path}/audio", TONE, origin="https://foreign.example"),
            await ask(server, "POST", "/v1/transcripts/unknown/audio", TONE),
        ]
        taken = await ask(server, "POST", f"{path}/audio?model=whisper-base", TONE, token=editor)

    assert [reply.status for reply in refused] == [403, 401, 403, 403, 404]
    assert taken.status == 202


async def test_a_closed_transcript_takes_no_file(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        await ask(server, "PATCH", path, {"state": "closed"})
        refused = await send(server, path, TONE)

    assert (refused.status, refused.code) == (409, "closed")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB, for the data of a server."""
    with mounted(tmp_path / "data", "4m") as folder:
        yield folder


@pytest.mark.parametrize("reserve_bytes", [0, 1_000_000])
async def test_a_full_disk_refuses_the_file_and_leaves_nothing(
    small_disk: Path, reserve_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_files, "RESERVE_BYTES", reserve_bytes)
    async with running(small_disk.parent, talk(1)) as server:
        path = await made(server)
        told = await send(server, path, bytes(5_000_000))
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head(path, "Transfer-Encoding: chunked"))
        writer.write(b"600000\r\n" + bytes(0x600000) + b"\r\n0\r\n\r\n")
        untold = await reader.readuntil(b"}}")
        writer.close()
        nothing = left(server)
        taken = await send(server, path, TONE)

    assert (told.status, told.code) == (507, "no_space")
    assert untold.startswith(b"HTTP/1.1 507")
    assert nothing == []
    assert taken.status == 202


async def test_a_server_that_is_killed_while_it_receives_leaves_nothing(tmp_path: Path) -> None:
    async with serving_process(tmp_path, talk(1)) as process:
        server = as_running(tmp_path, process)
        path = await made(server)
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head(path, "Content-Length: 9000000") + TONE * 40)
        await until(lambda: left(server) != [])
        process.process.kill()
        await process.ended()
        writer.close()
        assert left(server) != []

    async with serving_process(tmp_path, talk(1)) as process:
        again = as_running(tmp_path, process)
        assert left(again) == []
        assert (await ask(again, "GET", path)).json["sessions"] == []
        assert (await send(again, path, TONE)).status == 202


async def test_a_file_whose_session_did_not_come_about_is_removed_while_others_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SETTLE_S", 0.2)
    async with running(tmp_path, talk(1)) as server:
        taken = await send(server, await made(server), TONE)
        sessions = server.data_dir / "sessions"
        lost = shutil.copytree(sessions / taken.json["session"], sessions / "lost0001")
        (lost / "unconfirmed").touch()
        await until(lambda: not lost.exists())

        assert left(server) == [taken.json["session"]]


async def test_a_file_whose_session_did_not_come_about_is_removed_at_a_start(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        taken = await send(server, path, TONE)
        sessions = server.data_dir / "sessions"
        assert not list(sessions.glob("*/unconfirmed"))
    shutil.copytree(sessions / taken.json["session"], sessions / "lost0001")
    shutil.copytree(sessions / taken.json["session"], sessions / "elsewhere")  # in another database
    for name in ("lost0001", taken.json["session"]):
        (sessions / name / "unconfirmed").touch()

    async with running(tmp_path, talk(1)) as server:
        assert sorted(left(server)) == sorted(["elsewhere", taken.json["session"]])
        assert not list(sessions.glob("*/unconfirmed"))


async def test_all_of_it_goes_with_its_transcript(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        job = await send(server, path, TONE)
        deleted = await ask(server, "DELETE", path)
        gone = await ask(server, "GET", job.headers["location"])

        assert deleted.status == 204
        assert (gone.status, gone.code) == (404, "not_found")
        assert left(server) == []


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ('attachment; filename="☃.flac"'.encode(), "☃.flac"),
        ('attachment; filename="Größe.flac"'.encode("latin-1"), "Größe.flac"),
        (b"attachment; filename*=UTF-8''%E2%98%83.flac", "☃.flac"),
        (b"attachment", None),
        (b"", None),
    ],
)
def test_names_come_as_utf_8_or_as_http_once_had_them(sent: bytes, name: str | None) -> None:
    assert _disposition(Headers(raw=[(b"content-disposition", sent)])) == name


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("talk.mp3", "talk.mp3"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Music\\talk.mp3", "talk.mp3"),
        ("a\x00b\u202e.mp3", "ab.mp3"),
        ("x" * 300, "x" * 200),
        ("folder/", None),
        ("", None),
        (None, None),
    ],
)
def test_names_are_shown_without_folders_and_tricks(given: str | None, shown: str | None) -> None:
    assert _name(given) == shown
