"""Tests of `streaming.engines.recognizers`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from streaming.core.domain import Samples
from streaming.core.ports import Effort, RecognitionWindow
from streaming.engines.recognizers import (
    SCRIPTED,
    Machine,
    best,
    load_recognizer,
    read_script,
    source_of,
)
from streaming.errors import EngineError, MissingWeightError
from streaming.weights import CATALOGUE, CataloguedModel, HubModel, LocalModel
from tests.streaming.engines.recordings import weights

SILENCE = np.zeros(32_000, dtype=np.float32)
ROWS = [{"word": "one", "start": 0.0, "end": 0.5, "speaker": "ann"}]


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "script.words.json"
    path.write_text(json.dumps(ROWS), encoding="utf-8")
    return f"{SCRIPTED}{path}"


def test_a_script_is_played_with_its_own_voice_activity(script: str, tmp_path: Path) -> None:
    loaded = load_recognizer(script, Machine(tmp_path))

    (heard,) = loaded.recognizer.recognize(
        [RecognitionWindow(Samples(0), SILENCE, Effort.SEARCH, "en")]
    )

    assert [word.text for word in heard.words] == [" one"]
    assert loaded.languages == {"en"}
    assert loaded.vad(Samples(0)).score(SILENCE[:512]) == 1
    assert loaded.vad(Samples(16_000)).score(SILENCE[:512]) == 0


def test_what_a_script_says_does_not_come_of_the_audio(script: str, tmp_path: Path) -> None:
    assert load_recognizer(script, Machine(tmp_path)).identity is None


def test_what_is_no_script_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="a script"):
        read_script(f"{SCRIPTED}{tmp_path}")


def test_a_model_that_was_named_and_is_missing_is_no_other_one(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightError, match="whisper-base"):
        load_recognizer("whisper-base", Machine(tmp_path))


def test_faster_whisper_is_told_a_folder_or_a_name(tmp_path: Path) -> None:
    catalogued = CataloguedModel(next(iter(CATALOGUE.values())), tmp_path)

    assert source_of(catalogued) == str(tmp_path)
    assert source_of(LocalModel(tmp_path)) == str(tmp_path)
    assert source_of(HubModel("large-v3")) == "large-v3"


@pytest.mark.parametrize("live_model", ["large-v3", "scripted:x", "some/where"])
def test_a_live_model_of_ones_own_is_the_best(live_model: str, tmp_path: Path) -> None:
    assert best(live_model, None, tmp_path) == live_model


def test_without_any_recognizer_the_command_that_brings_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="trax models fetch whisper-base"):
        best("whisper-base", "en", tmp_path)


@pytest.mark.models
def test_the_best_is_the_largest_that_knows_the_language(tmp_path: Path) -> None:
    here = weights("whisper-base").parent
    tiny = tmp_path / "whisper-tiny.en"
    shutil.copytree(here / "whisper-tiny.en", tiny, copy_function=shutil.copy2)

    assert best("whisper-tiny.en", "en", here) == "whisper-base"
    assert best("whisper-base", "de", here) == "whisper-base"
    assert best("whisper-base", "en", tmp_path) == "whisper-tiny.en"
    with pytest.raises(EngineError, match="for de expected"):
        best("whisper-tiny.en", "de", tmp_path)
    with pytest.raises(EngineError, match="for any language expected"):
        best("whisper-tiny.en", None, tmp_path)


@pytest.mark.models
def test_real_recognizers_are_told_apart_by_weights_and_arithmetic() -> None:
    folder = weights("whisper-tiny.en")
    machine = Machine(folder.parent)

    named = load_recognizer("whisper-tiny.en", machine)
    by_path = load_recognizer(str(folder), machine)
    exact = load_recognizer("whisper-tiny.en", Machine(folder.parent, compute_type="float32"))

    assert named.languages == {"en"}
    assert len({each.identity for each in (named, by_path, exact)}) == 3
    assert load_recognizer(str(folder), machine).identity == by_path.identity
    assert named.vad(Samples(0)).score(SILENCE[:512]) < 0.2
