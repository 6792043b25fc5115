"""Decoding in a process of its own: what it gives, and that it harms nobody whatever happens."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from server import unpacking
from server.errors import DecoderLost, MediaError, MediaFault
from server.settings import Settings
from server.unpacking import Unpacked, examine, unpack
from server.upload_files import longest_upload
from streaming.core.domain import Samples
from tests.server.recording_files import RATE, Pcm16, read_speech, wav, write_recording
from tests.server.small_disk import mounted

pytestmark = pytest.mark.slow  # each starts processes

HOUR = Samples(3600 * RATE)


@pytest.fixture(scope="module")
def jfk(speech: Path) -> Pcm16:
    return read_speech(speech / "items" / "jfk.flac")


def ignore(_part: float | None) -> None:
    """Take no notice of progress."""


def test_a_recording_is_examined_and_unpacked(tmp_path: Path, jfk: Pcm16) -> None:
    path = write_recording(tmp_path / "talk.m4a", jfk, "speech.m4a")
    parts: list[float | None] = []

    examined = examine(path, HOUR)
    unpacked = unpack(path, tmp_path / "audio.pcm", HOUR, parts.append)

    assert (examined.container, examined.codec) == ("mov,mp4,m4a,3gp,3g2,mj2", "aac")
    assert examined.length is not None
    assert abs(examined.length - len(jfk)) < 0.1 * RATE
    assert unpacked.damage is None
    assert (tmp_path / "audio.pcm").stat().st_size == 2 * unpacked.samples
    assert abs(unpacked.samples - len(jfk)) < 0.1 * RATE
    assert parts[-1] == pytest.approx(1.0, abs=0.01)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_is_no_recording_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_text("This is no recording.\n")

    for use in (
        lambda: examine(tmp_path / "talk.mp3", HOUR),
        lambda: unpack(tmp_path / "talk.mp3", tmp_path / "audio.pcm", HOUR, ignore),
    ):
        with pytest.raises(MediaError) as refused:
            use()
        assert (refused.value.fault, refused.value.got) == (MediaFault.UNREADABLE, "a text")

    assert [path.name for path in tmp_path.iterdir()] == ["talk.mp3"]


def test_what_is_too_long_is_not_begun(tmp_path: Path, jfk: Pcm16) -> None:
    path = write_recording(tmp_path / "talk.flac", jfk, "speech.flac")

    for use in (
        lambda: examine(path, Samples(RATE)),
        lambda: unpack(path, path, Samples(RATE), ignore),
    ):
        with pytest.raises(MediaError) as refused:
            use()
        assert refused.value.fault is MediaFault.TOO_LONG


def test_ten_hours_are_looked_into_and_a_second_more_is_refused(tmp_path: Path) -> None:
    limit, rate = longest_upload(Settings().upload_hours), 8_000
    for seconds in (36_000, 36_001):
        size_bytes = seconds * rate * 2
        path = tmp_path / f"{seconds}.wav"
        path.write_bytes(wav(b"", rate=rate, said_bytes=size_bytes))
        os.truncate(path, 44 + size_bytes)  # silence; nothing of it is on the disk

    assert examine(tmp_path / "36000.wav", limit).length == 36_000 * RATE
    with pytest.raises(MediaError) as refused:
        examine(tmp_path / "36001.wav", limit)

    assert (refused.value.fault, refused.value.got) == (MediaFault.TOO_LONG, "10:00:01")


def test_damage_is_told(tmp_path: Path, jfk: Pcm16) -> None:
    path = write_recording(tmp_path / "talk.flac", jfk, "speech.flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    unpacked = unpack(path, tmp_path / "audio.pcm", HOUR, ignore)

    assert unpacked.damage is not None
    assert "breaks off" in unpacked.damage
    assert unpacked.missing + unpacked.samples == pytest.approx(len(jfk), abs=0.1 * RATE)
    assert "2 damaged places" in (Unpacked(Samples(1), 2, Samples(0)).damage or "")


class Enough(Exception):
    """Somebody has seen enough."""


def test_who_has_seen_enough_ends_it(tmp_path: Path) -> None:
    (tmp_path / "long.wav").write_bytes(wav(bytes(2 * 3600 * RATE)))

    def stop(_part: float | None) -> None:
        raise Enough

    with pytest.raises(Enough):
        unpack(tmp_path / "long.wav", tmp_path / "audio.pcm", HOUR, stop)

    assert [path.name for path in tmp_path.iterdir()] == ["long.wav"]
    assert children() == []


@pytest.fixture
def decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program of a decoder that does what is written there."""
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "server" / "unpacking.py"


def test_a_decoder_that_crashes_is_a_recording_that_cannot_be_decoded(
    tmp_path: Path, decoder: Path
) -> None:
    decoder.write_text("import os; os.abort()")

    with pytest.raises(MediaError) as refused:
        examine(tmp_path / "talk.wav", HOUR)

    assert refused.value.got == "one at which the decoder fails"


