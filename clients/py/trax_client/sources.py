"""Where the command's audio comes from: files and the microphone, as 16 kHz mono 16-bit blocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from pathlib import Path
from typing import Protocol

SAMPLE_RATE = 16_000
BLOCK_MS = 100
BLOCK_BYTES = SAMPLE_RATE * BLOCK_MS // 1000 * 2


class SourceError(Exception):
    """Audio cannot be had: no such file, not audio, no microphone, a library missing."""


class Source(Protocol):
    """Audio for one session."""

    @property
    def name(self) -> str:
        """What to call it on the screen."""

    def blocks(self) -> AsyncGenerator[bytes, None]:
        """Yield blocks of `BLOCK_BYTES`, the last one perhaps shorter; once.

        Raises:
            SourceError: If it breaks off.
        """


class FileSource:
    """An audio or video file, decoded as it is sent.

    Decoding runs in the event loop: 100 ms of speech take 0.03 ms from FLAC, 0.15 from stereo MP3,
    0.23 from stereo Opus (PyAV 18, one core, `tests/data/conversations` iterated with `decode`),
    no more than handing them to a thread and back.

    Args:
        real_time: Yield blocks at the pace of a microphone, the first after `BLOCK_MS`.

    Raises:
        SourceError: If the file is missing or holds no audio that anything here can read.
    """

    def __init__(self, path: Path, *, real_time: bool) -> None:
        self.name = path.name
        self._path = path
        self._real_time = real_time
        check_file(path)
        try:
            # PyAV takes a tenth of a second to import; `--help` should not wait for it.
            from trax_client.decoding import decode  # noqa: PLC0415
        except ImportError as error:
            raise SourceError(f"files need pip install 'trax-client[cli]' ({error})") from error
        self._pcm = decode(path)

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """Yield the file's audio.

        Raises:
            SourceError: It breaks off, or there is none in it.
        """
        clock = asyncio.get_running_loop().time
        due = clock()
        empty = True
        for block in cut(self._pcm, BLOCK_BYTES):
            empty = False
            if self._real_time:
                due += BLOCK_MS / 1000
                # Not `BLOCK_MS` each time: that would add up the time spent on everything else.
                await asyncio.sleep(max(0.0, due - clock()))
            yield block
        if empty:
            raise SourceError(f"{self._path}: no audio in it")


def check_file(path: Path) -> None:
    """Look whether there is a file to be read, before anything else is done.

    Raises:
        SourceError: There is none.
    """
    if path.is_dir():
        raise SourceError(f"{path}: a file expected, got a folder")
    if not path.exists():
        raise SourceError(f"{path}: no such file")


def cut(pieces: Iterable[bytes], size_bytes: int) -> Iterator[bytes]:
    """Yield pieces joined and cut anew into equal blocks; the last is what remains, if anything."""
    pending = bytearray()
    for piece in pieces:
        pending += piece
        while len(pending) >= size_bytes:
            yield bytes(pending[:size_bytes])
            del pending[:size_bytes]
    if pending:
        yield bytes(pending)


def open_microphone() -> Source:
    """Return the system's default microphone.

    Raises:
        SourceError: If there is none, or no library to reach it.
    """
    try:
        # Not everybody has a microphone: the library is an extra, and wants PortAudio.
        from trax_client.microphone import Microphone  # noqa: PLC0415
    except ImportError as error:
        raise SourceError(f"--mic needs pip install 'trax-client[mic]' ({error})") from error
    except OSError as error:
        raise SourceError(f"--mic needs the PortAudio library, libportaudio2 ({error})") from error
    return Microphone()
