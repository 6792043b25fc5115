"""Writing in worker threads: in order, gathered, and never overtaken."""

import asyncio
import errno
import gc
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path

import numpy as np
import pytest

from server.disk import Disk, Scribe
from server.errors import RecordingClosed
from server.journal import Entry
from server.recordings import Archive, Manifest, Recording
from streaming.core.domain import Samples, UtteranceId
from streaming.core.events import SpeechStarted
from tests.server.test_recordings import MANIFEST


class SlowRecording(Recording):
    """Writes when it is told to, and remembers each write."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        super().__init__(folder, manifest)
        self.go = threading.Event()
        self.writes: list[tuple[int, list[int]]] = []
        self.failure: OSError | None = None

    def append(self, audio: bytes, entries: Sequence[Entry]) -> None:
        assert self.go.wait(10)
        if self.failure is not None:
            raise self.failure
        self.writes.append((len(audio) // 2, [entry.seq for entry in entries]))
        super().append(audio, entries)


@pytest.fixture
async def disk() -> AsyncIterator[Disk]:
    disk = Disk()
    yield disk
    disk.close()


@pytest.fixture
def recording(tmp_path: Path) -> SlowRecording:
    Archive(tmp_path).create(MANIFEST).close()
    return SlowRecording(tmp_path / "sessions" / MANIFEST.session, MANIFEST)


def entry(seq: int) -> Entry:
    return Entry(seq, SpeechStarted(UtteranceId(seq), Samples(0)))


def audio(count: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.zeros(count, dtype=np.int16)


def no_space() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def begun(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """Begin something, as far as it goes without waiting."""
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    return task


async def test_what_comes_during_a_write_is_gathered_into_the_next(
    disk: Disk, recording: SlowRecording
) -> None:
    scribe = Scribe(recording, disk)
    scribe.add_audio(audio(1))
    first = await begun(scribe.flush())
    for seq in (1, 2, 3):
        scribe.add_audio(audio(10))
        scribe.add_entry(entry(seq))
    assert (scribe.samples, scribe.written) == (31, 0)

    recording.go.set()
    await first
    await scribe.flush()

    assert recording.writes == [(1, []), (30, [1, 2, 3])]
    assert scribe.written == 31


async def test_a_cancelled_flush_is_not_overtaken(disk: Disk, recording: SlowRecording) -> None:
    scribe = Scribe(recording, disk)
    scribe.add_entry(entry(1))
    first = await begun(scribe.flush())
    scribe.add_entry(entry(2))
    second = await begun(scribe.flush())

    first.cancel()
    recording.go.set()
    await asyncio.gather(first, second, return_exceptions=True)

    assert first.cancelled()
    assert recording.writes == [(0, [1]), (0, [2])]


async def test_a_flush_that_fails_after_it_was_cancelled_is_logged(
    disk: Disk, recording: SlowRecording, caplog: pytest.LogCaptureFixture
) -> None:
    scribe = Scribe(recording, disk)
    recording.failure = no_space()
    scribe.add_entry(entry(1))
    flush = await begun(scribe.flush())

    flush.cancel()
    recording.go.set()
    await asyncio.gather(flush, return_exceptions=True)
    gc.collect()

    assert flush.cancelled()
    assert [record.message for record in caplog.records] == ["recording not written"]


async def test_nothing_added_is_nothing_written(disk: Disk, recording: SlowRecording) -> None:
    scribe = Scribe(recording, disk)
    scribe.add_audio(audio(0))

    await scribe.flush()

    assert recording.writes == []


async def test_a_closed_recording_says_so(disk: Disk, recording: SlowRecording) -> None:
    recording.close()
    recording.close()
    recording.go.set()
    scribe = Scribe(recording, disk)
    scribe.add_entry(entry(1))

    with pytest.raises(RecordingClosed):
        await scribe.flush()


async def test_audio_is_gathered_for_a_while_before_it_is_written(
    disk: Disk, recording: SlowRecording
) -> None:
    scribe = Scribe(recording, disk)
    waiting = asyncio.create_task(scribe.wait())
    for _ in range(3):
        scribe.add_audio(audio(10))
        await asyncio.sleep(0)
    assert not waiting.done()

    await waiting
    recording.go.set()
    await scribe.flush()

    assert recording.writes == [(30, [])]


async def test_finishing_writes_what_came_last(disk: Disk, recording: SlowRecording) -> None:
    recording.go.set()
    scribe = Scribe(recording, disk)
    scribe.add_audio(audio(10))
    await scribe.flush()
    scribe.add_audio(audio(5))

    await scribe.finish()

    assert recording.writes == [(10, []), (5, [])]


async def test_nothing_is_written_after_a_write_that_failed(
    disk: Disk, recording: SlowRecording
) -> None:
    scribe = Scribe(recording, disk)
    recording.failure = no_space()
    scribe.add_audio(audio(10))
    first = await begun(scribe.flush())
    scribe.add_audio(audio(5))
    second = await begun(scribe.flush())
    first.add_done_callback(lambda _: setattr(recording, "failure", None))

    recording.go.set()
    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    await scribe.finish()

    assert [str(outcome) for outcome in outcomes] == ["[Errno 28] No space left on device"] * 2
    assert recording.writes == []


async def test_finishing_where_nothing_can_be_written_is_logged(
    disk: Disk, recording: SlowRecording, caplog: pytest.LogCaptureFixture
) -> None:
    recording.go.set()
    recording.failure = no_space()
    scribe = Scribe(recording, disk)
    scribe.add_audio(audio(10))

    await scribe.finish()

    assert [record.message for record in caplog.records] == ["recording not written"]
