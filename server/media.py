"""Recordings of any usual format as 16 kHz mono audio; the only module that imports PyAV (FFmpeg).

What comes in was made by anybody. Only the formats of `FORMATS` are tried: FFmpeg knows others that
open further files or addresses, and some that take any text for a picture. Decoders have had their
faults as well, so a server decodes in a process of its own: see `unpacking`.

Time is kept. Where packets are missing, damaged, or begin late, as audio in a video may, there is
silence in the result, so that a sample's place is the time at which players play it.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.container

from server.errors import MediaError, MediaFault
from streaming.core.domain import SAMPLE_RATE, Samples

FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,"
    "mpeg,mpegts,ogg,tta,w64,wav,wv"
)
"""As FFmpeg names them. No playlists, no still pictures, nothing that refers to other files."""

USUAL = "wav, mp3, m4a, flac, ogg, opus, webm, mp4, mkv"
"""What people are told."""

SAMPLE_BYTES = 2
BUFFER_BYTES = 256 * 1024

RATES = range(1_000, 768_001)
"""Sample rates of recordings; others are damage, and would fill the memory with one packet."""

GAP = Samples(SAMPLE_RATE // 20)
"""Timestamps that are less wrong than this are not minded: encoders round, and pad the start."""

LONGEST_GAP = Samples(600 * SAMPLE_RATE)
"""More silence than this at once is a damaged timestamp, where the file does not say its length."""

_WAV_HEADER_BYTES = 44
_UNKNOWN_SIZE = 0xFFFF_0000
"""Who writes a WAV file that he cannot go back in, says that it is as large as can be."""

_SILENCE = bytes(BUFFER_BYTES)
_MOV = "mov,mp4,m4a,3gp,3g2,mj2"
"""The format that says how long each of its tracks is; FFmpeg makes up the tracks' of others."""

