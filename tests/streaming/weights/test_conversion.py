"""A converted network computes what the original does, or is refused.

Small networks, built as the real ones are, show what the check catches. The real ones (marker
`models`) are fetched as `trax models fetch` does and compared on recorded speech.
"""

from __future__ import annotations

import enum
import os
import pickle
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from streaming.engines.fbank import log_mel
from streaming.errors import ConversionError, FetchError
from streaming.weights import State, default_cache, fetch, ignore_progress, verify
from streaming.weights.conversion import (
    MAX_DIFFERENCE,
    Array,
    _difference,
    _frame_features,
    _import_definition,
    _load_campplus,
    _load_segmentation,
    _open,
    _pooled,
    _run,
    convert,
)
from streaming.weights.fetching import Fetcher, convert_with_torch
from streaming.weights.manifest import Conversion
from streaming.weights.probes import speech_like
from streaming.weights.weight import Network

SEGMENTATION = """
import torch

class LocalPyanNet(torch.nn.Module):
    def __init__(self, output_dim, sincnet, lstm, linear):
        super().__init__()
        self.frames = torch.nn.Conv1d(1, output_dim, 991, sincnet["stride"] * 27)

    def forward(self, waveforms):
        scores = self.frames(waveforms).permute(0, 2, 1)
        return torch.log_softmax({scores}, dim=-1)
"""

UNFAITHFUL = {
    # Traced, these three keep something of the example that they were traced with.
    "scores[:, : int(scores.shape[1])]": "found inf",
    "scores + torch.zeros(int(scores.shape[1]))[None, :, None]": "does not run",
    "scores * (1.0 if float(waveforms.abs().max()) == 0 else 2.0)": "at most 0.005, found",
    "scores / (scores - scores)": "found inf",
}

