"""A file on this machine, heard by the accurate pass without a server.

    file -> decoded in a process of its own -> accurate pass -> turns -> what is exported

Everything blocks. What was heard is kept in the cache of results: to do it again, or to go on after
it was broken off, hears only what was not heard before.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from offline.copying import write_down
from offline.domain import PassId
from offline.jobs import JobKind, Task
from offline.voiced import VoicedPass
from server.alignment import align
from server.exports.transcript import ExportedTranscript
from server.recordings import SAMPLE_BYTES
from server.resampling import as_heard
from server.storage.uploads import Wishes
from server.unpacking import Unpacked, unpack
from streaming.core.domain import Pcm, Samples, Span, to_ms

UNPACKING = 0.05
"""What part of the work decoding is."""

PASS = PassId("1")


@dataclass(frozen=True, slots=True)
class Transcribed:
    """What became of a file.

    Attributes:
        transcript: What is said in it.
        unpacked: Its audio, and what of it was lost.
    """

    transcript: ExportedTranscript
    unpacked: Unpacked


class DecodedAudio:
    """The samples in an open file; owned by who opened it."""

    def __init__(self, descriptor: int, samples: Samples) -> None:
        self._descriptor = descriptor
        self.samples = samples

    def read(self, span: Span) -> Pcm:
        """Return a stretch, exactly as long as `span`; what lies outside of it is silence."""
        window = np.zeros(span.length, dtype=np.float32)
        first, end = max(span.start, 0), min(span.end, self.samples)
        if first < end:
            content = os.pread(self._descriptor, (end - first) * SAMPLE_BYTES, first * SAMPLE_BYTES)
            heard = as_heard(np.frombuffer(content, "<i2"))
            window[first - span.start :][: len(heard)] = heard
        return window


def transcribe(
    path: Path,
    accurate: VoicedPass,
    wishes: Wishes,
    limit: Samples,
    progress: Callable[[float], None],
) -> Transcribed:
    """Transcribe one file.

    Args:
        path: A recording of any usual format.
        accurate: Hears it.
        wishes: How.
        limit: The longest recording that is taken.
        progress: Told what part is done; what it raises ends the work.

    Raises:
        MediaError: It is no recording, or too long.
        DecoderLost: What decodes it was killed, or stood still.
        LanguageError: The recognizer does not know the language.
        StreamingError: The recognizer cannot be had, or failed.
        OSError: The file cannot be read, or there is no room to decode it.
    """
    with _decoded(path, limit, lambda part: progress((part or 0.0) * UNPACKING)) as decoded:
        audio, unpacked = decoded
        task = Task(
            kind=JobKind.UPLOAD,
            transcript=path.stem,
            session=path.stem,
            model=wishes.model,
            language=wishes.language,
            hotwords=wishes.hotwords,
            diarization=wishes.diarization,
        )
        hearing = accurate.hear(
            audio, task, (), lambda part: progress(UNPACKING + (1 - UNPACKING) * part)
        )
    copy = write_down(hearing, PASS)
    words = tuple(heard.word for heard in hearing.words)
    transcript = ExportedTranscript(
        id=path.stem,
        title=path.stem,
        language=hearing.language,
        started_ms=path.stat().st_mtime_ns // 1_000_000,
        duration_ms=to_ms(unpacked.samples),
        speakers=copy.speakers,
        turns=align(copy.turns, {PASS: words}),
    )
    return Transcribed(transcript, unpacked)


@contextmanager
def naming(folder: Path) -> Iterator[None]:
    """Let an error say which folder it is that has no room."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(error.errno, f"{folder}: {error.strerror}") from error


@contextmanager
def _decoded(
    path: Path, limit: Samples, progress: Callable[[float | None], None]
) -> Iterator[tuple[DecodedAudio, Unpacked]]:
    """Decode a file into a temporary one: 115 MB an hour.

    It has no name any more once it is decoded, so it is gone however this process ends.
    """
    with tempfile.TemporaryDirectory(prefix="trax-") as folder:
        target = Path(folder) / "audio.pcm"
        with naming(Path(folder).parent):
            # Resolved: /dev/stdin is another file in another process.
            unpacked = unpack(path.resolve(), target, limit, progress)
        file = target.open("rb")
    with file:
        yield DecodedAudio(file.fileno(), unpacked.samples), unpacked
