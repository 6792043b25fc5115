"""From a PyTorch checkpoint to an ONNX file that computes the same, proved on the spot.

Done once, when a weight is fetched: a server then never opens a pickle nor imports somebody else's
network definition, and ONNX Runtime needs 20-40 % less time than torch for these two networks.

`segmentation.onnx` (pyannote segmentation-3.0; Plaquet and Bredin, Interspeech 2023)

    waveform           (batch, 1, samples)  16 kHz in [-1, 1], at least 991 samples
    log_probabilities  (batch, frames, 7)   of {}, {1}, {2}, {3}, {1,2}, {1,3}, {2,3} speaking

    Frames lie 270 samples apart, each looks at 991 samples, the first starts at sample 0.
    Trained on windows of 10 s.

`campplus.onnx` (CAM++; Wang et al., Interspeech 2023)

    fbank       (1, frames, 80)            Kaldi's log mel energies (25 ms every 10 ms, no dither)
                                           less their mean over the frames
    weights     (speakers, weight_frames)  how much each stretch of the audio counts for whom, >= 0;
                                           any number of frames, spread evenly over the audio
    embeddings  (speakers, 192)            not normalised: compare by cosine

    The costly part runs once, then pooling and head once for each speaker. A row of zeros gives a
    finite vector that means nothing. Equal weights give the embedding of the whole audio.

The tracing exporter (`dynamo=False`) is used, though torch calls it legacy: the new one needs
onnxscript besides, and both want onnx.
"""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, assert_never

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors
from torch import Tensor, nn
from torch.nn import functional

from streaming.errors import ConversionError
from streaming.weights.manifest import Conversion
from streaming.weights.probes import SAMPLE_RATE_HZ, log_mel, speech_like
from streaming.weights.weight import Network

MAX_DIFFERENCE = 5e-3
"""Largest accepted difference from the original, in log-probability or embedding coordinate.

We measured 1.3e-4 (2e-5 as a probability) and 7e-6, on these very probes; a known conversion bug
(`_segment_means`) makes 6.8. The bound leaves room for processors that round otherwise."""

_REFUSALS = (
    runtime_errors.Fail,
    runtime_errors.InvalidArgument,
    runtime_errors.InvalidGraph,
    runtime_errors.NotImplemented,
    runtime_errors.RuntimeException,
)
"""ONNX Runtime's errors have no base class of their own."""

_LIBRARIES = ("torch", "onnx", "onnxruntime")
_OPSET = 17
_LENGTHS_S = (5.0, 10.0, 1.0, 3.217)
"""Compared are windows as they are used, and others: lengths must not be frozen in the graph."""

Array = NDArray[np.float32]


def convert(network: Network, checkpoint: Path, definition: Path, output: Path) -> Conversion:
    """Write the ONNX file of a network and compare it with the original.

    Takes 2-5 s, and once 2-5 s more to import torch.

    Args:
        network: Which one.
        checkpoint: Its parameters. Only tensors and plain values are unpickled.
        definition: Python that defines it; it is run, so its checksum must have been verified.
        output: Where to write.

    Raises:
        ConversionError: The two differ by more than `MAX_DIFFERENCE`, or one of them is not finite,
            or ONNX Runtime cannot run what was written.
        ImportError: A library that the exporter or the definition needs is not installed.
    """
    versions = tuple((library, version(library)) for library in _LIBRARIES)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine more of them were 8 times slower
    try:
        difference = _convert_and_check(network, checkpoint, definition, output)
    except _REFUSALS as error:
        raise ConversionError(
            network.value, f"{network.value}: the converted network does not run: {error}"
        ) from error
    finally:
        torch.set_num_threads(threads)
    if difference > MAX_DIFFERENCE:
        raise ConversionError(
            network.value,
            f"{network.value}: expected a converted network that differs from the original by at "
            f"most {MAX_DIFFERENCE:.2g}, found {difference:.2g}",
        )
    return Conversion(difference, MAX_DIFFERENCE, versions)


def _convert_and_check(network: Network, checkpoint: Path, definition: Path, output: Path) -> float:
    match network:
        case Network.SEGMENTATION:
            original = _load_segmentation(checkpoint, definition)
            _export_segmentation(original, output)
            return _check_segmentation(original, output)
        case Network.CAMPPLUS:
            _export_campplus(checkpoint, definition, output)
            original = _load_campplus(checkpoint, _import_definition(definition))
            return _check_campplus(original, output)
        case _:
            assert_never(network)


