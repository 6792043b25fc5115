"""Voice activity detection with Silero VAD, run by onnxruntime alone.

The graph is the `silero_vad.onnx` that the silero-vad package brings. The package itself is
never imported, because that would import torch (190 MiB) for code we do not use.

The graph takes one frame of 512 samples with the 64 samples before it, and a recurrent state; it
returns the probability of speech and the next state. This is what `silero_vad.utils_vad:
OnnxWrapper` does; our probabilities are equal to its (`tests/streaming/engines/test_silero.py`).
State and context start as zeros, so the first frame is scored like any other: speech that starts
with the first sample is found in the first frames.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streaming.core.domain import FRAME, SAMPLE_RATE, Pcm
from streaming.core.ports import Vad
from streaming.engines.onnx import Graph, OnnxModel
from streaming.errors import EngineError

_CONTEXT = 64
"""Samples of the previous frame that precede each frame (`OnnxWrapper.__call__`)."""

_STATE_SHAPE = (2, 1, 128)
"""Layers, batch and width of the recurrent state (`OnnxWrapper.reset_states`)."""

_RATE = np.array(SAMPLE_RATE, dtype=np.int64)


def packaged_graph() -> Path:
    """Return where the silero-vad package keeps its ONNX graph, without importing the package.

    Raises:
        EngineError: silero-vad is not installed.
    """
    spec = importlib.util.find_spec("silero_vad")
    if spec is None or not spec.submodule_search_locations:
        raise EngineError("the silero-vad package is expected, but not installed")
    return Path(spec.submodule_search_locations[0]) / "data" / "silero_vad.onnx"


@dataclass(frozen=True, slots=True)
class SileroModel:
    """The graph (2 MB), loaded once and shared by all sessions."""

    graph: Graph

    @classmethod
    def load(cls, path: Path) -> SileroModel:
        """Load the graph, usually from `packaged_graph()`.

        Raises:
            EngineError: `path` is not such a graph.
        """
        return cls(OnnxModel(path))

    def vad(self) -> Vad:
        """Return the detector of one new session."""
        return SileroVad(self.graph)


class SileroVad:
    """The detector of one session: implements `Vad`.

    Owned by one session, whose frames come one at a time, from whatever thread. A frame costs
    0.1 ms.
    """

    def __init__(self, graph: Graph) -> None:
        """Start as if silence had gone before."""
        self._graph = graph
        self._state = np.zeros(_STATE_SHAPE, dtype=np.float32)
        self._input = np.zeros((1, _CONTEXT + FRAME), dtype=np.float32)

    def score(self, frame: Pcm) -> float:
        """Return the probability of speech in the next frame (see `Vad.score`).

        Raises:
            ValueError: `frame` is not of shape `(FRAME,)`.
        """
        if frame.shape != (FRAME,):
            raise ValueError(f"expected a frame of shape ({FRAME},), got {frame.shape}")
        self._input[0, :_CONTEXT] = self._input[0, -_CONTEXT:]
        self._input[0, _CONTEXT:] = frame
        probability, self._state = self._graph.run(
            {"input": self._input, "state": self._state, "sr": _RATE}
        )
        return float(probability[0, 0])
