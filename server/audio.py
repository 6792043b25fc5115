"""What was recorded of a transcript: its sessions on one clock, mixed, as a WAV file.

Nothing is made in advance. A `WavFile` knows its length, and any of its bytes can be computed from
the recordings, so that a player may jump about in three hours of speech. Recordings only grow, and
a file is made of what was recorded when it was asked for: it never changes while it is read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from server.recordings import SAMPLE_BYTES, Archive
from server.resampling import Pcm16
from streaming.core.domain import SAMPLE_RATE, Samples, Span

HEADER_BYTES = 44
LONGEST = Samples(24 * 3600 * SAMPLE_RATE)
"""2.8 GB. The format ends at 4 GiB, and readers that take its lengths as signed at 2.1."""


@dataclass(frozen=True, slots=True)
class Track:
    """One session's recording, as long as it was at one moment.

    Attributes:
        session: Whose audio: 16 kHz, mono, 16 bits.
        archive: Where it is.
        offset: Where on the transcript's clock it begins; before zero if the wall clock was set
            back.
        samples: Its length.
    """

    session: str
    archive: Archive
    offset: int
    samples: Samples

    @classmethod
    def recorded(cls, archive: Archive, session: str, offset: int) -> Track:
        """Return what there is now of a session. Blocks.

        Raises:
            AudioStoreError: It cannot be known now.
        """
        samples = Samples(archive.size_bytes(session) // SAMPLE_BYTES)
        return cls(session, archive, offset, samples)

    @property
    def end(self) -> int:
        """Where on the transcript's clock it ends."""
        return self.offset + self.samples

    def read(self, start: int, end: int) -> Pcm16:
        """Read `[start, end)` of its own clock, which must lie in it. Blocks.

        What was removed meanwhile is missing: the result is shorter then.

        Raises:
            AudioStoreError: It cannot be read now.
        """
        content = self.archive.read(self.session, start * SAMPLE_BYTES, end * SAMPLE_BYTES)
        return np.frombuffer(content[: len(content) // SAMPLE_BYTES * SAMPLE_BYTES], "<i2")


@dataclass(frozen=True, slots=True)
class WavFile:
    """A stretch of the transcript's clock, with everything that was recorded in it.

    Attributes:
        tracks: What is heard; their sum is cut off at full scale.
        span: Of the transcript's clock; silent where no track is.
    """

    tracks: tuple[Track, ...]
    span: Span

    @classmethod
    def cut(cls, tracks: Iterable[Track], start: Samples, end: Samples | None) -> WavFile:
        """Return a stretch of some tracks; it ends where they do at the latest."""
        tracks = tuple(tracks)
        recorded = max([0, *(track.end for track in tracks)])
        until = recorded if end is None else min(end, recorded)
        return cls(tracks, Span(Samples(min(start, until)), Samples(until)))

    @property
    def size_bytes(self) -> int:
        """Length of the file."""
        return HEADER_BYTES + self.span.length * SAMPLE_BYTES

    @property
    def tag(self) -> str:
        """What is different as soon as any byte of the file is."""
        heard = [(t.session, t.offset, min(t.end, self.span.end)) for t in self.tracks]
        return sha256(repr((self.span, heard)).encode()).hexdigest()[:32]

    def read(self, first: int, end: int) -> bytes:
        """Return the bytes `[first, end)` of the file, which must lie in it. Blocks."""
        header = self._header()[first:end]
        if end <= HEADER_BYTES:
            return header
        begin, stop = max(first - HEADER_BYTES, 0), end - HEADER_BYTES
        start = begin // SAMPLE_BYTES
        pcm = self._mixed(start, -(-stop // SAMPLE_BYTES)).tobytes()
        return header + pcm[begin - start * SAMPLE_BYTES : stop - start * SAMPLE_BYTES]

    def _mixed(self, start: int, end: int) -> Pcm16:
        """Mix the samples `[start, end)` of the span."""
        at = self.span.start + start
        mixed = np.zeros(end - start, np.int32)
        for track in self.tracks:
            first, last = max(at, track.offset), min(at + end - start, track.end)
            if first < last:
                heard = track.read(first - track.offset, last - track.offset)
                mixed[first - at : first - at + len(heard)] += heard
        return np.clip(mixed, -32_768, 32_767).astype("<i2")

    def _header(self) -> bytes:
        """Return the canonical header (Multimedia Programming Interface 1.0, chapter 3)."""
        size_bytes = self.span.length * SAMPLE_BYTES
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF",
            HEADER_BYTES - 8 + size_bytes,
            *(b"WAVE", b"fmt ", 16),
            *(1, 1, SAMPLE_RATE, SAMPLE_RATE * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES),
            *(b"data", size_bytes),
        )
