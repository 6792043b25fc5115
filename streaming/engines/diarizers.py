"""Diarization of whole recordings, by what is to be had here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from streaming.core.domain import Pcm, Samples, Span
from streaming.core.ports import Diarization
from streaming.engines.local_speakers import ResultStore
from streaming.engines.recognizers import SCRIPTED, read_script
from streaming.engines.scripted import ScriptedRecordingDiarizer
from streaming.errors import EngineError
from streaming.weights import CataloguedModel, locate


class RecordingDiarizer(Protocol):
    """Tells the voices of whole recordings apart. Stateless, so that one serves all."""

    def diarize(
        self,
        read: Callable[[Span], Pcm],
        samples: Samples,
        progress: Callable[[float], None],
    ) -> Diarization:
        """Return who speaks when in a recording, and what each voice sounds like.

        Args:
            read: Returns a stretch of the recording, asked for some 20 s at a time, in order.
            samples: How long the recording is; it may have no speech in it, or no length.
            progress: Is told what part is done, 0..1; what it raises ends the work.

        Returns:
            Turns by start, of `S1`, `S2` ... in the order in which they speak. All of it is fixed.
        """
        ...


def load_recording_diarizer(
    live_model: str, cache: Path, store: ResultStore | None = None
) -> RecordingDiarizer:
    """Load the models and pyannote.audio: 6 s, and 0.6 GB of memory.

    Args:
        live_model: Where it is a script, it is played instead.
        cache: Folder of the weights.
        store: Where results of the models are kept, so that none is computed twice.

    Raises:
        StreamingError: Weights are missing or damaged, or pyannote.audio cannot be imported.
    """
    if live_model.startswith(SCRIPTED):
        return ScriptedRecordingDiarizer(read_script(live_model))
    segmentation, embedding = _folder("segmentation-3.0", cache), _folder("campplus", cache)
    # Only who diarizes recordings pays for it.
    from streaming.engines.pyannote import PyannoteDiarizer

    return PyannoteDiarizer.load(segmentation=segmentation, embedding=embedding, store=store)


def _folder(name: str, cache: Path) -> Path:
    located = locate(name, cache)
    if not isinstance(located, CataloguedModel):
        raise EngineError(f"{name} of the catalogue expected, got {located}")
    return located.folder
