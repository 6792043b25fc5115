"""Tests of `streaming.engines.whisper_weights`, on files written as CTranslate2 writes them."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from streaming.engines.whisper_weights import WhisperWeights, read_weights
from streaming.errors import EngineError
from tests.streaming.engines.recordings import weights

MATRIX = np.array([[1.0, -2.0], [0.5, 0.25], [3.0, 0.0]], np.float16)
KERNEL = np.stack([MATRIX, MATRIX / 2, MATRIX], axis=2)
"""Of a convolution: (outputs, inputs, width)."""

TYPES: tuple[npt.DTypeLike, ...] = (np.float32, np.int8, np.int16, np.int32, np.float16)


def name(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def variable(called: str, value: npt.NDArray[Any]) -> bytes:
    shape = struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape)
    kind = [np.dtype(each) for each in TYPES].index(value.dtype)
    return name(called) + shape + struct.pack("<BI", kind, value.nbytes) + value.tobytes()


def write(folder: Path, *, revision: int = 3, activation: int = 3) -> Path:
    """Write a model of one matrix, in half precision and in int8."""
    scale = np.array([60, 120, 40], np.float32)
    variables: dict[str, npt.NDArray[Any]] = {
        "decoder/activation": np.array(activation, np.int8),
        "decoder/num_heads": np.array(8, np.int16),
        "matrix/weight": MATRIX,
        "small/weight": np.round(MATRIX * scale[:, None]).astype(np.int8),
        "small/weight_scale": scale,
        "kernel/weight": np.round(KERNEL * scale[:, None, None]).astype(np.int8),
        "kernel/weight_scale": scale,
    }
    content = struct.pack("<I", 6) + name("WhisperSpec") + struct.pack("<I", revision)
    content += struct.pack("<I", len(variables))
    content += b"".join(variable(called, value) for called, value in variables.items())
    content += struct.pack("<I", 1) + name("projection/weight") + name("matrix/weight")
    (folder / "model.bin").write_bytes(content)
    config = {"alignment_heads": [[3, 1]], "suppress_ids": [1, 2], "suppress_ids_begin": [220]}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.mark.parametrize("called", ["matrix/weight", "projection/weight", "small/weight"])
def test_a_matrix_is_read_however_it_is_kept(tmp_path: Path, called: str) -> None:
    model = read_weights(write(tmp_path))

    assert called in model
    assert np.array_equal(model.array(called), MATRIX)
    assert np.array_equal(model.array(called, [2, 0]), MATRIX[[2, 0]])


def test_a_convolution_is_read_that_is_kept_in_int8(tmp_path: Path) -> None:
    kernel = read_weights(write(tmp_path)).array("kernel/weight")

    assert kernel.shape == KERNEL.shape
    assert np.allclose(kernel, KERNEL, atol=0.02)


@pytest.mark.parametrize("called", ["matrix/weight", "small/weight"])
def test_one_matrix_outlives_the_file(tmp_path: Path, called: str) -> None:
    kept = read_weights(write(tmp_path)).only(called)
    (tmp_path / "model.bin").write_bytes(b"")

    assert np.array_equal(kept.array(called), MATRIX)
    assert "projection/weight" not in kept


def test_what_decoding_needs_to_know_is_read(tmp_path: Path) -> None:
    model = read_weights(write(tmp_path))

    assert (model.alignment_heads, model.suppressed, model.suppressed_at_first) == (
        ((3, 1),),
        (1, 2),
        (220,),
    )
    assert (model.heads, model.layers) == (8, 0)


def test_a_variable_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="decoder/nothing expected"):
        read_weights(write(tmp_path)).array("decoder/nothing")
    with pytest.raises(EngineError, match="decoder/layer_norm/gamma expected"):
        _ = read_weights(write(tmp_path)).only("matrix/weight").width


def test_another_format_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"format .*3\) expected, got .*4\)"):
        read_weights(write(tmp_path, revision=4))


def test_another_activation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"activation 3 \(GELU\) expected"):
        read_weights(write(tmp_path, activation=0))


@pytest.mark.parametrize("length", [0, 10, 40, 100, 150])
def test_a_file_that_ends_too_early_is_refused(tmp_path: Path, length: int) -> None:
    path = write(tmp_path) / "model.bin"
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(EngineError, match="a Whisper model of CTranslate2 expected"):
        read_weights(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="a Whisper model of CTranslate2 expected"):
        read_weights(tmp_path)


@pytest.mark.models
@pytest.mark.parametrize(
    ("model", "layers", "width"), [("whisper-base", 6, 512), ("whisper-tiny.en", 4, 384)]
)
def test_real_models_are_read(model: str, layers: int, width: int) -> None:
    read: WhisperWeights = read_weights(weights(model))

    assert read.layers == layers
    assert read.array("decoder/projection/weight", [0]).shape == (1, width)
