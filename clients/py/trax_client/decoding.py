"""Decodes any file that PyAV (FFmpeg) or soundfile reads, piece by piece; the boundary to both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import av.container
import soundfile

from trax_client.sources import SAMPLE_RATE, SourceError

SOUNDFILE_SAMPLES = 16_384
"""Samples read at once from a file that only soundfile understands."""

MPEG_SUFFIXES = frozenset({".mp1", ".mp2", ".mp3"})
"""Not tried with soundfile: FFmpeg knows better, and libsndfile's decoder (mpg123) writes its
complaints to standard error by itself."""


def decode(path: Path) -> Iterator[bytes]:
    """Return a file's audio as 16 kHz mono 16-bit samples, decoded while it is iterated over.

    The file is opened at once, and closed at the end of the iteration.

    Raises:
        SourceError: If it holds no audio that can be read; from the iteration, if it breaks off.
    """
    try:
        container = av.open(path)
    except (av.FFmpegError, OSError) as error:
        return _decode_with_soundfile(path, _sentence(error))
    if not container.streams.audio:
        container.close()
        raise SourceError(f"{path}: no audio in it")
    return _decode_with_av(path, container)


def _decode_with_av(path: Path, container: av.container.InputContainer) -> Iterator[bytes]:
    resampler = _resampler()
    with container:
        try:
            for frame in container.decode(audio=0):
                yield from _samples(resampler, frame)
        except av.FFmpegError as error:
            raise SourceError(f"{path}: broken off: {_sentence(error)}") from error
        yield from _samples(resampler, None)


def _decode_with_soundfile(path: Path, av_said: str) -> Iterator[bytes]:
    refusal = f"{path}: not an audio file ({av_said})"
    if path.suffix.lower() in MPEG_SUFFIXES:
        raise SourceError(refusal)
    try:
        sound = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise SourceError(refusal) from error
    return _read(sound)


def _sentence(error: av.FFmpegError | OSError) -> str:
    """Return what FFmpeg or the system says, without the number and the name of the file."""
    return error.strerror or str(error)


def _read(sound: soundfile.SoundFile) -> Iterator[bytes]:
    resampler = _resampler()
    channels = sound.channels
    with sound:
        while pcm := bytes(sound.buffer_read(SOUNDFILE_SAMPLES, dtype="int16")):
            frame = av.AudioFrame(
                format="s16", layout=f"{channels}c", samples=len(pcm) // 2 // channels
            )
            frame.sample_rate = sound.samplerate
            frame.planes[0].update(pcm)
            yield from _samples(resampler, frame)
    yield from _samples(resampler, None)


def _resampler() -> av.AudioResampler:
    return av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)


def _samples(resampler: av.AudioResampler, frame: av.AudioFrame | None) -> Iterator[bytes]:
    """Convert one frame, or with `None` what the resampler still holds."""
    for converted in resampler.resample(frame):
        # A plane may be padded beyond its samples.
        yield bytes(converted.planes[0])[: converted.samples * 2]
