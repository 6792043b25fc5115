"""Which kinds of recognizer there are, and which one a name in a configuration means.

A kind is an entry of `KINDS`. Another engine is another entry: everybody who recognises speech
gets it from here, and nobody else knows which kinds there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import assert_never

from streaming.core.domain import Samples
from streaming.core.ports import Recognizer, Vad
from streaming.engines.script import Script
from streaming.engines.scripted import ScriptedRecognizer, ScriptedVad
from streaming.errors import EngineError
from streaming.weights import (
    CATALOGUE,
    CataloguedModel,
    HubModel,
    LocalModel,
    Located,
    State,
    Weight,
    locate,
    overview,
)

AUTO = "auto"
"""Instead of a name: the best recognizer that is here."""

SCRIPTED = "scripted:"
"""A name that begins so is the path of a script (`Script.from_json`) to play instead."""

WHISPER, ENGLISH_ONLY = "whisper-", ".en"
"""How the catalogue's recognizers are called, and those of them that know English alone."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where recognizers are found, and where they compute.

    Attributes:
        cache: Folder of the weights.
        device: `cpu`, `cuda` or `auto`.
        compute_type: As CTranslate2 names it.
        workers: Windows recognised at the same time.
    """

    cache: Path
    device: str = "cpu"
    compute_type: str = "int8"
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Loaded:
    """A recognizer that is ready to hear.

    Attributes:
        name: As it was asked for.
        identity: Another one where the same audio may give other words: of weights and arithmetic.
            `None` where words do not come of the audio at all, so that none may be kept for it.
        recognizer: The engine.
        languages: ISO 639-1 codes that it knows.
        vad: Makes the detector that goes with it, for audio whose first sample has this number.
    """

    name: str
    identity: str | None
    recognizer: Recognizer
    languages: frozenset[str]
    vad: Callable[[Samples], Vad]


def best(live_model: str, language: str | None, cache: Path) -> str:
    """Return what `AUTO` means: the largest recognizer of the catalogue that is here.

    A live model that is not of the catalogue was chosen by somebody who knows why, so it is taken.

    Args:
        live_model: What the live pass hears with.
        language: What is spoken; of any other than English only models of many languages know
            something, and of `None`, which is to be detected.
        cache: Folder of the weights.

    Raises:
        EngineError: None is here that knows the language.
    """
    if live_model not in CATALOGUE:
        return live_model
    here = [
        weight.name
        for weight in present(cache)
        if language == "en" or not knows_english_only(weight.name)
    ]
    if not here:
        raise EngineError(
            f"a recognizer for {language or 'any language'} expected in {cache}, but none is "
            "there; run: trax models fetch whisper-base"
        )
    return here[0]


def present(cache: Path) -> list[Weight]:
    """Return the recognizers of the catalogue that are here, the largest first.

    Reads files that were never verified before, so not in an event loop.
    """
    here = [
        verdict.weight
        for verdict in overview(cache)
        if verdict.state is State.PRESENT and verdict.weight.name.startswith(WHISPER)
    ]
    return sorted(here, key=lambda weight: weight.size_bytes, reverse=True)


def knows_english_only(name: str) -> bool:
    """Whether a recognizer of the catalogue knows no other language."""
    return name.endswith(ENGLISH_ONLY)


def load_recognizer(name: str, machine: Machine) -> Loaded:
    """Load a recognizer; takes a second or more, so not in an event loop.

    Args:
        name: Of the catalogue, a folder, a name that faster-whisper resolves, or a script.
        machine: Where.

    Raises:
        StreamingError: Weights are missing or damaged, or it cannot be had as asked. The message
            says what mends it.
    """
    for prefix, make in KINDS.items():
        if name.startswith(prefix):
            return make(name, machine)
    raise AssertionError("the last kind takes every name")


def source_of(model: Located) -> str:
    """Return what faster-whisper is to load."""
    match model:
        case CataloguedModel(folder=folder):
            return str(folder)
        case LocalModel(path=path):
            return str(path)
        case HubModel(name=name):
            return name
        case _:
            assert_never(model)


def read_script(name: str) -> Script:
    """Return the script that a name means.

    Raises:
        EngineError: There is none.
    """
    try:
        return Script.from_json(Path(name.removeprefix(SCRIPTED)).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"a script as of tests/data/*.words.json expected: {error}") from error


def _whisper(name: str, machine: Machine) -> Loaded:
    located = locate(name, machine.cache)
    # Seconds of imports: only who really hears pays for them.
    from streaming.engines.silero import SileroModel, packaged_graph
    from streaming.engines.whisper import WhisperRecognizer

    silero = SileroModel.load(packaged_graph())
    recognizer = WhisperRecognizer(
        source_of(located),
        device=machine.device,
        compute_type=machine.compute_type,
        workers=machine.workers,
    )
    return Loaded(
        name=name,
        identity=f"{_identity(located)} {machine.device} {machine.compute_type}",
        recognizer=recognizer,
        languages=recognizer.languages,
        vad=lambda _start: silero.vad(),
    )


def _scripted(name: str, _machine: Machine) -> Loaded:
    script = read_script(name)
    return Loaded(
        name=name,
        identity=None,
        recognizer=ScriptedRecognizer(script),
        languages=frozenset({script.language}),
        vad=lambda start: ScriptedVad(script, start=start),
    )


def _identity(model: Located) -> str:
    """Return what changes when the weights do, without reading gigabytes to be sure."""
    match model:
        case CataloguedModel(weight=weight):
            return weight.sha256 or weight.name
        case LocalModel(path=path):
            files = sorted(file for file in path.rglob("*") if file.is_file())
            about = [
                (str(f.relative_to(path)), (s := f.stat()).st_size, s.st_mtime_ns) for f in files
            ]
            return hashlib.sha256(repr(about).encode()).hexdigest()
        case HubModel(name=name):
            return name
        case _:
            assert_never(model)


KINDS: Mapping[str, Callable[[str, Machine], Loaded]] = MappingProxyType(
    {SCRIPTED: _scripted, "": _whisper}
)
"""Makers of recognizers by how their names begin; the first that fits."""
