"""ONNX graphs run by onnxruntime, set up for a server that runs many small graphs at once.

The only module that imports onnxruntime, and it does so when a graph is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streaming.errors import EngineError


class Graph(Protocol):
    """A network: arrays in by name, arrays out in its own order. Safe to run from threads."""

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]:
        """Return all outputs.

        Raises:
            ValueError: An input of the graph is missing, or one is unknown to it.
        """
        ...


class OnnxModel:
    """A `Graph` from a file or from its bytes, in memory once and shared by all sessions.

    Each run computes on the calling thread alone and does not spin while it waits: parallelism
    comes from the number of calls, and two threads in one call only take a core from another
    session (on two busy cores a second thread made segmentation 17 times slower).
    """

    def __init__(self, source: Path | bytes) -> None:
        """Load a graph; its weights stay in memory as long as this object.

        Raises:
            EngineError: `source` is no file, or no graph that onnxruntime can run.
        """
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as states

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # Both keep memory for each length of input that ever came: 90 MB of Whisper's networks.
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session: Any = onnxruntime.InferenceSession(
                source if isinstance(source, bytes) else str(source),
                options,
                providers=["CPUExecutionProvider"],
            )
        except (
            states.Fail,
            states.InvalidGraph,
            states.InvalidProtobuf,
            states.NoSuchFile,
            states.NotImplemented,
        ) as error:
            where = "" if isinstance(source, bytes) else f" at {source}"
            raise EngineError(f"an ONNX graph expected{where}, got: {error}") from error
        self._names = [output.name for output in self._session.get_outputs()]

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]:
        """Return all outputs (see `Graph.run`)."""
        outputs: list[npt.NDArray[np.float32]] = self._session.run(None, dict(inputs))
        return outputs

    def named(self, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Return all outputs by name, of whatever type."""
        return dict(zip(self._names, self.run(inputs), strict=True))