_WITHOUT_LENGTH = frozenset({"aac", "ac3", "amr", "eac3", "mp3", "mpeg", "mpegts"})
_BEGINNINGS = (b"RIFF", b"ID3", b"fLaC", b"OggS", b"\x1aE\xdf\xa3")
_PROTECTED = frozenset({"enca", "drms", "drmi"})


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself.

    Attributes:
        container: As FFmpeg names the format.
        codec: Of its audio.
        length: Of its audio, as far as it says so: it may be wrong.
        guessed: Whether `length` is only what its size makes likely, or the length of the film.
        whole: Length of the file, its pictures included, where it says so itself.
    """

    container: str
    codec: str
    length: Samples | None
    guessed: bool
    whole: Samples | None


@dataclass(frozen=True, slots=True)
class Damage:
    """What of a file was lost.

    Attributes:
        packets: That no decoder took.
        missing: What the file promises beyond its end.
    """

    packets: int
    missing: Samples


class Media:
    """One file that is open for decoding; used in one thread."""

    def __init__(self, path: Path) -> None:
        """Open a file and find its audio.

        Raises:
            MediaError: It holds none that can be decoded.
            OSError: It cannot be read.
        """
        self._file = _File(path)
        try:
            self._container = _open(self._file, path)
            self._stream = _audio(self._container)
            self.about = _about(self._container, self._stream, _cut_off(path))
        except BaseException:
            self._file.close()
            raise
        self._written = Samples(0)
        self._reached = Samples(0)
        self._lost = 0

    def __enter__(self) -> Media:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._container.close()
        self._file.close()

    @property
    def damage(self) -> Damage:
        """What is lost, once all of `pcm` was taken."""
        promised, came = self.about.length, self._written
        if self.about.guessed:  # Its audio may end before its pictures, or they before it.
            promised, came = self.about.whole, max(self._reached, self._written)
        missing = (promised or 0) - came
        return Damage(self._lost, Samples(missing if missing > SAMPLE_RATE else 0))

    def measure(self, limit: Samples, alive: Callable[[], None]) -> Samples | None:
        """Return how long the audio is, by reading the file to its end where it does not say.

        Browsers record files that do not. Nothing is decoded, which is quick; nothing else can be
        done with this afterwards.

        Args:
            limit: What is longer is not read any further.
            alive: Called again and again, since a large file on a slow disk takes minutes.
        """
        if self.about.length is not None and not self.about.guessed:
            return self.about.length
        end = Fraction(0)
        with suppress(av.FFmpegError):  # It is as long as what can be read.
            for packet in self._container.demux(self._stream):
                if packet.pts is not None and packet.time_base is not None:
                    end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
                if end * SAMPLE_RATE > limit:
                    break
                alive()
        return Samples(int(end * SAMPLE_RATE)) or None

    def pcm(self, limit: Samples) -> Iterator[bytes]:
        """Decode everything, once: 16 kHz, mono, signed 16 bits, little-endian.

        Pieces are of any length up to some seconds.

        Args:
            limit: The longest that is taken.

        Raises:
            MediaError: It is longer, or nothing of it can be decoded.
        """
        length = self.about.length
        if length is not None and length > limit and not self.about.guessed:
            raise too_long(limit, length)
        for piece in self._pieces():
            self._written = Samples(self._written + len(piece) // SAMPLE_BYTES)
            if self._written > limit:
                raise too_long(limit, None)
            if piece:
                yield piece
        if not self._written:
            fault = MediaFault.UNREADABLE if self._lost else MediaFault.EMPTY
            raise MediaError(fault, "audio of at least a moment", _nothing(self._lost))

    def _pieces(self) -> Iterator[bytes]:
        resampler, form = _resampler(), None
        for frame in self._frames():
            if form not in (None, _form(frame)):
                yield from _converted(resampler, None)
                resampler = _resampler()
            form = _form(frame)
            yield from self._silence_before(frame)
            yield from _converted(resampler, frame)
        if form is not None:
            yield from _converted(resampler, None)

    def _frames(self) -> Iterator[Any]:
        """Decode what can be decoded; a packet that cannot be is counted."""
        packets: Iterator[Any] = self._container.demux()  # PyAV has no types
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:
                self._lost += 1
                return  # The file breaks off, or goes on with something else.
            if packet.stream is not self._stream:
                self._reached = max(self._reached, self._end(packet))
                continue
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                self._lost += 1
                continue
            yield from (frame for frame in frames if frame.sample_rate in RATES)

    def _end(self, packet: Any) -> Samples:  # noqa: ANN401 - PyAV has no types
        """Return where a packet of another stream ends, as far as it says so."""
        if packet.pts is None or packet.time_base is None:
            return Samples(0)
        begin = Fraction(self._container.start_time or 0, av.time_base)
        end = (packet.pts + (packet.duration or 0)) * packet.time_base - begin
        return Samples(int(end * SAMPLE_RATE))

    def _silence_before(self, frame: Any) -> Iterator[bytes]:  # noqa: ANN401 - PyAV has no types
        """Yield what is missing between what was written and the time of a frame."""
        if frame.pts is None or frame.time_base is None:
            return
        begin = self._container.start_time or 0
        start = int((frame.pts * frame.time_base - begin / av.time_base) * SAMPLE_RATE)
        gap = start - self._written
        most = LONGEST_GAP if self.about.length is None else self.about.length - self._written
        if GAP < gap <= most:
            for first in range(0, gap * SAMPLE_BYTES, len(_SILENCE)):
                yield _SILENCE[: gap * SAMPLE_BYTES - first]


class _File:
    """A file as FFmpeg reads it: it cannot ask for any other one."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.read, self.tell, self.close = self._file.read, self._file.tell, self._file.close

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; damaged files ask for places before their beginning."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return -errno.EINVAL


def too_long(limit: Samples, length: Samples | None) -> MediaError:
    """Return the error for a recording that is longer than is allowed."""
    got = "more" if length is None else _hours(length)
    return MediaError(MediaFault.TOO_LONG, f"at most {_hours(limit)}", got)


def _open(file: _File, path: Path) -> av.container.InputContainer:
    try:
        opened: av.container.InputContainer = av.open(
            file,
            mode="r",
            options={"format_whitelist": FORMATS, "protocol_whitelist": "none"},
            metadata_errors="replace",
            buffer_size=BUFFER_BYTES,
        )
    except av.FFmpegError as error:
        raise _unreadable(path) from error
    return opened


