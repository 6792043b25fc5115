"""The same recognizer with all the time in the world: a whole file at once, as faster-whisper does.

What the live pass and the utterance pass are compared with: more than these weights hear in a file
cannot be expected of them in a stream.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streaming.core.domain import Pcm
from streaming.engines.loading import EngineConfig
from streaming.engines.recognizers import source_of
from streaming.weights import locate

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

BEAMS = 5


@dataclass(frozen=True, slots=True)
class WholeText:
    """What was heard, and the processor time it took."""

    text: str
    cpu_s: float


class WholeFileRecognizer:
    """The recognizer of a server's configuration, loaded once more."""

    def __init__(self, config: EngineConfig) -> None:
        """Load it; takes a second.

        Raises:
            StreamingError: Its weights are missing or damaged.
        """
        # Seconds of imports, for this comparison only.
        from faster_whisper import WhisperModel  # noqa: PLC0415

        self._model: WhisperModel = WhisperModel(
            source_of(locate(config.live_model, config.cache)),
            device=config.device,
            compute_type=config.compute_type,
            cpu_threads=1,
        )

    def transcribe(self, pcm: Pcm, language: str | None) -> WholeText:
        """Hear a whole recording with beam search and faster-whisper's other defaults."""
        began_s = time.process_time()
        segments, _ = self._model.transcribe(pcm, language=language, beam_size=BEAMS)
        text = "".join(segment.text for segment in segments)
        return WholeText(text, time.process_time() - began_s)