@pytest.mark.parametrize(
    ("program", "got"),
    [
        ("import os; os.kill(os.getpid(), 9)", "one that was killed by SIGKILL"),
        ("raise MemoryError", "one with exit code 1"),
    ],
)
def test_a_decoder_that_is_killed_says_nothing_about_the_recording(
    tmp_path: Path, decoder: Path, program: str, got: str
) -> None:
    decoder.write_text(program)

    for use in (
        lambda: examine(tmp_path / "talk.wav", HOUR),
        lambda: unpack(tmp_path / "talk.wav", tmp_path / "audio.pcm", HOUR, ignore),
    ):
        with pytest.raises(DecoderLost) as lost:
            use()
        assert lost.value.got == got

    assert list(tmp_path.glob("*.pcm*")) == list(tmp_path.glob(".*.pcm*")) == []


def test_a_decoder_that_is_done_ends_as_programs_do(tmp_path: Path, jfk: Pcm16) -> None:
    path = write_recording(tmp_path / "talk.flac", jfk, "speech.flac")
    command = [sys.executable, "-m", "server.unpacking", "examine", str(path), str(HOUR)]
    pipe = subprocess.PIPE

    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_a_decoder_that_stands_still_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "never.wav")
    monkeypatch.setattr(unpacking, "STALL_S", 0.3)

    with pytest.raises(DecoderLost) as lost:
        examine(tmp_path / "never.wav", HOUR)

    assert lost.value.got == "one that stood still for 0.3 s"
    assert children() == []


def test_what_cannot_be_read_or_written_is_told_as_such(tmp_path: Path, jfk: Pcm16) -> None:
    path = write_recording(tmp_path / "talk.flac", jfk, "speech.flac")

    with pytest.raises(FileNotFoundError):
        examine(tmp_path / "nowhere.wav", HOUR)
    with pytest.raises(FileNotFoundError):
        unpack(path, tmp_path / "nowhere" / "audio.pcm", HOUR, ignore)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    with mounted(tmp_path / "small", "1m") as folder:
        yield folder


def test_a_full_disk_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    (tmp_path / "long.wav").write_bytes(wav(random.Random(1).randbytes(4_000_000)))

    with pytest.raises(OSError, match="No space left") as refused:
        unpack(tmp_path / "long.wav", small_disk / "audio.pcm", HOUR, ignore)

    assert refused.value.errno == errno.ENOSPC
    assert list(small_disk.iterdir()) == []


def test_several_may_unpack_the_same_at_once_and_what_was_left_by_the_killed_goes(
    tmp_path: Path, jfk: Pcm16
) -> None:
    path = write_recording(tmp_path / "talk.flac", jfk, "speech.flac")
    target = tmp_path / "audio.pcm"
    (tmp_path / ".audio.pcm.0badcafe").write_bytes(b"left")
    began: list[Unpacked] = []

    def meanwhile(_part: float | None) -> None:
        if not began:
            began.append(unpack(path, target, HOUR, ignore))

    unpacked = unpack(path, target, HOUR, meanwhile)

    assert began == [unpacked]
    assert target.stat().st_size == 2 * unpacked.samples
    assert sorted(each.name for each in tmp_path.iterdir()) == ["audio.pcm", "talk.flac"]


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never.wav")
    code = (
        "import sys; from pathlib import Path; from server.unpacking import examine;"
        "examine(Path(sys.argv[1]), 16_000)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "never.wav")]) as parent:
        found: list[psutil.Process] = []
        while not found:
            found = psutil.Process(parent.pid).children(recursive=True)
        parent.send_signal(signal.SIGKILL)
    psutil.wait_procs(found, timeout=10)

    assert not any(child.is_running() and child.status() != "zombie" for child in found)


def test_an_hour_takes_no_more_memory_than_minutes(tmp_path: Path) -> None:
    peaks = []
    for minutes in (6, 60):
        path = tmp_path / f"{minutes}.wav"
        with path.open("wb") as file:
            size_bytes = minutes * 60 * 8_000 * 2
            file.write(wav(b"", rate=8_000, said_bytes=size_bytes))
            file.truncate(44 + size_bytes)
        peak = 0

        def look(_part: float | None) -> None:
            nonlocal peak
            peak = max([peak, *(child.memory_info().rss for child in children())])

        unpacked = unpack(path, tmp_path / "audio.pcm", HOUR, look)
        assert unpacked.samples == minutes * 60 * RATE
        assert np.fromfile(tmp_path / "audio.pcm", "<i2", 1_000).any() == 0
        peaks.append(peak)
        (tmp_path / "audio.pcm").unlink()

    assert peaks[1] < 1.2 * peaks[0] + 10_000_000


def children() -> list[psutil.Process]:
    """Return the decoders that there are."""
    found = psutil.Process().children(recursive=True)
    return [child for child in found if "server.unpacking" in child.cmdline()]
