"""From a server's settings to loaded engines: the one place that knows which there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from streaming.core.domain import Samples, Voice
from streaming.core.ports import Diarizer, SharedRecognizer, Vad
from streaming.engines.calibration import Pace, pace
from streaming.engines.recognizers import SCRIPTED, read_script, source_of
from streaming.engines.scripted import ScriptedDiarizer, ScriptedRecognizer, ScriptedVad
from streaming.errors import EngineError
from streaming.weights import CataloguedModel, locate

MakeDiarizer = Callable[[Samples, Sequence[Voice]], Diarizer]


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Which engines to load, and how.

    Attributes:
        live_model: A name from the catalogue, a folder, a name that faster-whisper resolves, or
            `scripted:PATH`.
        cache: Folder of the weights.
        device: Where Whisper runs: `cpu`, `cuda` or `auto`. The other models run on the CPU.
        compute_type: As CTranslate2 names it.
        most_workers: Calls of the recognizer at the same time; on a GPU fewer if that does no less.
        recognizer_workers: How many there are instead, where somebody knows better.
        diarization: Whether speakers are told apart; without, no weights for it are needed.
    """

    live_model: str
    cache: Path
    device: str
    compute_type: str
    most_workers: int
    recognizer_workers: int | None = None
    diarization: bool = True


@dataclass(frozen=True, slots=True)
class EngineNames:
    """What a client is told of the engines; `diarizer` is `None` where there is none."""

    recognizer: str
    vad: str
    diarizer: str | None


@dataclass(frozen=True, slots=True)
class EngineSet:
    """Engines of one server. The recognizer is shared; the others have state per session.

    Attributes:
        vad: Makes the detector of a session whose first sample has the given number.
        diarizer: Makes the diarizer of a session, given its latency and the voices it
            may hear again; `None` where speakers are not told apart.
        recognizer: For all sessions.
        recognizer_workers: Calls of it that may run at once.
        recognizer_batch: Windows of one kin that a call gets at most.
        languages: ISO 639-1 codes that it knows.
        names: For clients.
        pace: What the recognizer was found to do on this machine; `None` of a scripted one.
        computes: How and where it computes, e.g. `int8_float32 on cpu`; likewise.
    """

    vad: Callable[[Samples], Vad]
    diarizer: MakeDiarizer | None
    recognizer: SharedRecognizer
    recognizer_workers: int
    recognizer_batch: int
    languages: frozenset[str]
    names: EngineNames
    pace: Pace | None = None
    computes: str | None = None


def load(config: EngineConfig) -> EngineSet:
    """Load the engines; takes seconds, so not in an event loop.

    Raises:
        StreamingError: Weights are missing or damaged, or an engine cannot be had as asked. The
            message says what mends it.
    """
    if config.live_model.startswith(SCRIPTED):
        return _scripted(config)
    return _real(config)


def _real(config: EngineConfig) -> EngineSet:
    model = locate(config.live_model, config.cache)
    _folder("silero-vad", config.cache)
    diarizer = _diart(config.cache) if config.diarization else None
    # Seconds of imports: only a server that really hears pays for them.
    from streaming.engines.silero import SileroModel, packaged_graph
    from streaming.engines.whisper import WhisperRecognizer

    silero = SileroModel.load(packaged_graph())
    workers = config.recognizer_workers or config.most_workers
    recognizer = WhisperRecognizer(
        source_of(model),
        device=config.device,
        compute_type=config.compute_type,
        workers=workers,
        live=True,
    )
    known = recognizer.languages
    try:
        found = pace(
            recognizer,
            workers=workers,
            batch=recognizer.most_batch,
            language="en" if "en" in known else min(known),
            on_cpu=recognizer.on_cpu,
        )
    except (MemoryError, RuntimeError) as error:
        raise EngineError(
            f"{config.live_model} loads, but does not compute on {config.device}: {error}"
        ) from error
    return EngineSet(
        vad=lambda _start: silero.vad(),
        diarizer=diarizer,
        recognizer=recognizer,
        recognizer_workers=config.recognizer_workers or found.workers,
        recognizer_batch=found.batch,
        languages=known,
        names=EngineNames(config.live_model, "silero-vad", "diart" if diarizer else None),
        pace=found,
        computes=recognizer.computes,
    )


def _diart(cache: Path) -> MakeDiarizer:
    segmentation, embedding = _folder("segmentation-3.0", cache), _folder("campplus", cache)
    # Seconds of imports here as well.
    from streaming.engines.diart import DiartModels

    return DiartModels.load(segmentation=segmentation, embedding=embedding).diarizer


def _folder(name: str, cache: Path) -> Path:
    located = locate(name, cache)
    if not isinstance(located, CataloguedModel):
        raise EngineError(f"{name} of the catalogue expected, got {located}")
    return located.folder


def _scripted(config: EngineConfig) -> EngineSet:
    script = read_script(config.live_model)

    def diarizer(latency: Samples, _known: Sequence[Voice]) -> Diarizer:
        return ScriptedDiarizer(script, latency)

    return EngineSet(
        vad=lambda start: ScriptedVad(script, start=start),
        diarizer=diarizer if config.diarization else None,
        recognizer=ScriptedRecognizer(script, hesitates=True),
        recognizer_workers=config.recognizer_workers or config.most_workers,
        recognizer_batch=1,
        languages=frozenset({script.language}),
        names=EngineNames(SCRIPTED, SCRIPTED, SCRIPTED if config.diarization else None),
    )
