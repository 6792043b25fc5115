"""ONNX graphs run by onnxruntime, set up for a server that runs many small graphs at once.

The only module that imports onnxruntime, and it does so when a graph is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


class OnnxModel:
    """One graph in memory, shared by all sessions; safe to run from several threads at once.

    Each run computes on the calling thread alone and does not spin while it waits: parallelism
    comes from the number of calls, and two threads in one call only take a core from another
    session (on two busy cores a second thread made segmentation 17 times slower).
    """

    def __init__(self, path: Path) -> None:
        """Load the graph in `path`; its weights stay in memory as long as this object.

        Raises:
            FileNotFoundError: `path` is no file.
        """
        if not path.is_file():
            raise FileNotFoundError(f"expected an ONNX graph at {path}")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]:
        """Return all outputs of the graph, in the graph's order, for inputs by name.

        Raises:
            ValueError: An input of the graph is missing, or one is unknown to it.
        """
        outputs: list[npt.NDArray[np.float32]] = self._session.run(None, dict(inputs))
        return outputs
