"""What a diarization found, kept by the audio that it was found in.

What the models compute is kept stretch by stretch already (`streaming.engines.pyannote`), so that
work that was broken off goes on. Their libraries alone take six seconds to import, though: whoever
asks for the same once more is answered without them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgpack

from offline.cache import ResultCache, key_of
from offline.diarization import OfflineDiarization, OfflineDiarizer, VoiceTurn
from offline.ports import AudioSource, Progress
from offline.results import HeardVoice
from streaming.core.domain import SAMPLE_RATE, Samples, Span

VERSION = 1
"""To be changed with everything that changes what a diarization finds."""

READ_AT_ONCE = 20 * SAMPLE_RATE


class KeptDiarizer:
    """An `OfflineDiarizer` that has another one do what was not done before."""

    def __init__(self, load: Callable[[], OfflineDiarizer], cache: ResultCache) -> None:
        """Load nothing yet.

        Args:
            load: Makes the other one, when it is needed for the first time.
            cache: Where results are kept.
        """
        self._load = load
        self._cache = cache
        self._diarizer: OfflineDiarizer | None = None

    def diarize(self, audio: AudioSource, span: Span, progress: Progress) -> OfflineDiarization:
        """Return who speaks when (see `OfflineDiarizer.diarize`).

        Raises:
            StreamingError: A model cannot be had.
        """
        key = key_of(
            "diarization", VERSION, span.start, span.length, _digest(audio, span, progress)
        )
        kept = self._cache.get(key)
        if kept is not None:
            progress(1.0)
            return _decoded(kept)
        if self._diarizer is None:
            self._diarizer = self._load()
        found = self._diarizer.diarize(audio, span, progress)
        self._cache.keep(key, _encoded(found))
        return found


def _digest(audio: AudioSource, span: Span, progress: Progress) -> bytes:
    digest = hashlib.sha256()
    for start in range(span.start, span.end, READ_AT_ONCE):
        progress(0.0)
        end = min(start + READ_AT_ONCE, span.end)
        digest.update(audio.read(Span(Samples(start), Samples(end))).tobytes())
    return digest.digest()


def _encoded(found: OfflineDiarization) -> bytes:
    turns = [[turn.start_ms, turn.end_ms, turn.voice] for turn in found.turns]
    voices = [[voice.print, voice.speech_ms] for voice in found.voices]
    packed: bytes = msgpack.packb([turns, voices])
    return packed


def _decoded(content: bytes) -> OfflineDiarization:
    turns, voices = msgpack.unpackb(content)
    return OfflineDiarization(
        tuple(VoiceTurn(*turn) for turn in turns), tuple(HeardVoice(*voice) for voice in voices)
    )
