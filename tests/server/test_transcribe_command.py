"""`trax transcribe`: files in, documents out; what is wrong with one does not stop the others."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from server.cli import run
from tests.server.api.asking import ask, ask_until, made
from tests.server.recording_files import wav
from tests.server.small_disk import mounted
from tests.server.talking import running, samples, talk

pytestmark = pytest.mark.slow  # each file is decoded in a process of its own

DEADLINE_S = 60.0
TONE = wav(samples(12.0))


def transcribe(folder: Path, *arguments: str) -> int:
    """Run the command with a script of four words for a recognizer."""
    (folder / "script.json").write_text(talk(20))
    return run(["transcribe", *arguments, *options(folder)], {})


def options(folder: Path) -> list[str]:
    return ["--live-model", f"scripted:{folder / 'script.json'}", "--cache-dir", str(folder / "c")]


def recording(folder: Path, name: str) -> str:
    (folder / name).write_bytes(TONE)
    return str(folder / name)


@pytest.mark.parametrize("kind", ["json", "txt", "srt", "vtt", "md", "docx", "rttm"])
def test_a_recording_becomes_a_file_of_any_format(
    tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    talk_wav = recording(tmp_path, "talk.wav")

    assert transcribe(tmp_path, talk_wav, "--format", kind) == 0

    content = (tmp_path / f"talk.{kind}").read_bytes()
    assert content
    if kind in ("txt", "srt", "vtt", "md"):
        assert b"w0 w1" in content
    assert capfd.readouterr() == ("", "")  # nobody looks, so nothing is shown


def test_a_recording_becomes_files_of_several_formats(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    talk_wav = recording(tmp_path, "talk.wav")
    (tmp_path / "talk.vtt").write_text("of before")
    several = ("--format", "srt", "--format", "vtt", "--format", "md", "--format", "srt")

    assert transcribe(tmp_path, talk_wav, *several) == 0

    assert "w0 w1" in (tmp_path / "talk.srt").read_text()
    assert "w0 w1" in (tmp_path / "talk.md").read_text()
    assert (tmp_path / "talk.vtt").read_text() == "of before"
    assert "talk.vtt is there already" in capfd.readouterr().err

    assert transcribe(tmp_path, talk_wav, *several, "--output", "-") == 1
    assert "one --format expected, got several" in capfd.readouterr().err


async def test_the_shell_and_the_server_hear_the_same(tmp_path: Path) -> None:
    async with running(tmp_path, talk(20), passes=None, cache_dir=tmp_path / "d") as server:
        path = await made(server)
        job = (await ask(server, "POST", f"{path}/audio", TONE)).headers["location"]
        await ask_until(server, job, lambda reply: bool(reply.json["state"] == "done"))
        by_server = (await ask(server, "GET", f"{path}/export?format=json")).json

    assert transcribe(tmp_path, recording(tmp_path, "talk.wav"), "--format", "json") == 0

    by_shell = json.loads((tmp_path / "talk.json").read_text())
    assert by_shell["duration_ms"] == by_server["duration_ms"] == 12_000
    assert by_shell["language"] == by_server["language"]
    assert without_ids(by_shell["turns"]) == without_ids(by_server["turns"])
    assert len(by_shell["turns"]) > 0


def without_ids(turns: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{key: value for key, value in turn.items() if key != "id"} for turn in turns]


def test_what_is_wrong_with_one_file_does_not_stop_the_others(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.mp3").write_text("This is no recording.\n")
    (tmp_path / "broken.wav").write_bytes(wav(samples(12.0), said_bytes=640_000))
    files = [str(tmp_path / name) for name in ("notes.mp3", "none.mp3", "broken.wav")]

    assert transcribe(tmp_path, *files, str(tmp_path), recording(tmp_path, "talk.wav")) == 1

    lines = capfd.readouterr().err.splitlines()
    assert lines[0].startswith(f"trax: {tmp_path}/notes.mp3: expected a recording")
    assert lines[0].endswith("got a text")
    assert [line.removeprefix(f"trax: {tmp_path}") for line in lines[1:]] == [
        "/none.mp3: No such file or directory",
        "/broken.wav: the file breaks off 8 s before its end",
        ": a recording expected, got a folder",
    ]
    assert {path.name for path in tmp_path.glob("*.txt")} == {"broken.txt", "talk.txt"}


def test_what_is_there_is_replaced_only_when_asked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    talk_wav = recording(tmp_path, "talk.wav")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "talk.txt").write_text("mine")
    out = ("--output", str(tmp_path / "out"))

    assert transcribe(tmp_path, talk_wav, *out) == 0
    assert (tmp_path / "out" / "talk.txt").read_text() == "mine"
    assert "--force" in capfd.readouterr().err
    assert transcribe(tmp_path, talk_wav, *out, "--force") == 0
    assert "w0" in (tmp_path / "out" / "talk.txt").read_text()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["talk.txt"]


def test_a_folder_that_cannot_be_made_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()

    assert transcribe(tmp_path, recording(tmp_path, "a.wav"), "--output", f"{tmp_path}/file/x") == 1
    assert f"{tmp_path}/file/x: Not a directory" in capfd.readouterr().err


def test_what_is_no_file_is_refused_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)

    assert transcribe(tmp_path, str(pipe)) == 1

    assert "a file expected, got a pipe or a device" in capfd.readouterr().err


def test_the_folder_that_is_full_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with mounted(tmp_path / "full", "64k") as full:
        monkeypatch.setattr(tempfile, "tempdir", str(full))
        assert transcribe(tmp_path, recording(tmp_path, "talk.wav")) == 1

    assert f"{full}: No space left on device" in capfd.readouterr().err


def test_two_recordings_never_become_one_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recording(tmp_path, "same.wav")
    recording(tmp_path, "same.mp3")
    monkeypatch.chdir(tmp_path)

    assert transcribe(tmp_path, "same.wav", str(tmp_path / "same.mp3")) == 1
    assert "one recording of that name expected, got several" in capfd.readouterr().err


def test_results_go_to_standard_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    files = [recording(tmp_path, name) for name in ("a.wav", "b.wav")]

    assert transcribe(tmp_path, *files, "--output", "-", "--format", "srt") == 0

    out, err = capfd.readouterr()
    assert out.count("w0 w1") == 2
    assert err == ""
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["a.wav", "b.wav", "script.json"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("a/talk.wav", "b/talk.mp3", "--output", "."), "one recording of that name"),
        (("talk.wav", "--output", "script.json"), "a folder or - expected"),
        (("talk.wav", "--model", "scripted:none.json"), "a script"),
        (("talk.wav", "--language", "xx"), "xx"),
        (("a.wav", "b.wav", "--output", "-", "--format", "docx"), "--format docx"),
    ],
)
def test_what_no_file_could_do_stops_at_once(
    tmp_path: Path,
    arguments: tuple[str, ...],
    what: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    recording(tmp_path, "talk.wav")

    assert transcribe(tmp_path, *arguments) == 1

    assert what in capfd.readouterr().err
    assert not list(tmp_path.glob("*.txt"))


LIVE_ALONE = '[[stage]]\nname = "utterance"\nwhen = "utterance"\n'


def test_passes_that_hear_no_files_stop_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "passes.toml").write_text(LIVE_ALONE)
    passes = str(tmp_path / "passes.toml")

    assert transcribe(tmp_path, recording(tmp_path, "talk.wav"), "--passes", passes) == 1

    expected = "a stage of the moment recording expected, got none"
    said = f"trax: --passes (TRAX_PASSES): {passes}: passes: {expected}\n"
    assert capfd.readouterr().err == said
    assert not list(tmp_path.glob("*.txt"))


def test_what_is_too_long_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "long.wav").write_bytes(wav(bytes(1_000), said_bytes=2 * 3600 * 32_000))

    assert transcribe(tmp_path, str(tmp_path / "long.wav"), "--upload-hours", "1") == 1

    assert "at most 1:00:00, got 2:00:00" in capfd.readouterr().err


def read_all(terminal: int) -> bytes:
    """Return what is shown on a terminal until nobody holds its other end, and close it."""
    shown = b""
    try:
        while piece := os.read(terminal, 4_096):
            shown += piece
    except OSError:  # the other end is gone
        os.close(terminal)
    return shown


def test_a_terminal_sees_how_far_it_is(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text(talk(20))
    talk_wav = recording(tmp_path, "talk.wav")
    terminal, inside = pty.openpty()
    command = [sys.executable, "-m", "server", "transcribe", talk_wav, *options(tmp_path)]
    with subprocess.Popen(
        command, stdout=inside, stderr=inside, env=os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    ) as process:
        os.close(inside)
        shown = read_all(terminal)

    assert process.returncode == 0
    assert b"talk.wav" in shown
    assert b"%" in shown
    assert b"talk.txt (0:00:12)" in shown


def until_decoding(process: subprocess.Popen[bytes], temporary: Path) -> None:
    """Wait until a file is being decoded into a folder."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not list(temporary.glob("*/.audio.pcm.*")):
        assert process.poll() is None, "it ended before it decoded anything"
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def long_recording(folder: Path) -> list[str]:
    """Prepare what takes seconds to decode; return the command that does."""
    (folder / "script.json").write_text(talk(20))
    (folder / "temporary").mkdir()
    silence_bytes = 4 * 3_600 * 32_000  # nothing of it is on the disk
    (folder / "long.wav").write_bytes(wav(b"", said_bytes=silence_bytes))
    os.truncate(folder / "long.wav", 44 + silence_bytes)
    command = [sys.executable, "-m", "server", "transcribe", str(folder / "long.wav")]
    return [*command, *options(folder)]


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_stops_it_is_told_how_to_go_on_and_nothing_is_left(
    tmp_path: Path, how: signal.Signals, code: int
) -> None:
    temporary = tmp_path / "temporary"
    with subprocess.Popen(
        long_recording(tmp_path),
        stderr=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(temporary)},
    ) as process:
        until_decoding(process, temporary)
        process.send_signal(how)
        _, err = process.communicate(timeout=DEADLINE_S)

    assert process.returncode == code
    assert err == b"trax: stopped; the same command goes on from here\n"
    assert not list(temporary.iterdir())
    assert not list(tmp_path.glob("*.txt"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_terminal_has_its_cursor_again(tmp_path: Path, how: signal.Signals) -> None:
    terminal, inside = pty.openpty()
    with subprocess.Popen(
        long_recording(tmp_path),
        stdout=inside,
        stderr=inside,
        env=os.environ | {"TERM": "xterm", "TMPDIR": str(tmp_path / "temporary")},
    ) as process:
        os.close(inside)
        until_decoding(process, tmp_path / "temporary")
        process.send_signal(how)
        shown = read_all(terminal)

    assert shown.rfind(b"\x1b[?25h") > shown.find(b"\x1b[?25l") >= 0
    assert shown.rstrip().endswith(b"goes on from here")
