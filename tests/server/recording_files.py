"""Recordings of many formats, made of speech whose samples are known."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RATE = 16_000
Pcm16 = npt.NDArray[np.int16]

FORMATS = {
    "speech.wav": ("pcm_s16le", 16_000, "mono"),
    "telephone.wav": ("pcm_s16le", 8_000, "mono"),
    "studio.wav": ("pcm_s24le", 96_000, "stereo"),
    "surround.wav": ("pcm_f32le", 48_000, "5.1"),
    "speech.mp3": ("libmp3lame", 44_100, "stereo"),
    "speech.m4a": ("aac", 44_100, "stereo"),
    "speech.aac": ("aac", 44_100, "mono"),
    "speech.flac": ("flac", 96_000, "stereo"),
    "speech.opus": ("libopus", 48_000, "mono"),
    "speech.ogg": ("libopus", 48_000, "stereo"),
    "speech.webm": ("libopus", 48_000, "mono"),
    "video.mp4": ("aac", 48_000, "stereo"),
    "video.mkv": ("aac", 48_000, "stereo"),
    "video.mov": ("aac", 48_000, "stereo"),
}
"""Names of files, and how their audio is written."""


def read_speech(path: Path) -> Pcm16:
    """Return the samples of one of our recordings, which are 16 kHz and mono."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return np.concatenate(frames)


def write_recording(path: Path, pcm: Pcm16, name: str, *, film_s: int | None = None) -> Path:
    """Write samples of 16 kHz to a file as `FORMATS` has it; a video gets a picture that moves.

    Args:
        path: Of the file.
        pcm: Its samples.
        name: In `FORMATS`.
        film_s: How long the pictures of a video are, where not as long as its sound.
    """
    codec, rate, layout = FORMATS[name]
    container = "adts" if name.endswith(".aac") else None
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        video = _video(out) if name.startswith("video") else None
        resampler = av.AudioResampler(stream.format, stream.layout, stream.rate)
        for frame in [*_frames(pcm), None]:
            for piece in resampler.resample(frame):
                out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
        if video is not None:
            for number in range(len(pcm) * 5 // RATE if film_s is None else film_s * 5):
                picture = av.VideoFrame.from_ndarray(
                    np.full((32, 32, 3), number * 20 % 256, np.uint8), format="rgb24"
                )
                out.mux(video.encode(picture.reformat(format="yuv420p")))
            out.mux(video.encode(None))
    return path


def write_silent_film(path: Path) -> Path:
    """Write a video that has no audio."""
    with av.open(str(path), "w") as out:
        video = _video(out)
        out.mux(video.encode(av.VideoFrame(32, 32, "yuv420p")))
        out.mux(video.encode(None))
    return path


def write_with_pause(path: Path, pcm: Pcm16, at: int, pause: int) -> Path:
    """Write a file whose audio has no packets for a while, as a recorder leaves when it pauses."""
    with av.open(str(path), "w", format="matroska") as out:
        stream = out.add_stream("pcm_s16le", rate=RATE, layout="mono")
        assert isinstance(stream, av.AudioStream)
        for first, part in ((0, pcm[:at]), (at + pause, pcm[at:])):
            for frame in _frames(part):
                assert frame.pts is not None
                frame.pts += first
                out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def write_without_length(path: Path, pcm: Pcm16) -> Path:
    """Write a WebM as browsers record it: they do not go back to note its length."""
    write_recording(path, pcm, "speech.webm")
    content = path.read_bytes()
    duration = content.index(b"\x44\x89\x88")  # an EBML element that becomes a void of its size
    path.write_bytes(
        content[:duration] + b"\xec\x89" + bytes(9) + content[duration + 11 :],
    )
    return path


def wav(pcm: bytes, *, rate: int = RATE, said_bytes: int | None = None) -> bytes:
    """Return a WAV file of these samples; it may say that it has more."""
    size_bytes = len(pcm) if said_bytes is None else said_bytes
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + size_bytes, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16),
        *(b"data", size_bytes),
    )
    return header + pcm


def _frames(pcm: Pcm16) -> Iterable[av.AudioFrame]:
    for first in range(0, len(pcm), 4_000):
        frame = av.AudioFrame.from_ndarray(
            pcm[None, first : first + 4_000], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = RATE, first
        yield frame


def _video(out: av.container.OutputContainer) -> av.VideoStream:
    video = out.add_stream("mpeg4", rate=5)
    assert isinstance(video, av.VideoStream)
    video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
    return video
