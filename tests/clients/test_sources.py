"""Any file becomes 16 kHz mono, in equal blocks, at the pace asked for."""

import asyncio
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from trax_client.decoding import decode
from trax_client.sources import (
    BLOCK_BYTES,
    FileSource,
    Source,
    SourceError,
    cut,
    open_microphone,
)

RATE = 44_100
TONE_HZ = 440


def tone(channels: int, seconds: float = 1.0) -> bytes:
    times = np.arange(int(RATE * seconds)) / RATE
    mono = (8_000 * np.sin(2 * np.pi * TONE_HZ * times)).astype(np.int16)
    return np.repeat(mono[:, None], channels, axis=1).tobytes()


def with_soundfile(path: Path, kind: str, channels: int) -> Path:
    with soundfile.SoundFile(path, "w", RATE, channels, "PCM_16", format=kind) as file:
        file.buffer_write(tone(channels), dtype="int16")
    return path


def with_av(path: Path, codec: str) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=48_000)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(
            np.frombuffer(tone(1), np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate = RATE
        resampler = av.AudioResampler(stream.format, stream.layout, stream.rate)
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            for packet in stream.encode(piece):
                container.mux(packet)
    return path


def check_tone(pcm: bytes) -> None:
    """It is a second of the tone, at 16 kHz."""
    samples = np.frombuffer(pcm, np.int16).astype(float)
    assert abs(len(samples) - 16_000) < 1_200  # encoders pad
    spectrum = np.abs(np.fft.rfft(samples[2_000:14_000]))
    assert abs(np.argmax(spectrum) * 16_000 / 12_000 - TONE_HZ) < 2
    assert 5_000 < np.abs(samples[2_000:14_000]).max() < 10_000


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda folder: with_soundfile(folder / "a.wav", "WAV", 1), id="wav"),
        pytest.param(lambda folder: with_soundfile(folder / "a.flac", "FLAC", 2), id="flac stereo"),
        pytest.param(lambda folder: with_soundfile(folder / "a", "AIFF", 2), id="no suffix"),
        pytest.param(
            lambda folder: with_soundfile(folder / "a.mat", "MAT5", 2), id="soundfile only"
        ),
        pytest.param(lambda folder: with_av(folder / "a.mp3", "libmp3lame"), id="mp3"),
        pytest.param(lambda folder: with_av(folder / "a.m4a", "aac"), id="aac"),
        pytest.param(lambda folder: with_av(folder / "a.webm", "libopus"), id="opus"),
    ],
)
def test_any_format_becomes_16_khz_mono(make: Callable[[Path], Path], tmp_path: Path) -> None:
    check_tone(b"".join(decode(make(tmp_path))))


def test_video_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
        for frame in [av.VideoFrame(32, 32, "yuv420p"), None]:
            for packet in stream.encode(frame):
                container.mux(packet)
    with pytest.raises(SourceError, match="no audio in it"):
        decode(path)


def test_truncated_file_gives_what_it_has(tmp_path: Path) -> None:
    whole = with_soundfile(tmp_path / "a.flac", "FLAC", 1)
    cut_off = tmp_path / "b.flac"
    cut_off.write_bytes(whole.read_bytes()[:-8_000])
    heard = bytearray()

    def listen() -> None:
        for piece in decode(cut_off):
            heard.extend(piece)

    with suppress(SourceError):  # FFmpeg may or may not complain
        listen()
    assert 8_000 < len(heard) < 32_000


@pytest.mark.slow
@given(st.lists(st.binary(max_size=30)), st.integers(1, 20))
def test_blocks_are_equal_and_lose_nothing(pieces: list[bytes], size: int) -> None:
    blocks = list(cut(pieces, size))
    assert b"".join(blocks) == b"".join(pieces)
    assert all(len(block) == size for block in blocks[:-1])
    assert all(0 < len(block) <= size for block in blocks)


async def collect(source: Source) -> list[bytes]:
    return [block async for block in source.blocks()]


@pytest.mark.slow
async def test_real_time_means_not_before_it_would_have_been_spoken(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with soundfile.SoundFile(path, "w", 16_000, 1, "PCM_16") as file:
        file.buffer_write(bytes(2 * BLOCK_BYTES + 10), dtype="int16")
    clock = asyncio.get_running_loop().time
    began = clock()
    blocks = await collect(FileSource(path, real_time=True))
    assert clock() - began >= 0.3
    assert [len(block) for block in blocks] == [BLOCK_BYTES, BLOCK_BYTES, 10]
    assert await collect(FileSource(path, real_time=False)) == blocks


async def test_file_without_a_sample_is_no_audio(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    soundfile.write(path, np.zeros(0, dtype=np.float32), 16_000)

    with pytest.raises(SourceError, match="no audio in it"):
        await collect(FileSource(path, real_time=False))


def test_missing_file_and_missing_library_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceError, match="no such file"):
        FileSource(tmp_path / "a.wav", real_time=False)
    path = with_soundfile(tmp_path / "a.wav", "WAV", 1)
    monkeypatch.delitem(sys.modules, "trax_client.decoding")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SourceError, match=r"trax-client\[cli\]"):
        FileSource(path, real_time=False)


class FakeInput:
    """Calls back from the event loop, as sounddevice does from its thread."""

    def __init__(
        self,
        *,
        callback: Callable[..., None],
        finished_callback: Callable[[], None],
        **options: object,
    ) -> None:
        assert options == {
            "samplerate": 16_000,
            "channels": 1,
            "dtype": "int16",
            "blocksize": 1_600,
        }
        self._callback = callback
        self._finished = finished_callback

    def start(self) -> None:
        for number in range(3):
            buffer = bytearray([number]) * BLOCK_BYTES
            self._callback(buffer, 1_600, None, None)
            buffer[:] = bytes(BLOCK_BYTES)  # it is reused

    def close(self) -> None:
        self._finished()


@pytest.fixture
def sounddevice(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """A sounddevice with a microphone."""
    module = types.ModuleType("sounddevice")
    module.PortAudioError = type("PortAudioError", (Exception,), {})  # type: ignore[attr-defined]  # a stand-in
    module.RawInputStream = FakeInput  # type: ignore[attr-defined]  # likewise
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    yield module
    sys.modules.pop("trax_client.microphone", None)


async def test_microphone_gives_blocks_as_they_come(sounddevice: types.ModuleType) -> None:
    assert sounddevice.RawInputStream is FakeInput
    blocks = aiter(open_microphone().blocks())
    assert [(await anext(blocks))[0] for _ in range(3)] == [0, 1, 2]


async def test_no_microphone_is_said_plainly(sounddevice: types.ModuleType) -> None:
    def refuse(**_: object) -> None:
        raise sounddevice.PortAudioError("Error querying device -1")

    sounddevice.RawInputStream = refuse  # type: ignore[attr-defined]  # a stand-in
    with pytest.raises(SourceError, match="no microphone: Error querying device -1"):
        await collect(open_microphone())


async def test_microphone_keeps_only_so_much_waiting(
    sounddevice: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sounddevice.RawInputStream is FakeInput
    microphone = open_microphone()
    monkeypatch.setattr("trax_client.microphone.WAITING_MS", 100)
    blocks = aiter(microphone.blocks())
    with pytest.raises(SourceError, match="took no audio for too long"):
        await anext(blocks)