CAMPPLUS = """
import torch
from torch import nn
from torch.nn import functional

class CAMLayer(nn.Module):
    def forward(self, x):
        return x + x.mean(-1, keepdim=True) + self.seg_pooling(x)

    def seg_pooling(self, x, seg_len=100):
        means = functional.avg_pool1d(x, seg_len, seg_len, ceil_mode=True)
        return means.repeat_interleave(seg_len, -1)[..., : x.shape[-1]]

class StatsPool(nn.Module):
    def forward(self, x):
        return torch.cat([x.mean(-1), x.std(-1)], -1)

class DenseLayer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Conv1d(inputs, outputs, 1, bias=False)
        self.nonlinear = nn.Sequential()
        self.nonlinear.add_module("batchnorm", nn.BatchNorm1d(outputs, affine=False))
        self.nonlinear.add_module("relu", nn.ReLU())

    def forward(self, x):
        return self.nonlinear(self.linear(x[..., None])[..., 0])

class CAMPPlus(nn.Module):
    def __init__(self, feat_dim, embedding_size):
        super().__init__()
        self.head = nn.Conv1d(feat_dim, 16, 5, stride=2, padding=2)
        self.xvector = nn.Sequential()
        self.xvector.add_module("block1", CAMLayer())
        self.xvector.add_module("stats", StatsPool())
        self.xvector.add_module("dense", DenseLayer(32, embedding_size))

    def forward(self, x):
        return self.xvector(self.head(x.permute(0, 2, 1)))
"""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """On a busy machine two threads of torch wait for each other most of the time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def definition(tmp_path: Path) -> Path:
    return tmp_path / "network.py"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.pt"


def _save_segmentation(scores: str, definition: Path, checkpoint: Path) -> None:
    definition.write_text(SEGMENTATION.replace("{scores}", scores))
    shape = {"sincnet": {"stride": 10}, "lstm": {}, "linear": {}}
    network = _import_definition(definition).LocalPyanNet(7, **shape)
    torch.save({"hyper_parameters": shape, "state_dict": network.state_dict()}, checkpoint)


def _save_campplus(definition: Path, checkpoint: Path) -> None:
    definition.write_text(CAMPPLUS)
    torch.manual_seed(0)
    torch.save(_import_definition(definition).CAMPPlus(80, 192).state_dict(), checkpoint)


@pytest.mark.slow
def test_a_faithful_segmentation_is_accepted_with_its_evidence(
    definition: Path, checkpoint: Path, tmp_path: Path
) -> None:
    _save_segmentation("scores", definition, checkpoint)
    torch.set_num_threads(2)

    conversion = convert(Network.SEGMENTATION, checkpoint, definition, tmp_path / "out.onnx")

    assert 0 <= conversion.max_difference < MAX_DIFFERENCE == conversion.bound
    assert [library for library, _ in conversion.versions] == ["torch", "onnx", "onnxruntime"]
    assert torch.get_num_threads() == 2


@pytest.mark.slow
@pytest.mark.parametrize(("scores", "reason"), UNFAITHFUL.items())
def test_an_unfaithful_segmentation_is_refused(
    scores: str, reason: str, definition: Path, checkpoint: Path, tmp_path: Path
) -> None:
    _save_segmentation(scores, definition, checkpoint)

    with pytest.raises(ConversionError, match=rf"segmentation-3\.0: .*{reason}"):
        convert(Network.SEGMENTATION, checkpoint, definition, tmp_path / "out.onnx")


@pytest.mark.slow
def test_a_speaker_embedding_is_pooled_once_for_each_row_of_weights(
    definition: Path, checkpoint: Path, tmp_path: Path
) -> None:
    _save_campplus(definition, checkpoint)

    conversion = convert_with_torch(Network.CAMPPLUS, checkpoint, definition, tmp_path / "out.onnx")

    assert conversion.max_difference < 1e-4
    _check_speakers_are_independent(tmp_path / "out.onnx")


def _check_speakers_are_independent(graph: Path) -> None:
    session = _open(graph)
    fbank = log_mel(speech_like(80_000, seed=5))[None]
    first, second = np.zeros((1, 10), np.float32), np.ones((1, 10), np.float32)
    first[:, :5] = 1

    both = _run(session, fbank=fbank, weights=np.concatenate([first, second]))

    assert both.shape == (2, 192)
    assert _difference(both[:1], _run(session, fbank=fbank, weights=first)) < 1e-4
    assert _difference(both[1:], _run(session, fbank=fbank, weights=second)) < 1e-4
    assert _difference(both[:1], both[1:]) > 0.01
    nobody = _run(session, fbank=fbank, weights=np.zeros((1, 3), np.float32))
    assert np.isfinite(nobody).all()


class Problem(enum.Enum):
    """As in pyannote.audio."""

    __module__ = "pyannote.audio.core.task"
    POWERSET = 1


class Specifications:
    """As in pyannote.audio."""

    __module__ = "pyannote.audio.core.task"

    def __init__(self) -> None:
        self.problem = Problem.POWERSET


@pytest.mark.slow
def test_what_pyannote_pickled_about_its_training_is_not_needed(
    definition: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _save_segmentation("scores", definition, checkpoint)
    content = torch.load(checkpoint, weights_only=True)
    content["specifications"] = Specifications()
    content["torch"] = torch.torch_version.TorchVersion("2.0.1")
    with monkeypatch.context() as context:
        # To pickle looks up the classes under the name that they claim.
        context.setitem(sys.modules, Problem.__module__, sys.modules[__name__])
        torch.save(content, checkpoint)

    convert(Network.SEGMENTATION, checkpoint, definition, tmp_path / "out.onnx")

    assert (tmp_path / "out.onnx").is_file()


class _Intruder:
    """Makes a folder when it is unpickled carelessly."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("network", Network)
def test_a_checkpoint_that_runs_code_is_refused(
    network: Network, definition: Path, checkpoint: Path, tmp_path: Path
) -> None:
    definition.write_text(CAMPPLUS)
    torch.save({"state_dict": _Intruder(tmp_path / "intruded")}, checkpoint)

    with pytest.raises(pickle.UnpicklingError):
        convert(network, checkpoint, definition, tmp_path / "out.onnx")

    assert not (tmp_path / "intruded").exists()


def test_a_definition_must_be_python(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match="not a Python file"):
        _import_definition(tmp_path / "network")


