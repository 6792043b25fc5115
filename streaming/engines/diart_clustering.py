"""diart's online clustering, imported without the 450 MiB that its package would bring.

Importing `diart.blocks` takes 5.8 s and 500 MiB: its `__init__` imports everything diart can do,
and with it torch, torchaudio, pyannote.audio, lightning, pandas, scikit-learn and matplotlib.
Online clustering needs none of these: it is numpy and scipy. Of torch it names a type in
annotations and calls three methods on the embeddings (`_Embeddings` below). So the one module is
imported with empty stand-ins for its packages and for torch, which are gone again afterwards:
0.5 s and 50 MiB beyond numpy (resident set and wall time of one process, two cores).

This also spares us two defects of released versions: torchaudio's wheel needs CUDA libraries even
beside a CPU-only torch, and diart calls `torchaudio.set_audio_backend`, which no longer exists.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streaming.errors import EngineError

KNOWN_WINDOWS = 10
"""How many windows a voice is worth that is known from before."""

Scores = npt.NDArray[np.float32]
"""How active each of a window's local speakers is: `(frames, local speakers)`, 0..1."""


class SpeakerMap(Protocol):
    """diart's mapping of a window's local speakers to the session's voices."""

    def valid_assignments(self) -> tuple[Sequence[int], Sequence[int]]:
        """Return the mapped local speakers, and the voice of each."""
        ...


class _Clustering(Protocol):
    """What we use of `diart.blocks.clustering: OnlineSpeakerClustering`."""

    centers: npt.NDArray[np.float64] | None

    def identify(self, segmentation: Any, embeddings: Any) -> SpeakerMap: ...
    def init_centers(self, dimension: int) -> None: ...
    def add_center(self, embedding: npt.NDArray[np.float64]) -> int: ...


@dataclass(frozen=True, slots=True)
class _Segmentation:
    """Stands in for pyannote's `SlidingWindowFeature`, of which diart reads `data` only."""

    data: Scores


@dataclass(frozen=True, slots=True)
class _Embeddings:
    """Stands in for a `torch.Tensor`, which diart turns into an array first of all."""

    array: npt.NDArray[np.float32]

    def detach(self) -> _Embeddings:
        return self

    def cpu(self) -> _Embeddings:
        return self

    def numpy(self) -> npt.NDArray[np.float32]:
        return self.array


@dataclass(frozen=True, slots=True)
class ClusteringSettings:
    """When diart takes a local speaker for a voice it knows, and when for a new one.

    See Coria et al., "Overlap-aware low-latency online speaker diarization based on end-to-end
    local segmentation", ASRU 2021, for the three thresholds.

    Attributes:
        tau_active: A local speaker counts if its activity reaches this anywhere in the window.
        rho_update: Part of the window that a local speaker must fill to move or make a centroid.
        delta_new: Cosine distance from which a voice is new.
        voices: Most voices of one session.
        centroid_norm: Length at which a centroid stops growing, see `OnlineClustering`. Each
            window with enough of the voice adds at most 1.
    """

    tau_active: float
    rho_update: float
    delta_new: float
    voices: int
    centroid_norm: float


class OnlineClustering:
    """The voices of one session so far, as centroids of speaker embeddings.

    diart's centroids are sums of all their embeddings, so that after an hour a voice that
    changes (another seat, another microphone) no longer moves its own. Here a centroid's length
    is bounded: a new embedding always weighs at least `1 / centroid_norm`, old ones fade.
    """

    def __init__(self, clustering: _Clustering, settings: ClusteringSettings) -> None:
        """Take over a fresh clustering of diart's."""
        self._clustering = clustering
        self._settings = settings

    def know(self, prints: Sequence[npt.NDArray[np.float32]]) -> None:
        """Begin with voices that were heard before; they get the first numbers, in order.

        Each counts as if `KNOWN_WINDOWS` windows of it had been heard: enough to be found again,
        and not so much that it does not follow its speaker any more.
        """
        if prints:
            self._clustering.init_centers(len(prints[0]))
            for known in prints[: self._settings.voices]:
                self._clustering.add_center(known.astype(np.float64) * KNOWN_WINDOWS)

    def centroid(self, voice: int) -> npt.NDArray[np.float32]:
        """Return what a voice sounds like; as long as the number of windows it was heard in."""
        assert self._clustering.centers is not None, "there is no voice before the first"
        centroid: npt.NDArray[np.float32] = self._clustering.centers[voice].astype(np.float32)
        return centroid

    def assign(self, scores: Scores, embeddings: npt.NDArray[np.float32]) -> Mapping[int, int]:
        """Return the voice of each active local speaker of the next window.

        Args:
            scores: Activity of the window's local speakers.
            embeddings: One row of length 1 for each of them. A row of NaN means that the local
                speaker has none; it is then left without a voice.
        """
        found = self._clustering.identify(_Segmentation(scores), _Embeddings(embeddings))
        centers = self._clustering.centers
        if centers is not None:
            norms = np.linalg.norm(centers, axis=1, keepdims=True)
            centers /= np.maximum(1.0, norms / self._settings.centroid_norm)
        return dict(zip(*found.valid_assignments(), strict=True))


@dataclass(frozen=True, slots=True)
class ClusteringFactory:
    """diart's class, imported once; makes a clustering for each session."""

    clustering_class: Any

    @classmethod
    def load(cls) -> ClusteringFactory:
        """Import diart's clustering. Call it before other threads import anything.

        Raises:
            EngineError: diart is not installed.
        """
        return cls(_import_clustering().OnlineSpeakerClustering)

    def clustering(self, settings: ClusteringSettings) -> OnlineClustering:
        """Return the clustering of one new session."""
        return OnlineClustering(
            self.clustering_class(
                settings.tau_active,
                settings.rho_update,
                settings.delta_new,
                "cosine",
                settings.voices,
            ),
            settings,
        )


def _import_clustering() -> ModuleType:
    spec = importlib.util.find_spec("diart")
    if spec is None or not spec.submodule_search_locations:
        raise EngineError("the diart package is expected, but not installed")
    (folder,) = spec.submodule_search_locations
    package, blocks, torch = ModuleType("diart"), ModuleType("diart.blocks"), ModuleType("torch")
    package.__path__ = [folder]
    blocks.__path__ = [f"{folder}/blocks"]
    torch.__dict__["Tensor"] = _Embeddings
    substitutes: dict[str, ModuleType | None] = {"diart": package, "diart.blocks": blocks}
    if "torch" not in sys.modules:
        substitutes["torch"] = torch
    if "matplotlib" not in sys.modules:
        substitutes["matplotlib"] = None  # pyannote.core then leaves its plotting out
    with _apart(["diart", "pyannote", *substitutes]):
        sys.modules.update(substitutes)  # type: ignore[arg-type]  # None: documented, see there
        return importlib.import_module("diart.blocks.clustering")


@contextlib.contextmanager
def _apart(packages: Collection[str]) -> Iterator[None]:
    """Import these packages apart: not the ones imported before, and forgotten afterwards.

    What was imported inside stays alive through its users, while everybody else who imports one
    of these packages, before or later, gets the whole and real one.
    """
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if _below(name, packages)}
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _below(name, packages)]:
            del sys.modules[name]
        sys.modules.update(before)


def _below(name: str, packages: Collection[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
