"""Tests of `streaming.engines.diarizers`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streaming.core.domain import SAMPLE_RATE, Samples, from_ms
from streaming.engines.diarizers import load_recording_diarizer
from streaming.errors import EngineError, MissingWeightError
from tests.streaming.engines.recordings import Recording, weights


def test_a_script_is_played(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text('[{"word": "hi", "start": 0.5, "end": 1, "speaker": "ann"}]')
    diarizer = load_recording_diarizer(f"scripted:{path}", tmp_path)
    found = diarizer.diarize(
        lambda span: np.zeros(span.length, np.float32), Samples(32_000), lambda _: None
    )
    assert [(turn.speaker, turn.span.start) for turn in found.turns] == [("S1", from_ms(500))]


def test_a_script_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="a script"):
        load_recording_diarizer(f"scripted:{tmp_path}/none.json", tmp_path)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightError, match=r"segmentation-3\.0"):
        load_recording_diarizer("whisper-base", tmp_path)


@pytest.mark.slow
@pytest.mark.models
def test_the_models_are_those_of_the_cache() -> None:
    diarizer = load_recording_diarizer("whisper-base", weights("campplus").parent)
    pcm = Recording.read("items/jfk").pcm
    found = diarizer.diarize(
        lambda span: pcm[span.start : span.end], Samples(len(pcm)), lambda _: None
    )
    assert len(found.voices) == 1
    spoken = sum(turn.span.length for turn in found.turns)
    assert 7 * SAMPLE_RATE < spoken <= len(pcm)
