"""Tests of `streaming.engines.silero`; its weights come with the silero-vad package."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streaming.core.domain import FRAME
from streaming.engines.silero import SileroModel, packaged_graph
from streaming.errors import EngineError
from tests.streaming.engines.recordings import Recording, frames


@pytest.fixture(scope="module")
def model() -> SileroModel:
    return SileroModel.load(packaged_graph())


@pytest.mark.slow
def test_probabilities_are_those_of_the_package(model: SileroModel) -> None:
    """The package's own wrapper is the reference; it is imported in tests only."""
    import torch
    from silero_vad.utils_vad import OnnxWrapper

    heard = frames(Recording.read("items/jfk").pcm)
    wrapper = OnnxWrapper(str(packaged_graph()), force_onnx_cpu=True)
    vad = model.vad()

    ours = [vad.score(frame) for frame in heard]
    theirs = [wrapper(torch.from_numpy(frame.copy()), 16_000).item() for frame in heard]

    assert ours == pytest.approx(theirs, abs=1e-5)


def test_speech_that_starts_with_the_first_sample_is_found_within_four_frames(
    model: SileroModel,
) -> None:
    recording = Recording.read("items/jfk")
    begin = recording.script.words[0].span.start
    vad = model.vad()

    scores = [vad.score(frame) for frame in frames(recording.pcm[begin:])[:8]]

    assert max(scores[:4]) > 0.5
    assert min(scores[4:]) > 0.5


def test_the_end_of_a_frame_is_context_of_the_next(model: SileroModel) -> None:
    heard = frames(Recording.read("items/jfk").pcm)[15]
    clicked = np.zeros(FRAME, dtype=np.float32)
    clicked[-1] = 0.5
    after_silence, after_click = model.vad(), model.vad()
    after_silence.score(np.zeros(FRAME, dtype=np.float32))
    after_click.score(clicked)

    assert after_silence.score(heard) != after_click.score(heard)


@pytest.mark.slow
def test_the_package_is_found_without_importing_it() -> None:
    script = (
        "import sys; from streaming.engines.silero import packaged_graph; "
        "assert packaged_graph().is_file(); "
        "sys.exit(bool({'silero_vad', 'torch', 'onnxruntime'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_missing_package_is_an_engine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "silero_vad", None)

    with pytest.raises(EngineError, match="silero-vad"):
        packaged_graph()


def test_a_missing_graph_is_an_engine_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"silero_vad\.onnx"):
        SileroModel.load(tmp_path / "silero_vad.onnx")
