"""Uploads on a disk that others need as well."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline.errors import Unheard
from offline.jobs import FailureCode
from server import unpacking
from server.errors import UploadError, UploadFault
from server.upload_files import RESERVE_PART, UploadFiles
from streaming.core.domain import Samples
from tests.server.recording_files import RATE, wav
from tests.server.small_disk import mounted

DISK_BYTES = 16 * 1024 * 1024
RESERVE_BYTES = DISK_BYTES // RESERVE_PART
MOST_BYTES = DISK_BYTES - RESERVE_BYTES
"""What all files together may be promised, but for what their folders take."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "data", "16m") as folder:
        yield folder


def test_what_several_files_are_promised_is_added_up(small_disk: Path) -> None:
    files = UploadFiles(small_disk)
    first, second = files.begin(), files.begin()
    first.reserve(MOST_BYTES // 2)
    with pytest.raises(UploadError) as refused:
        second.reserve(MOST_BYTES // 2 + 1)

    assert refused.value.fault is UploadFault.NO_SPACE
    first.close()
    second.reserve(MOST_BYTES // 2 + 1)
    second.close()


def test_what_is_written_is_not_kept_for_a_file_once_more(small_disk: Path) -> None:
    files = UploadFiles(small_disk)
    first, second = files.begin(), files.begin()
    first.reserve(MOST_BYTES // 2)
    first.write(bytes(MOST_BYTES // 2))
    second.reserve(MOST_BYTES // 2 - 100_000)
    with pytest.raises(UploadError):
        first.write(bytes(200_000))  # more than was said
    first.close()
    second.close()


@pytest.mark.slow  # it starts processes
def test_a_job_whose_decoder_does_not_answer_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sessions" / "a"
    folder.mkdir(parents=True)
    (folder / "upload").write_bytes(wav(bytes(2 * RATE)))
    monkeypatch.setattr(unpacking, "STALL_S", 0.001)

    with pytest.raises(Unheard) as refused:
        UploadFiles(tmp_path).unpack("a", Samples(RATE), lambda _part: None)

    failure = refused.value.failure
    assert (failure.code, failure.retry) == (FailureCode.UNAVAILABLE, True)
    assert [each.name for each in folder.iterdir()] == ["upload"]


@pytest.mark.slow  # it starts processes
def test_the_reserve_is_left_free_while_a_file_is_unpacked(small_disk: Path) -> None:
    folder = small_disk / "sessions" / "a"
    folder.mkdir(parents=True)
    (folder / "upload").write_bytes(wav(bytes(2 * RATE)))
    status = os.statvfs(small_disk)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(status.f_bavail * status.f_frsize - RESERVE_BYTES + 50_000))

    with pytest.raises(Unheard) as refused:  # although it would fit
        UploadFiles(small_disk).unpack("a", Samples(RATE), lambda _part: None)

    failure = refused.value.failure
    assert (failure.code, failure.retry) == (FailureCode.UNAVAILABLE, True)
    assert "No space left" in failure.message
    assert [each.name for each in folder.iterdir()] == ["upload"]
    filler.unlink()
    assert UploadFiles(small_disk).unpack("a", Samples(RATE), lambda _part: None)