def _audio(container: av.container.InputContainer) -> Any:  # noqa: ANN401 - PyAV has no types
    """Return the audio stream that players play."""
    stream = container.streams.best("audio")
    if stream is None:
        if container.streams.audio:
            raise _unknown()
        held = sorted({each.type for each in container.streams})
        got = " and ".join(held) or "nothing in it"
        raise MediaError(MediaFault.NO_AUDIO, "a file with audio", got)
    codec: Any = stream.codec_context  # `None` where FFmpeg has no decoder, whatever PyAV says
    if codec is None:
        raise _unknown()
    if codec.codec_tag in _PROTECTED:
        raise MediaError(MediaFault.PROTECTED, "a file that is not protected", "a protected one")
    return stream


def _unknown() -> MediaError:
    expected = "audio that can be decoded"
    return MediaError(MediaFault.UNKNOWN_CODEC, expected, "a codec that is not known here")


def _about(container: av.container.InputContainer, stream: Any, larger: Fraction) -> About:  # noqa: ANN401
    """Return what a file says of itself, which may be so many times larger than what is there."""
    name, whole, track = container.format.name, None, None
    begin = Fraction(container.start_time or 0, av.time_base)
    if container.duration is not None and container.duration > 0:
        whole = Samples(round(container.duration * SAMPLE_RATE * larger / av.time_base))
    if name == _MOV and stream.duration is not None and stream.duration > 0:
        end = ((stream.start_time or 0) + stream.duration) * stream.time_base
        track = Samples(round((end - begin) * SAMPLE_RATE))
    of_size = name in _WITHOUT_LENGTH
    return About(
        name,
        stream.codec_context.name,
        length=track or whole,
        guessed=of_size or (track is None and len(container.streams) > 1),
        whole=None if of_size else whole,
    )


def _cut_off(path: Path) -> Fraction:
    """Return how much larger a WAV file says it is; FFmpeg goes by what is there."""
    with path.open("rb") as file:
        head, size_bytes = file.read(12), path.stat().st_size
    if len(head) == 12 and head[:4] == b"RIFF" and head[8:] == b"WAVE":
        said_bytes = int(struct.unpack("<I", head[4:8])[0]) + 8
        if _WAV_HEADER_BYTES < size_bytes < said_bytes < _UNKNOWN_SIZE:
            return Fraction(said_bytes - _WAV_HEADER_BYTES, size_bytes - _WAV_HEADER_BYTES)
    return Fraction(1)


def _unreadable(path: Path) -> MediaError:
    """Return what a file that is no recording seems to be."""
    with path.open("rb") as file:
        head = file.read(4096)
    expected = f"a recording ({USUAL} ...)"
    if not head:
        return MediaError(MediaFault.EMPTY, expected, "an empty file")
    if head[4:8] == b"ftyp" or head.startswith(_BEGINNINGS):
        return MediaError(MediaFault.UNREADABLE, expected, "one that is damaged or incomplete")
    # The head may end in the middle of a character.
    text = head.decode("utf-8", "ignore")
    letters = sum(character.isprintable() or character.isspace() for character in text)
    like_text = letters >= 0.95 * len(head.decode("utf-8", "replace"))
    got = "a text" if like_text else "a file of another kind"
    return MediaError(MediaFault.UNREADABLE, expected, got)


def _nothing(lost: int) -> str:
    return "a file that is damaged throughout" if lost else "none"


def _resampler() -> av.AudioResampler:
    return av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)


def _form(frame: Any) -> tuple[str, str, int]:  # noqa: ANN401 - PyAV has no types
    return frame.format.name, frame.layout.name, frame.sample_rate


def _converted(resampler: av.AudioResampler, frame: Any) -> Iterator[bytes]:  # noqa: ANN401
    """Yield one frame converted, or with `None` what the resampler still holds."""
    for converted in resampler.resample(frame):
        # A plane may be padded beyond its samples.
        yield bytes(converted.planes[0])[: converted.samples * SAMPLE_BYTES]


def _hours(length: Samples) -> str:
    seconds = round(length / SAMPLE_RATE)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
