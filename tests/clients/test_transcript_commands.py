"""The commands `trax-client transcripts ...`, as processes, against a real server."""

import asyncio
import json
import os
import pty
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.clients.serving import library, page, speak
from tests.clients.test_cli import Finished, environment, started
from tests.server.talking import DEADLINE_S, Running
from trax_client.transcript import open_transcript

pytestmark = pytest.mark.slow


async def run(server: Running, *arguments: str | Path) -> Finished:
    """Run a command to its end."""
    async with started("transcripts", *arguments, TRAX_URL=page(server)) as process:
        out, err = await process.communicate()
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())


async def line_of(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().rstrip()


@asynccontextmanager
async def following(server: Running, *arguments: str) -> AsyncIterator[Process]:
    """Follow a transcript; stopped by Ctrl-C at the end."""
    command = ("transcripts", "follow", *arguments)
    async with started(*command, TRAX_URL=page(server)) as process:
        yield process
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")


async def test_transcripts_are_made_listed_and_deleted(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, _):
        made = await run(server, "create", "--title", "Bürgerrat", "--language", "de")
        other = await run(server, "create", "--json")
        listed = await run(server, "list")
        found = await run(server, "list", "--search", "bürger", "--json")
        deleted = await run(server, "delete", made.out.strip())
        left = await run(server, "list", "--json")
    assert (made.code, other.code, deleted.code, made.err) == (0, 0, 0, "")
    assert len(listed.out.splitlines()) == 2
    assert "Bürgerrat" in listed.out
    assert json.loads(found.out)["id"] == made.out.strip()
    assert json.loads(left.out) == json.loads(other.out)


async def test_what_was_said_is_shown_and_exported(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, shelf):
        made = await shelf.create()
        await speak(server, made.id)
        async with open_transcript(made.id, page(server)) as transcript:
            speaker = transcript.turns[0].speaker
            assert speaker is not None
            transcript.name_speaker(speaker, "Zoë")
            transcript.insert(0, "Preface")
            transcript.split_turn(len(transcript.text))
        shown = await run(server, "show", made.id)
        as_json = await run(server, "show", made.id, "--json")
        file = tmp_path / "talk.srt"
        exported = await run(server, "export", made.id, "--format", "srt", "-o", file)
        printed = await run(server, "export", made.id)
        nowhere = await run(server, "export", made.id, "-o", tmp_path / "no" / "where")
    lines = shown.out.splitlines()
    assert lines[0].endswith("Preface")
    assert lines[1] == "[0:00] Zoë: Hello there."
    assert len(lines) == 3
    assert json.loads(as_json.out.splitlines()[1])["speaker"] == speaker
    assert exported.code == 0
    assert "Good morning." in file.read_text()
    assert "Good morning." in printed.out
    assert nowhere.code == 2
    assert "No such file" in nowhere.err


async def test_refusals_have_exit_codes(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, _):
        unknown = await run(server, "show", "unknown")
        refused = await run(server, "list", "--token", "wrong")
        lost = await run(server, "follow", "unknown")
        nobody = await run(server, "list", "--url", "http://127.0.0.1:9")
        wrong = await run(server, "list", "--url", "ftp://host")
    assert (unknown.code, refused.code, lost.code) == (4, 4, 4)
    assert "There is no such transcript" in unknown.err
    assert "TRAX_TOKEN" in refused.err
    assert nobody.code == 3
    assert wrong.code == 2


async def test_followed_turns_are_printed_when_they_rest(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, shelf), asyncio.timeout(DEADLINE_S):
        made = await shelf.create()
        async with open_transcript(made.id, page(server)) as transcript:
            transcript.insert(0, "before")
            await transcript.saved()
            async with following(server, made.id) as process:
                assert await line_of(process) == "before"
                turn = transcript.split_turn(6, "s1")
                transcript.insert(7, "hello")
                assert await line_of(process) == "s1: hello"
                transcript.name_speaker("s1", "Zoë")
                assert await line_of(process) == "~ Zoë: hello"
                transcript.join_turns(turn)
                assert await line_of(process) == "~ beforehello"


async def test_followed_as_json_every_change_is_a_line(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, shelf), asyncio.timeout(DEADLINE_S):
        made = await shelf.create("Planning")
        async with following(server, made.id, "--json") as process:
            assert json.loads(await line_of(process)) == {"type": "title", "title": "Planning"}
            assert json.loads(await line_of(process)) == {"type": "turns", "turns": []}
            async with open_transcript(made.id, page(server)) as transcript:
                transcript.insert(0, "hello")
                await transcript.saved()
                changed = json.loads(await line_of(process))
                while changed["type"] != "turns":
                    changed = json.loads(await line_of(process))
    assert [run["text"] for run in changed["turns"][0]["runs"]] == ["hello"]


async def test_transcript_that_is_deleted_ends_the_command(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, shelf):
        made = await shelf.create()
        command = ("transcripts", "follow", made.id, "--json")
        async with started(*command, TRAX_URL=page(server)) as process:
            await line_of(process)
            await shelf.delete(made.id)
            _, err = await process.communicate()
    assert process.returncode == 4
    assert b"deleted" in err


async def test_terminal_gets_the_live_screen(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, shelf), asyncio.timeout(DEADLINE_S):
        made = await shelf.create("Planning")
        terminal, inside = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "trax_client", "transcripts", "follow", made.id),
            stdout=inside,
            stderr=PIPE,
            env=environment(TRAX_URL=page(server), TERM="xterm", COLUMNS="80", LINES="24"),
        )
        os.close(inside)
        drawn = b""
        async with open_transcript(made.id, page(server)) as transcript:
            transcript.insert(0, "hello there")
            while b"hello there" not in drawn:
                drawn += await asyncio.to_thread(os.read, terminal, 4_096)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        os.close(terminal)
    assert b"Planning" in drawn
    assert (process.returncode, err) == (0, b"")


async def test_following_needs_its_library(tmp_path: Path) -> None:
    (tmp_path / "pycrdt.py").write_text("raise ImportError('none here')")
    async with library(tmp_path / "server") as (server, _):
        command = ("transcripts", "follow", "t")
        variables = {"TRAX_URL": page(server), "PYTHONPATH": str(tmp_path)}
        async with started(*command, **variables) as process:
            _, err = await process.communicate()
    assert process.returncode == 2
    assert b"pip install 'trax-client[cli,transcript]'" in err
