"""The command `trax-client`, as a process, against the scripted peer."""

import asyncio
import json
import os
import pty
import re
import signal
import sys
import wave
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.codes import ErrorCode
from tests.clients.peer import NEW_ID, TOKEN, Cut, Ending, Peer, Say, listening
from trax_client.wire import Subprotocol, decode

DEADLINE_S = 60.0
pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command left behind."""

    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRAX_")}
    return kept | {"PYTHONWARNINGS": "error"} | more


@asynccontextmanager
async def started(*arguments: str | Path, **more: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "trax_client", *map(str, arguments)),
        stdout=PIPE,
        stderr=PIPE,
        env=environment(**more),
    )
    async with asyncio.timeout(DEADLINE_S):
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()


async def run(*arguments: str | Path, **more: str) -> Finished:
    async with started(*arguments, **more) as process:
        out, err = await process.communicate()
        assert process.returncode is not None
        return Finished(process.returncode, out.decode(), err.decode())


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """A file of one second."""
    return tone(tmp_path / "talk.wav", 16_000)


def tone(path: Path, samples: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"".join((i * 37 % 4_000).to_bytes(2, "little") for i in range(samples)))
    return path


def samples_of(path: Path) -> bytes:
    with wave.open(str(path), "rb") as file:
        return file.readframes(file.getnframes())


async def test_json_is_one_event_a_line_as_in_the_protocol(second: Path) -> None:
    peer = Peer(partials=True)
    async with listening(peer) as url:
        done = await run("stream", second, "--json", "--pace", "fast", "--url", url)
    assert (done.code, done.err) == (0, "")
    events = [decode(line, Subprotocol.JSON) for line in done.out.splitlines()]
    assert None not in events
    types = [json.loads(line)["type"] for line in done.out.splitlines()]
    assert types[:3] == ["speech_start", "partial", "final"]
    assert types[-2:] == ["stats", "done"]
    assert types.count("final") == 10
    assert bytes(peer.heard) == samples_of(second)


async def test_json_comes_while_the_audio_is_still_sent(tmp_path: Path) -> None:
    async with (
        listening(Peer()) as url,
        started("stream", tone(tmp_path / "long.wav", 320_000), "--json", "--url", url) as process,
    ):
        assert process.stdout is not None
        assert b"speech_start" in await process.stdout.readline()
        assert process.returncode is None


async def test_options_reach_the_server(second: Path) -> None:
    peer = Peer()
    options = "--language de --lookahead-ms 300 --no-diarization --hotword a --hotword b"
    options += " --finals utterance --no-partials --transcript weekly --person Ann"
    options += " --microphone Desk --pace fast"
    async with listening(peer) as url:
        done = await run(
            *("stream", str(second), *options.split()),
            TRAX_URL=url.partition("?")[0],
            TRAX_TOKEN=TOKEN,
        )
    assert done.code == 0
    (start,) = peer.starts
    assert (start.language, start.lookahead_ms, start.diarization) == ("de", 300, False)
    assert (start.hotwords, start.finals, start.partials) == (("a", "b"), "utterance", False)
    assert (start.sample_rate, start.encoding, start.transcript) == (16_000, "pcm_s16le", "weekly")
    assert (start.person, start.microphone) == ("Ann", "Desk")


async def test_plain_output_is_one_line_an_utterance_and_totals_apart(tmp_path: Path) -> None:
    file = tone(tmp_path / "talk.wav", 24_000)
    async with listening(Peer(partials=True)) as url:
        done = await run("stream", file, "--pace", "fast", "--url", url)
    assert done.code == 0
    assert done.out == "[0:00] 0 1 2 3 4 5 6 7 8 9\n[0:01] 10 11 12 13 14\n"
    totals = "0:01 of audio, 15 words, 2 utterances, 0 speakers, 0 corrections\n"
    assert done.err == "talk.wav:\n" + totals


async def test_transcript_is_told_apart_from_the_output(second: Path) -> None:
    options = ("--pace", "fast", "--transcript", "new")
    async with listening(Peer()) as url:
        done = await run("stream", second, *options, "--url", url)
        as_json = await run("stream", second, *options, "--url", url, "--json")
    heading = f"talk.wav (transcript {NEW_ID}, /v1/transcripts/{NEW_ID}/sync):"
    assert (done.code, done.err.splitlines()[0]) == (0, heading)
    assert NEW_ID not in done.out
    assert (as_json.code, as_json.err) == (0, "")


async def test_several_files_are_several_sessions(second: Path, tmp_path: Path) -> None:
    other = tone(tmp_path / "other.wav", 3_200)
    peer = Peer()
    async with listening(peer) as url:
        done = await run("stream", second, other, "--pace", "fast", "--url", url)
    assert (done.code, done.out) == (0, "[0:00] 0 1 2 3 4 5 6 7 8 9\n[0:00] 0 1\n")
    assert [line for line in done.err.splitlines() if line.endswith(":")] == [
        "talk.wav:",
        "other.wav:",
    ]


async def test_lost_connection_is_resumed_unseen(second: Path) -> None:
    peer = Peer(credit=4_000, endings=[Ending(3, Cut())])
    async with listening(peer) as url:
        done = await run("stream", second, "--pace", "fast", "--url", url)
    assert (done.code, done.out) == (0, "[0:00] 0 1 2 3 4 5 6 7 8 9\n")
    assert len(peer.starts) == 2
    assert bytes(peer.heard) == samples_of(second)


async def test_real_time_is_the_default_and_latency_is_told(second: Path) -> None:
    began = asyncio.get_running_loop().time()
    async with listening(Peer()) as url:
        done = await run("stream", second, "--url", url)
    assert asyncio.get_running_loop().time() - began > 1
    assert re.search(r"words final after 0\.\d s on average$", done.err.strip())


async def test_ctrl_c_ends_the_audio_and_shows_the_rest(tmp_path: Path) -> None:
    peer = Peer()
    async with (
        listening(peer) as url,
        started("stream", tone(tmp_path / "long.wav", 320_000), "--json", "--url", url) as process,
    ):
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert json.loads(out.splitlines()[-1])["type"] == "done"
    assert 1_600 <= peer.samples < 160_000


async def test_second_ctrl_c_breaks_off(tmp_path: Path) -> None:
    peer = Peer(deaf_to_end=True)
    async with (
        listening(peer) as url,
        started("stream", tone(tmp_path / "long.wav", 320_000), "--json", "--url", url) as process,
    ):
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        await peer.ends.acquire()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert (process.returncode, err) == (130, b"")


async def test_reader_that_leaves_ends_the_command_quietly(tmp_path: Path) -> None:
    file = tone(tmp_path / "long.wav", 320_000)
    async with listening(Peer()) as url:
        shell = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            '"$0" -m trax_client stream "$1" --json --pace fast --url "$2" | head -n 1',
            *(sys.executable, str(file), url),
            stdout=PIPE,
            stderr=PIPE,
            env=environment(),
        )
        async with asyncio.timeout(DEADLINE_S):
            out, err = await shell.communicate()
    assert (out.count(b"\n"), err) == (1, b"")


# What goes wrong is one line and an exit code


def check_one_line(done: Finished, code: int, *words: str) -> None:
    assert done.code == code
    assert done.out == ""
    assert done.err.startswith("trax-client: ")
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err


async def test_missing_file_is_named_before_anything_is_sent(second: Path, tmp_path: Path) -> None:
    done = await run("stream", second, tmp_path / "absent.wav")
    check_one_line(done, 2, "absent.wav", "no such file")
    check_one_line(await run("stream", second, tmp_path), 2, tmp_path.name, "got a folder")


@pytest.mark.parametrize("name", ["talk.mp3", "talk"])
@pytest.mark.parametrize("content", [b"", b"this is no audio " * 100])
async def test_undecodable_file(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    check_one_line(await run("stream", path), 2, name, "not an audio file")


async def test_server_that_is_not_there(second: Path) -> None:
    async with listening(Peer()) as url:
        pass
    done = await run("stream", second, "--url", url)
    check_one_line(done, 3, "cannot reach ws://127.0.0.1", "is the server running")
    assert TOKEN not in done.err


async def test_wrong_token(second: Path) -> None:
    async with listening(Peer()) as url:
        done = await run("stream", second, "--url", url.partition("?")[0], "--token", "guess")
    check_one_line(done, 4, "unauthorized", "TRAX_TOKEN")


async def test_wrong_url(second: Path) -> None:
    check_one_line(await run("stream", second, "--url", "localhost:8000"), 2, "URL")


async def test_full_server(second: Path) -> None:
    async with listening(Peer(endings=[Ending(0, Say(ErrorCode.OVERLOADED))])) as url:
        check_one_line(await run("stream", second, "--url", url), 4, "overloaded")


async def test_full_server_is_asked_again_when_it_says_so(second: Path) -> None:
    full = Ending(0, Say(ErrorCode.OVERLOADED, retry_after_ms=50))
    async with listening(Peer(endings=[full, full])) as url:
        done = await run("stream", second, "--pace", "fast", "--url", url)
    assert done.code == 0
    assert done.err.count("again in 0.05 s") == 2
    assert "0 1 2 3" in done.out


async def test_session_that_fails_half_way_shows_what_it_has(second: Path) -> None:
    peer = Peer(credit=8_000, endings=[Ending(3, Say(ErrorCode.REPLACED))])
    async with listening(peer) as url:
        done = await run("stream", second, "--pace", "fast", "--url", url)
    assert done.code == 4
    assert done.out.startswith("[0:00] 0 1")
    assert "replaced" in done.err.splitlines()[-1]


async def test_no_microphone_library(tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    done = await run("stream", "--mic", PYTHONPATH=str(tmp_path))
    check_one_line(done, 2, "libportaudio2", "not found")
    (tmp_path / "sounddevice.py").write_text("raise ImportError('no module')")
    done = await run("stream", "--mic", PYTHONPATH=str(tmp_path))
    check_one_line(done, 2, "trax-client[mic]")


@pytest.mark.parametrize("arguments", [[], ["stream"], ["stream", "a.wav", "--mic"]])
async def test_wrong_usage(arguments: Sequence[str]) -> None:
    done = await run(*arguments)
    assert done.code == 2
    assert "usage: trax-client" in done.err


async def test_help_imports_neither_decoder_nor_screen() -> None:
    code = "import sys, trax_client.cli; print({'av', 'rich', 'soundfile'} & set(sys.modules))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=PIPE)
    out, _ = await process.communicate()
    assert out == b"set()\n"
    assert "exit codes" in (await run("--help")).out


async def in_terminal(*arguments: str | Path, **more: str) -> Finished:
    """Run with a terminal as standard output."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "trax_client", *map(str, arguments)),
        stdout=theirs,
        stderr=PIPE,
        env=environment(TERM="xterm-256color", COLUMNS="60", LINES="20", **more),
    )
    os.close(theirs)
    reading = asyncio.create_task(asyncio.to_thread(read_all, ours))
    async with asyncio.timeout(DEADLINE_S):
        _, err = await process.communicate()
        shown = (await reading).decode()
    assert process.returncode is not None
    return Finished(process.returncode, shown, err.decode())