# --- Segmentation ---------------------------------------------------------------------------------


class _Ignored:
    """Stands in for pyannote's classes in the checkpoint, so that they need not be imported."""

    def __init__(self, *values: object) -> None:
        del values


# They describe the training task, which we state ourselves. Everything else in the file is tensors
# and plain values, so nothing of the pickle can run.
_TOLERATED: list[tuple[Callable[..., Any], str] | Callable[..., Any]] = [
    (_Ignored, "pyannote.audio.core.task.Problem"),
    (_Ignored, "pyannote.audio.core.task.Resolution"),
    (_Ignored, "pyannote.audio.core.task.Specifications"),
    (torch.torch_version.TorchVersion, "torch.torch_version.TorchVersion"),
]


def _load_segmentation(checkpoint: Path, definition: Path) -> nn.Module:
    with torch.serialization.safe_globals(_TOLERATED):
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    shape = content["hyper_parameters"]
    network: nn.Module = _import_definition(definition).LocalPyanNet(
        output_dim=7, sincnet=shape["sincnet"], lstm=shape["lstm"], linear=shape["linear"]
    )
    network.load_state_dict(content["state_dict"], strict=True)
    return network.eval()


def _export_segmentation(network: nn.Module, output: Path) -> None:
    _export(
        network,
        (torch.zeros(2, 1, 5 * SAMPLE_RATE_HZ),),
        output,
        inputs={"waveform": {0: "batch", 2: "samples"}},
        outputs={"log_probabilities": {0: "batch", 1: "frames"}},
    )


def _check_segmentation(original: nn.Module, converted: Path) -> float:
    session = _open(converted)
    worst = 0.0
    for batch, length_s in enumerate(_LENGTHS_S, start=1):
        samples = int(length_s * SAMPLE_RATE_HZ)
        waveform = np.stack([speech_like(samples, seed)[None] for seed in range(batch)])
        with torch.inference_mode():
            expected = original(torch.from_numpy(waveform)).numpy()
        worst = max(worst, _difference(expected, _run(session, waveform=waveform)))
    return worst


# --- CAM++ ----------------------------------------------------------------------------------------


def _load_campplus(checkpoint: Path, definition: ModuleType) -> nn.Module:
    parameters = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network: nn.Module = definition.CAMPPlus(feat_dim=80, embedding_size=192)
    network.load_state_dict(parameters, strict=True)
    return network.eval()


def _export_campplus(checkpoint: Path, definition: Path, output: Path) -> None:
    ours = _import_definition(definition)
    ours.CAMLayer.seg_pooling = staticmethod(_segment_means)
    _export(
        _SpeakerPooling(_load_campplus(checkpoint, ours)).eval(),
        (torch.zeros(1, 498, 80), torch.ones(3, 293)),
        output,
        inputs={"fbank": {1: "frames"}, "weights": {0: "speakers", 1: "weight_frames"}},
        outputs={"embeddings": {0: "speakers"}},
    )


def _segment_means(features: Tensor, seg_len: int = 100) -> Tensor:
    """Replace each frame by the mean of its segment, the last of which may be shorter.

    The original uses average pooling with `ceil_mode`, whose last window ONNX Runtime divides by
    the wrong count, and an `expand` that freezes the length in the graph.
    """
    padded = functional.pad(features, (0, seg_len - 1))
    counts = functional.pad(torch.ones_like(features[:1, :1]), (0, seg_len - 1))
    means = functional.avg_pool1d(padded, seg_len, seg_len)
    means = means / functional.avg_pool1d(counts, seg_len, seg_len)
    return means.repeat_interleave(seg_len, dim=-1)[..., : features.shape[-1]]


def _frame_features(network: nn.Module, fbank: Tensor) -> Tensor:
    """Compute what the network pools over time, shape (1, channels, (frames + 1) // 2)."""
    xvector = network.get_submodule("xvector")
    features: Tensor = network.get_submodule("head")(fbank.permute(0, 2, 1))
    for name, layer in xvector.named_children():
        if name not in {"stats", "dense"}:
            features = layer(features)
    return features


