"""Recordings are sent to a real server, followed, cancelled, and refused in words."""

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import trax_client
from tests.clients.serving import library, page, viewer_link
from tests.clients.test_cli import environment
from tests.clients.test_transcript_commands import run
from tests.server.recording_files import wav
from tests.server.talking import DEADLINE_S, samples
from trax_client.library import Hearing, Library
from trax_client.records import Job

pytestmark = pytest.mark.slow

TALK = wav(samples(5.0))


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    (tmp_path / "talk.wav").write_bytes(TALK)
    return tmp_path / "talk.wav"


async def test_file_is_sent_and_followed_until_its_words_stand(tmp_path: Path, talk: Path) -> None:
    told: list[tuple[int, int]] = []
    hearing = Hearing(language="en", hotwords=["Trax", "Ada"], diarization=False)
    async with library(tmp_path, hears=True) as (_, shelf), asyncio.timeout(DEADLINE_S):
        made = await shelf.create()
        job = await shelf.upload(
            made.id, talk, hearing=hearing, told=lambda sent, size: told.append((sent, size))
        )
        seen = [state async for state in shelf.watch(made.id, job.id, every_s=0.05)]
        again = await shelf.upload(made.id, TALK, hearing=hearing)
        listed = [each async for each in shelf.jobs(made.id)]
        reading = await shelf.read(made.id)
    assert (job.kind, job.file, job.damage, job.error) == ("upload", "talk.wav", None, None)
    assert seen[-1].state == "done"
    assert [each.over for each in seen[:-1]] == [False] * (len(seen) - 1)
    assert again == seen[-1]
    assert listed == [again]
    assert told[-1] == (len(TALK), len(TALK))
    assert "Hello there." in " ".join(turn.text for turn in reading.turns)


async def test_passage_is_heard_once_more(tmp_path: Path) -> None:
    async with library(tmp_path, hears=True) as (_, shelf), asyncio.timeout(DEADLINE_S):
        made = await shelf.create()
        first = await shelf.upload(made.id, TALK, name="talk", at_ms=1_000)
        await last(shelf, made.id, first)
        (job,) = await shelf.retranscribe(made.id, 0, 3_000, hearing=Hearing(language="en"))
        done = await last(shelf, made.id, job)
        with pytest.raises(trax_client.Refused, match="silence"):
            await shelf.retranscribe(made.id, 90_000, 91_000, session=first.session)
    assert (job.kind, job.session) == ("passage", first.session)
    assert done.state == "done"


async def last(shelf: Library, transcript: str, job: Job) -> Job:
    """Follow a job to its end."""
    return [state async for state in shelf.watch(transcript, job.id, every_s=0.05)][-1]


async def test_job_that_is_over_is_cancelled_without_harm(tmp_path: Path) -> None:
    async with library(tmp_path, hears=True) as (_, shelf), asyncio.timeout(DEADLINE_S):
        made = await shelf.create()
        job = await shelf.upload(made.id, TALK)
        over = await last(shelf, made.id, job)
        cancelled = await shelf.cancel(made.id, job.id)
        with pytest.raises(trax_client.Refused):
            await shelf.retry(made.id, job.id)
    assert cancelled == over


async def test_refusals_are_told_also_while_a_file_is_sent(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, shelf):
        made = await shelf.create()
        with pytest.raises(trax_client.Refused) as no_recording:
            await shelf.upload(made.id, b"This is no recording.\n")
        reader = Library(page(server, await viewer_link(server, made.id)))
        with pytest.raises(trax_client.Forbidden):
            await reader.upload(made.id, bytes(30_000_000))
        with pytest.raises(trax_client.NotFound):
            await shelf.upload("unknown", TALK)
        with pytest.raises(FileNotFoundError):
            await shelf.upload(made.id, tmp_path / "none.wav")
    assert (no_recording.value.code, no_recording.value.got) == ("unreadable", "a text")


async def test_wait_that_is_cancelled_ends_the_sending(tmp_path: Path) -> None:
    begun = asyncio.Event()
    async with library(tmp_path) as (server, shelf), asyncio.timeout(DEADLINE_S):
        made = await shelf.create()
        loop, gate = asyncio.get_running_loop(), asyncio.Event()

        def told(_sent: int, _size: int) -> None:
            loop.call_soon_threadsafe(begun.set)
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()

        sending = asyncio.create_task(shelf.upload(made.id, bytes(3_000_000), told=told))
        await begun.wait()
        uploads = server.data_dir / "uploads"
        await until(lambda: uploads.is_dir() and any(uploads.iterdir()))
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        gate.set()
        await until(lambda: not any(uploads.iterdir()))
        details = await shelf.get(made.id)
    assert details.sessions == ()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what nobody tells about: files that come and go."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_command_sends_a_file(tmp_path: Path, talk: Path) -> None:
    async with library(tmp_path, hears=True) as (server, shelf):
        sent = await run(server, "upload", talk, "--language", "en", "--wait")
        transcript = sent.out.strip()
        shown = await run(server, "show", transcript)
        again = await run(server, "upload", talk, "--transcript", transcript)
        details = await shelf.get(transcript)
    assert (sent.code, sent.err) == (0, "")
    assert "Hello there." in shown.out
    assert again.out.strip() == transcript
    assert details.record.title == "talk"
    assert len(details.sessions) == 1


async def test_command_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "notes.mp3").write_text("This is no recording.\n")
    async with library(tmp_path) as (server, _):
        refused = await run(server, "upload", tmp_path / "notes.mp3")
        missing = await run(server, "upload", tmp_path / "none.mp3")
        left = await run(server, "list", "--json")
    assert (refused.code, missing.code) == (4, 2)
    assert "a text" in refused.err
    assert "no such file" in missing.err
    assert left.out == ""  # the transcript that was made for it is gone


async def test_terminal_sees_how_far_it_is(tmp_path: Path, talk: Path) -> None:
    async with library(tmp_path, hears=True) as (server, _):
        terminal, inside = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "trax_client", "transcripts", "upload", str(talk), "--wait"),
            stdout=subprocess.PIPE,
            stderr=inside,
            env=environment(TRAX_URL=page(server)),
        )
        os.close(inside)
        out, _ = await process.communicate()
        shown = await asyncio.to_thread(os.read, terminal, 65_536)
        os.close(terminal)
    assert process.returncode == 0
    assert out.strip()
    assert b"sending 100 %" in shown


def test_job_of_a_newer_server_is_read() -> None:
    from trax_client.fields import Fields

    row = json.loads(
        '{"id": "j", "kind": "other", "state": "failed", "progress": 5, "session": "s", "more": 1,'
        ' "error": {"code": "c", "message": "m"}, "file": {"name": null, "damage": "d"}}'
    )
    job = Job.read(Fields(row, ""))
    assert (job.over, job.error, job.file, job.damage) == (True, "m", None, "d")