async def test_terminal_gets_the_live_screen(second: Path) -> None:
    async with listening(Peer(partials=True)) as url:
        done = await in_terminal("stream", second, "--url", url)
    assert (done.code, done.err) == (0, "")
    assert "connected" in done.out
    assert "0 1 2 3 4 5 6 7 8 9" in done.out
    assert "10 words" in done.out


async def test_live_screen_is_headed_by_the_transcript(second: Path) -> None:
    async with listening(Peer()) as url:
        done = await in_terminal("stream", second, "--url", url, "--transcript", "weekly")
    assert done.code == 0
    assert "talk.wav (transcript weekly, /v1/transcripts/weekly/sync)" in done.out


async def test_screen_needs_its_library(second: Path, tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise ImportError('no module')")
    done = await in_terminal("stream", second, PYTHONPATH=str(tmp_path))
    check_one_line(done, 2, "trax-client[cli]")


async def test_source_that_breaks_off_leaves_what_was_heard(tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text(UNPLUGGED)
    peer = Peer()
    async with listening(peer) as url:
        done = await run("stream", "--mic", "--url", url, PYTHONPATH=str(tmp_path))
    assert (done.code, done.out) == (2, "[0:00] 0 1 2\n")
    assert done.err.splitlines()[-1] == "trax-client: the microphone stopped"


UNPLUGGED = """
class PortAudioError(Exception):
    pass


class RawInputStream:
    def __init__(self, callback, finished_callback, **options):
        self.callback, self.finished = callback, finished_callback

    def start(self):
        for _ in range(3):
            self.callback(bytes(3200), 1600, None, None)
        self.finished()

    def close(self):
        pass
"""


def read_all(terminal: int) -> bytes:
    shown = bytearray()
    while True:
        try:
            piece = os.read(terminal, 4_096)
        except OSError:  # Linux's way to say that the other side is closed
            piece = b""
        if not piece:
            os.close(terminal)
            return bytes(shown)
        shown += piece
