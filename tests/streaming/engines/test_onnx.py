"""Tests of `streaming.engines.onnx`, on the graph that the silero-vad package brings."""

import threading
from pathlib import Path

import numpy as np
import pytest

from streaming.engines.onnx import OnnxModel
from streaming.engines.silero import packaged_graph
from streaming.errors import EngineError


def inputs(seed: int) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    rng = np.random.default_rng(seed)
    return {
        "input": rng.normal(0, 0.1, (1, 576)).astype(np.float32),
        "state": rng.normal(0, 0.1, (2, 1, 128)).astype(np.float32),
    }


def outcome(model: OnnxModel, seed: int) -> list[float]:
    probability, state = model.run({**inputs(seed), "sr": np.array(16_000)})
    return [float(probability[0, 0]), *state.ravel().tolist()]


def test_a_missing_file_is_an_engine_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"nothing\.onnx"):
        OnnxModel(tmp_path / "nothing.onnx")


def test_a_file_that_is_no_graph_is_an_engine_error(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("not a graph", encoding="utf-8")

    with pytest.raises(EngineError, match=r"text\.onnx"):
        OnnxModel(path)


def test_a_missing_input_is_refused() -> None:
    with pytest.raises(ValueError, match="sr"):
        OnnxModel(packaged_graph()).run(inputs(0))


def test_threads_share_a_graph_without_disturbing_each_other() -> None:
    model = OnnxModel(packaged_graph())
    alone = [outcome(model, seed) for seed in range(4)]
    together: dict[int, list[list[float]]] = {seed: [] for seed in range(4)}

    def run_often(seed: int) -> None:
        together[seed] = [outcome(model, seed) for _ in range(25)]

    threads = [threading.Thread(target=run_often, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(together[seed] == [alone[seed]] * 25 for seed in range(4))