class _SpeakerPooling(nn.Module):
    """CAM++ with one embedding for each row of weights, instead of one for the whole audio.

    Pooling is weighted mean and unbiased weighted standard deviation, as pyannote.audio's
    `StatsPool` computes them. The head ends without the ReLU of the packaged definition, as in
    3D-Speaker, where the parameters come from.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, fbank: Tensor, weights: Tensor) -> Tensor:
        features = _frame_features(self.network, fbank)
        frames = features.shape[-1]
        # Nearest neighbour in whole numbers: the resize of torch and that of ONNX Runtime round
        # differently where a frame lies half-way.
        nearest = torch.arange(frames) * weights.shape[1] // frames
        weight = weights.index_select(1, nearest)[:, None]
        total = weight.sum(-1) + 1e-6
        mean = (features * weight).sum(-1) / total
        squares = ((features - mean[..., None]) ** 2 * weight).sum(-1)
        variance = squares / (total - (weight * weight).sum(-1) / total + 1e-6)
        statistics = torch.cat([mean, variance.clamp_min(1e-10).sqrt()], dim=1)
        dense = self.network.get_submodule("xvector.dense")
        hidden = dense.get_submodule("linear")(statistics[..., None])[..., 0]
        embeddings: Tensor = dense.get_submodule("nonlinear.batchnorm")(hidden)
        return embeddings


def _check_campplus(original: nn.Module, converted: Path) -> float:
    """Compare with the original as it is, and with its own features pooled in numpy."""
    session = _open(converted)
    random = np.random.default_rng(0)
    worst = 0.0
    for speakers, length_s in enumerate(_LENGTHS_S, start=1):
        fbank = log_mel(speech_like(int(length_s * SAMPLE_RATE_HZ), seed=speakers))
        with torch.inference_mode():
            whole = original(torch.from_numpy(fbank)).numpy()
            features = _frame_features(original, torch.from_numpy(fbank)).numpy()
        even = _run(session, fbank=fbank, weights=np.ones((1, 7), np.float32))
        worst = max(worst, _difference(whole, np.maximum(even, 0)))
        weights = random.random((speakers, round(59 * length_s))).astype(np.float32)
        expected = _pooled(original, features[0].astype(np.float64), weights)
        worst = max(worst, _difference(expected, _run(session, fbank=fbank, weights=weights)))
    return worst


def _pooled(network: nn.Module, features: NDArray[np.float64], weights: Array) -> Array:
    """Embed each speaker the plain way: `_SpeakerPooling` without torch's or ONNX's arithmetic."""
    frames = features.shape[1]
    statistics = []
    for row in weights.astype(np.float64):
        weight = row[np.arange(frames) * len(row) // frames]
        mean = np.average(features, axis=1, weights=weight)
        squares = ((features - mean[:, None]) ** 2 * weight).sum(axis=1)
        variance = squares / (weight.sum() - (weight**2).sum() / weight.sum())
        statistics.append(np.concatenate([mean, np.sqrt(variance)]))
    state = {
        name: parameter.numpy().astype(np.float64)
        for name, parameter in network.get_submodule("xvector.dense").state_dict().items()
    }
    hidden = np.stack(statistics) @ state["linear.weight"][..., 0].T
    centred = hidden - state["nonlinear.batchnorm.running_mean"]
    scale = np.sqrt(state["nonlinear.batchnorm.running_var"] + 1e-5)
    embeddings: Array = (centred / scale).astype(np.float32)
    return embeddings


# --- Both -----------------------------------------------------------------------------------------


def _import_definition(path: Path) -> ModuleType:
    """Run a network definition as a module of its own, shared with nobody."""
    spec = importlib.util.spec_from_file_location("network_definition", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _export(
    network: nn.Module,
    example: tuple[Tensor, ...],
    output: Path,
    *,
    inputs: dict[str, dict[int, str]],
    outputs: dict[str, dict[int, str]],
) -> None:
    with warnings.catch_warnings():
        # That this exporter is old, and that lengths might be frozen, which the check would find.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            example,
            str(output),
            opset_version=_OPSET,
            dynamo=False,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={**inputs, **outputs},
        )


def _open(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # its errors are raised, too
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, **inputs: Array) -> Array:
    (output,) = session.run(None, inputs)
    return np.asarray(output, dtype=np.float32)


def _difference(expected: Array, found: Array) -> float:
    if expected.shape != found.shape:
        return float("inf")
    worst = float(np.abs(expected - found).max())
    # Not NaN, which is neither smaller nor larger than any bound, and which max() loses.
    return worst if math.isfinite(worst) else float("inf")
