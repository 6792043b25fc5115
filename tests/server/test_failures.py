"""Engines and disks that fail: the client is told, the rest goes on, and nothing is lost."""

import asyncio
import errno
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from server.app import LoadEngines
from server.journal import Entry
from server.recordings import Archive, Manifest, Recording
from streaming.engines.loading import EngineConfig, EngineSet, load
from streaming.engines.script import Script
from streaming.engines.scripted import Conduct, ScriptedRecognizer
from tests.server.talking import (
    Message,
    Running,
    final_words,
    journal,
    resume_of,
    running,
    samples,
    talk,
    talking,
)


def failing(words: str, calls: Sequence[int]) -> LoadEngines:
    """Return a loader whose recognizer fails at these calls."""

    def load_failing(config: EngineConfig) -> EngineSet:
        conduct = Conduct(fails_at=frozenset(calls))
        recognizer = ScriptedRecognizer(Script.from_json(words), conduct=conduct)
        return replace(load(config), recognizer=recognizer)

    return load_failing


async def manifest_that(server: Running, ready: Message, field: str) -> dict[str, object]:
    """Wait until a field of a session's manifest is set; return the manifest."""
    path = server.data_dir / "sessions" / str(ready["session"]) / "session.json"
    async with asyncio.timeout(60):
        while True:
            manifest = json.loads(path.read_text())
            assert isinstance(manifest, dict)
            if manifest[field]:
                return manifest
            await server.get("/healthz")


async def test_one_failure_of_an_engine_goes_unnoticed(tmp_path: Path) -> None:
    words = talk(4)
    async with (
        running(tmp_path, words, load_engines=failing(words, [1, 3])) as server,
        talking(server) as client,
    ):
        await client.start(language="en")
        await client.stream(samples(3.0))
        await client.send("end")
        assert await client.closed() == 1000

    assert client.text() == " w0 w1 w2 w3"


@pytest.mark.slow
async def test_a_session_can_be_resumed_after_an_engine_failed_for_good(tmp_path: Path) -> None:
    words = talk(8)
    async with running(tmp_path, words, load_engines=failing(words, range(2, 5))) as server:
        async with talking(server) as client:
            ready = await client.start(language="en")
            await client.stream(samples(2.0))
            code, error = await client.refused()
        assert (code, error["code"], error["retry"]) == (1011, "engine_failed", True)
        assert (
            'trax_engine_failures_total{engine="recognizer"} 1.0'
            in ((await server.get("/metrics"))[2])
        )

        seen = len(client.lasting())
        async with talking(server) as again:
            resumed = await again.start(resume=resume_of(ready, seen))
            at = resumed["next"]
            assert isinstance(at, int)
            await again.stream(samples(5.5)[2 * at :], at=at)
            await again.send("end")
            assert await again.closed() == 1000

    events = client.lasting() + again.lasting()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [word[0] for word in _lists(final_words(journal(server, ready)))] == [
        f" w{n}" for n in range(8)
    ]


@pytest.mark.slow
async def test_a_session_that_fails_again_without_its_client_is_given_up(tmp_path: Path) -> None:
    words = talk(4)
    loader = failing(words, range(1000))
    async with running(tmp_path, words, load_engines=loader, resume_ms=100) as server:
        async with talking(server) as client:
            ready = await client.start(language="en")
            await client.stream(samples(2.0))
            assert (await client.refused())[0] == 1011

        manifest = await manifest_that(server, ready, "failed")
        assert manifest["finished_ms"]
        async with talking(server) as late:
            await late.send("start", resume=resume_of(ready))
            assert (await late.refused())[0] == 4410


@pytest.mark.slow
async def test_a_full_disk_ends_the_session_and_not_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, talk(4)) as server:
        async with talking(server) as client:
            ready = await client.start(language="en")
            await client.stream(samples(0.5))
            await client.until_that(lambda m: m["type"] == "ack" and m["samples"] == 8000)
            with monkeypatch.context() as broken:
                broken.setattr(Recording, "append", full)
                await client.stream(samples(0.5), at=8000)
                code, error = await client.refused()
        assert (code, error["code"], error["retry"]) == (1011, "internal_error", True)

        async with talking(server) as again:
            resumed = await again.start(resume=resume_of(ready))
            assert resumed["next"] == 8000
            await again.stream(samples(3.0)[16_000:], at=8000)
            await again.send("end")
            assert await again.closed() == 1000

    assert again.text() == " w0 w1 w2 w3"


def full(_recording: Recording, _audio: bytes, _entries: Sequence[Entry]) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_a_mistake_of_ours_is_told_as_such_and_the_server_stays_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, talk(1)) as server:
        with monkeypatch.context() as broken:
            broken.setattr(Archive, "create", full_archive)
            async with talking(server) as client:
                await client.send("start")
                code, error = await client.refused()
        assert (code, error["code"], error["retry"]) == (1011, "internal_error", True)

        async with talking(server) as again:
            assert (await again.start())["type"] == "ready"


@pytest.mark.slow
async def test_a_journal_that_was_tampered_with_is_not_resumed(tmp_path: Path) -> None:
    async with running(tmp_path, talk(4)) as server, talking(server) as client:
        ready = await client.start(language="en")
        await client.stream(samples(2.0))
        await client.until("speech_start")
    path = server.data_dir / "sessions" / str(ready["session"]) / "events.jsonl"
    path.write_bytes(b"{}\n" + path.read_bytes())

    async with running(tmp_path, talk(4), resume_ms=50) as server, talking(server) as again:
        await again.send("start", resume=resume_of(ready))

        assert (await again.refused())[0] == 4410


@pytest.mark.slow
async def test_who_comes_back_at_once_finds_all_that_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, said, piece = talk(8), samples(5.5), 640
    append = Recording.append

    def slowly(recording: Recording, audio: bytes, entries: Sequence[Entry]) -> None:
        time.sleep(0.1)
        append(recording, audio, entries)

    monkeypatch.setattr(Recording, "append", slowly)
    async with (
        running(tmp_path, words, load_engines=failing(words, range(2, 5))) as server,
        talking(server) as client,
    ):
        ready = await client.start(language="en")

        async def speak() -> None:
            for first in range(0, len(said), piece):
                pcm = said[first : first + piece]
                await client.send("audio", at=first // 2, pcm=pcm)
                await asyncio.sleep(0.02)

        speaking = asyncio.create_task(speak())
        await client.until("error")
        speaking.cancel()
        async with talking(server) as again:
            resumed = await again.start(resume=resume_of(ready, len(client.lasting())))
            at = resumed["next"]
            assert isinstance(at, int)
            await again.stream(said[2 * at :], at=at)
            await again.send("end")
            assert await again.closed() == 1000

    folder = server.data_dir / "sessions" / str(ready["session"])
    assert (folder / "audio.pcm").read_bytes() == said


def full_archive(_archive: Archive, _manifest: Manifest) -> Recording:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _lists(words: Sequence[object]) -> list[list[object]]:
    return [word for word in words if isinstance(word, list)]
