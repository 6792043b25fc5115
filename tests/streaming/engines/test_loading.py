"""Tests of `streaming.engines.loading`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streaming.core.domain import DetectedLanguage, Permille, Samples
from streaming.core.ports import Effort, RecognitionWindow
from streaming.core.settings import DIARIZATION_WINDOW
from streaming.engines import loading
from streaming.engines.loading import EngineConfig, EngineNames, load
from streaming.engines.recognizers import SCRIPTED
from streaming.errors import (
    EngineError,
    MissingWeightError,
    StreamingError,
    UnknownWeightError,
)
from tests.streaming.engines.recordings import weights

ROWS = [
    {"word": "one", "start": 0.0, "end": 0.5, "speaker": "ann"},
    {"word": "two", "start": 1.0, "end": 1.5, "speaker": "ben"},
]
SILENCE = np.zeros(32_000, dtype=np.float32)


@pytest.fixture
def config(tmp_path: Path) -> EngineConfig:
    script = tmp_path / "script.words.json"
    script.write_text(json.dumps(ROWS), encoding="utf-8")
    return EngineConfig(
        live_model=f"{SCRIPTED}{script}",
        cache=tmp_path,
        device="cpu",
        compute_type="int8",
        most_workers=3,
    )


def test_a_script_is_played_by_all_engines(config: EngineConfig) -> None:
    engines = load(config)
    window = RecognitionWindow(
        start=Samples(0), pcm=SILENCE, effort=Effort.UTTERANCE, language=None
    )

    (heard,) = engines.recognizer.recognize([window])
    assert engines.diarizer is not None
    turns = engines.diarizer(Samples(8_000), ()).label(SILENCE, Samples(0)).turns

    assert [word.text for word in heard.words] == [" one", " two"]
    assert heard.language == DetectedLanguage("en", Permille(900))
    assert [turn.speaker for turn in turns] == ["S1", "S2"]
    assert engines.recognizer_workers == 3
    assert engines.languages == {"en"}
    assert engines.names == EngineNames(SCRIPTED, SCRIPTED, SCRIPTED)


def test_without_diarization_there_is_no_diarizer_and_none_of_its_weights_is_missed(
    config: EngineConfig, tmp_path: Path
) -> None:
    engines = load(replace(config, diarization=False))
    with pytest.raises(StreamingError) as nothing_but_the_recognizer:
        load(replace(config, live_model=str(tmp_path), diarization=False))

    assert engines.diarizer is None
    assert engines.names == EngineNames(SCRIPTED, SCRIPTED, None)
    assert not isinstance(nothing_but_the_recognizer.value, MissingWeightError)


def test_each_session_has_a_detector_that_stands_where_it_begins(config: EngineConfig) -> None:
    engines = load(config)
    first, later = engines.vad(Samples(0)), engines.vad(Samples(8_000))

    assert (first.score(SILENCE[:512]), later.score(SILENCE[:512])) == (1.0, 0.0)


@pytest.mark.parametrize("content", [None, "", "{}", '[{"word": "a"}]', "[1]", "\udcff"])
def test_what_is_no_script_is_refused(config: EngineConfig, content: str | None) -> None:
    path = Path(config.live_model.removeprefix(SCRIPTED))
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content.encode(errors="surrogateescape"))

    if content == "{}":
        assert load(config).languages == {"en"}
    else:
        with pytest.raises(EngineError, match="a script"):
            load(config)


def test_a_model_that_nobody_knows_is_refused(config: EngineConfig) -> None:
    with pytest.raises(UnknownWeightError, match="no model is called"):
        load(replace(config, live_model="no such model"))


def test_weights_that_are_missing_are_named_with_what_mends_it(config: EngineConfig) -> None:
    with pytest.raises(MissingWeightError, match=r"whisper-base.*run: "):
        load(replace(config, live_model="whisper-base"))


def test_weights_beside_the_recognizer_are_missed_before_anything_is_loaded(
    config: EngineConfig, tmp_path: Path
) -> None:
    with pytest.raises(MissingWeightError, match=r"segmentation-3\.0"):
        load(replace(config, live_model=str(tmp_path)))


def test_only_the_catalogue_has_models_beside_the_recognizer(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="of the catalogue expected"):
        loading._folder(str(tmp_path), tmp_path)


@pytest.mark.models
def test_real_engines_are_loaded_and_named(config: EngineConfig) -> None:
    model = "whisper-tiny.en"

    engines = load(replace(config, live_model=model, cache=weights(model).parent))

    assert engines.names == EngineNames(model, "silero-vad", "diart")
    assert engines.languages == {"en"}
    assert engines.recognizer_workers == 3
    assert engines.vad(Samples(0)).score(SILENCE[:512]) < 0.2
    silence = np.zeros(DIARIZATION_WINDOW, dtype=np.float32)
    assert engines.diarizer is not None
    assert engines.diarizer(Samples(8_000), ()).label(silence, Samples(0)).turns == ()
    window = RecognitionWindow(start=Samples(0), pcm=SILENCE, effort=Effort.LIVE, language="en")
    assert engines.recognizer.recognize([window])[0].words == ()
