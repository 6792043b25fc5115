"""What was recorded of a transcript: sessions on one clock, mixed, any byte of it."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.audio import HEADER_BYTES, Track, WavFile
from server.recordings import Archive
from streaming.core.domain import Samples

PARTS = st.lists(
    st.tuples(st.integers(-5, 40), st.lists(st.integers(-32_768, 32_767), max_size=30)),
    max_size=3,
)


def tracks(folder: Path, parts: Sequence[tuple[int, Sequence[int]]]) -> list[Track]:
    """Write recordings, each given by its offset and its samples."""
    made = []
    for number, (offset, samples) in enumerate(parts):
        path = audio_of(folder, f"s{number}")
        path.parent.mkdir(parents=True)
        path.write_bytes(np.array(samples, "<i2").tobytes())
        made.append(Track.recorded(Archive(folder), f"s{number}", offset))
    return made


def audio_of(folder: Path, session: str) -> Path:
    return folder / "sessions" / session / "audio.pcm"


def heard(content: bytes) -> list[int]:
    """Return the samples of a WAV file, as Python's own reader finds them."""
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        return [int(each) for each in np.frombuffer(file.readframes(file.getnframes()), "<i2")]


def whole(file: WavFile) -> bytes:
    return file.read(0, file.size_bytes)


@given(PARTS, st.integers(0, 50), st.none() | st.integers(0, 80))
def test_a_file_is_the_sum_of_what_was_recorded(
    parts: list[tuple[int, list[int]]], start: int, end: int | None
) -> None:
    sums = [0] * 100
    for offset, samples in parts:
        for number, value in enumerate(samples):
            if offset + number >= 0:
                sums[offset + number] += value
    recorded = max([0, *(offset + len(samples) for offset, samples in parts)])
    until = recorded if end is None else min(end, recorded)

    with TemporaryDirectory() as folder:
        cut = None if end is None else Samples(end)
        file = WavFile.cut(tracks(Path(folder), parts), Samples(start), cut)

        expected = [max(-32_768, min(32_767, value)) for value in sums[start:until]]
        assert heard(whole(file)) == expected


@given(PARTS, st.data())
def test_any_bytes_are_those_of_the_whole_file(
    parts: list[tuple[int, list[int]]], data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        file = WavFile.cut(tracks(Path(folder), parts), Samples(0), None)
        first = data.draw(st.integers(0, file.size_bytes))
        end = data.draw(st.integers(first, file.size_bytes))

        assert file.read(first, end) == whole(file)[first:end]


def test_a_file_does_not_change_while_more_is_recorded(tmp_path: Path) -> None:
    (track,) = tracks(tmp_path, [(0, [1, 2, 3])])
    before = WavFile.cut([track], Samples(0), None)
    with audio_of(tmp_path, track.session).open("ab") as file:
        file.write(b"\4\0\5")  # and half of a sample
    after = WavFile.cut([Track.recorded(track.archive, track.session, 0)], Samples(0), None)

    assert heard(whole(before)) == [1, 2, 3]
    assert heard(whole(after)) == [1, 2, 3, 4]
    assert before.tag != after.tag


def test_a_part_that_is_over_keeps_its_tag_while_more_is_recorded(tmp_path: Path) -> None:
    (track,) = tracks(tmp_path, [(0, [1, 2, 3])])
    before = WavFile.cut([track], Samples(0), Samples(2))
    with audio_of(tmp_path, track.session).open("ab") as file:
        file.write(b"\4\0")
    after = WavFile.cut([Track.recorded(track.archive, track.session, 0)], Samples(0), Samples(2))

    assert before.tag == after.tag


def test_a_recording_that_was_removed_is_silent(tmp_path: Path) -> None:
    first, second = tracks(tmp_path, [(0, [1, 2, 3]), (1, [10])])
    file = WavFile.cut([first, second], Samples(0), None)
    audio_of(tmp_path, first.session).unlink()

    assert heard(whole(file)) == [0, 10, 0]
    assert Track.recorded(first.archive, first.session, 0).samples == 0


def test_nothing_recorded_is_a_valid_file() -> None:
    file = WavFile.cut([], Samples(5), None)

    assert file.size_bytes == HEADER_BYTES
    assert heard(whole(file)) == []