# --- The real ones --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Originals:
    """A freshly fetched cache, and what its files were converted from."""

    cache: Path
    sources: Path


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Originals:
    folder = tmp_path_factory.mktemp("originals")

    def keep_sources(
        network: Network, checkpoint: Path, definition: Path, output: Path
    ) -> Conversion:
        shutil.copy(checkpoint, folder / f"{network.value}.pt")
        shutil.copy(definition, folder / f"{network.value}.py")
        return convert_with_torch(network, checkpoint, definition, output)

    try:
        Fetcher(convert=keep_sources).fetch(
            [network.value for network in Network], folder / "cache", ignore_progress
        )
    except FetchError as error:
        pytest.skip(f"the originals cannot be downloaded: {error}")
    return Originals(folder / "cache", folder)


@pytest.fixture(scope="module")
def talk(speech: Path) -> Array:
    """30 s of two people talking."""
    samples, _ = soundfile.read(
        speech / "conversations" / "pub-2spk-clean.flac", frames=480_000, dtype="float32"
    )
    return np.asarray(samples, dtype=np.float32)


@pytest.mark.models
def test_the_fetched_cache_is_whole() -> None:
    cache = Path(os.environ.get("TRAX_CACHE_DIR") or default_cache())

    states = {verdict.weight.name: verdict.state for verdict in verify((), cache)}

    assert states.pop("whisper-tiny.en") is not State.DAMAGED  # nothing fetches it unasked
    assert states == dict.fromkeys(states, State.PRESENT)


@pytest.mark.models
@pytest.mark.parametrize("samples", [80_000, 160_000, 8_000, 48_123])
def test_segmentation_computes_what_the_original_does(
    originals: Originals, talk: Array, samples: int
) -> None:
    original = _load_segmentation(
        originals.sources / "segmentation-3.0.pt", originals.sources / "segmentation-3.0.py"
    )
    session = _open(originals.cache / "segmentation-3.0" / "segmentation.onnx")
    waveform = np.stack([talk[start : start + samples] for start in range(0, 320_000, 80_000)])

    with torch.inference_mode():
        expected = original(torch.from_numpy(waveform[:, None])).numpy()

    assert _difference(expected, _run(session, waveform=waveform[:, None])) < MAX_DIFFERENCE


@pytest.mark.models
def test_segmentation_hears_voices_come_and_go_in_the_probes(originals: Originals) -> None:
    session = _open(originals.cache / "segmentation-3.0" / "segmentation.onnx")

    for seed in range(4):
        (scores,) = _run(session, waveform=speech_like(80_000, seed)[None, None])
        frames = np.bincount(scores.argmax(axis=1), minlength=7)

        assert frames[0] > 29
        assert (frames[1:4] > 29).sum() >= 1


@pytest.mark.models
@pytest.mark.parametrize("samples", [80_000, 160_000, 8_000, 48_123])
def test_embeddings_are_those_of_the_original(
    originals: Originals, talk: Array, samples: int
) -> None:
    definition = _import_definition(originals.sources / "campplus.py")
    original = _load_campplus(originals.sources / "campplus.pt", definition)
    session = _open(originals.cache / "campplus" / "campplus.onnx")
    fbank = log_mel(talk[80_000 : 80_000 + samples])[None]
    fbank -= fbank.mean(axis=1, keepdims=True)
    weights = np.random.default_rng(1).random((3, samples // 270)).astype(np.float32)

    with torch.inference_mode():
        whole = original(torch.from_numpy(fbank)).numpy()
        features = _frame_features(original, torch.from_numpy(fbank)).numpy()

    found = _run(session, fbank=fbank, weights=weights)
    assert _difference(_pooled(original, features[0].astype(float), weights), found) < 1e-3
    even = _run(session, fbank=fbank, weights=np.ones((1, 1), np.float32))
    assert _difference(whole, np.maximum(even, 0)) < 1e-3


@pytest.mark.models
def test_speakers_of_the_real_embedding_are_independent(originals: Originals) -> None:
    _check_speakers_are_independent(originals.cache / "campplus" / "campplus.onnx")


@pytest.mark.models
def test_the_exporter_gets_the_same_result_twice(originals: Originals, tmp_path: Path) -> None:
    fetch(["segmentation-3.0"], tmp_path)

    (first,) = verify(["segmentation-3.0"], originals.cache)
    (second,) = verify(["segmentation-3.0"], tmp_path)
    assert first.sha256 == second.sha256
