"""Online speaker diarization with diart's method, driven window by window.

For each window of the last 5 s (every 0.5 s):

1. the segmentation model (pyannote segmentation-3.0) says which of at most three *local* speakers
   is active in each of 293 frames;
2. the embedding model (CAM++) gives each active local speaker a vector, from the frames in which
   it speaks alone rather than over another (diart's overlapped speech penalty);
3. diart's online clustering maps local speakers to the session's *voices* by these vectors;
4. the activities of overlapping windows are averaged, weighted by a Hamming window, and a voice
   is active where the average passes one half.

Source: Coria et al., "Overlap-aware low-latency online speaker diarization based on end-to-end
local segmentation", ASRU 2021; <https://github.com/juanmc2005/diart>. Steps 2 and 3 are diart's
(its clustering is imported, see `diart_clustering`). Step 4 is diart's delayed aggregation on our
own grid of 10 ms cells of the session clock instead of fractional seconds, so that windows fall on
each other exactly; it also gives the part that is younger than the latency, from the windows
that have heard it so far.

"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streaming.core.domain import Pcm, Samples, Span, Speaker, Turn
from streaming.core.ports import Diarization, Diarizer
from streaming.engines.diart_clustering import (
    ClusteringFactory,
    ClusteringSettings,
    OnlineClustering,
    Scores,
)
from streaming.engines.fbank import log_mel
from streaming.engines.onnx import OnnxModel

WINDOW = Samples(80_000)
"""Length of a window: 5 s, diart's default; the segmentation was trained on 10 s."""

STEP = Samples(8_000)
"""How far windows are apart: 0.5 s, diart's default. Also the smallest latency."""

SETTINGS = ClusteringSettings(
    tau_active=0.6, rho_update=0.3, delta_new=0.65, voices=20, centroid_norm=100.0
)

_CELL = 160
_WINDOW_CELLS = WINDOW // _CELL
_ACTIVE = 0.5

_GAMMA = 3
_BETA = 10
_LEAST_WEIGHT = 1e-8

_FRAME_STEP = 270
_FRAME_LENGTH = 991
_LOCAL_SPEAKERS = 3
_POWERSET = np.array(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=np.float32
)
"""Which local speakers each class of the segmentation stands for (pyannote.audio's `Powerset`)."""


@dataclass(frozen=True, slots=True)
class DiartModels:
    """Segmentation, embedding and diart's clustering: loaded once, shared by all sessions.

    Safe to use from several threads. A window costs 60 ms of one core, 15 ms without speech.
    """

    segmentation: OnnxModel
    embedding: OnnxModel
    clustering: ClusteringFactory

    @classmethod
    def load(cls, *, segmentation: Path, embedding: Path) -> DiartModels:
        """Load both models from their folders, and run each once.

        Call it before other threads import anything (see `ClusteringFactory.load`).

        Args:
            segmentation: Folder of `segmentation.onnx`.
            embedding: Folder of `campplus.onnx`.

        Raises:
            FileNotFoundError: A file is missing.
            ModuleNotFoundError: diart is not installed.
        """
        models = cls(
            OnnxModel(segmentation / "segmentation.onnx"),
            OnnxModel(embedding / "campplus.onnx"),
            ClusteringFactory.load(),
        )
        silence = np.zeros(WINDOW, dtype=np.float32)
        models.embed(silence, models.segment(silence))
        return models

    def diarizer(self, latency: Samples) -> Diarizer:
        """Return the diarizer of one new session.

        Args:
            latency: How long a label may be revised, from 0.5 s to 5 s.

        Raises:
            ValueError: `latency` lies outside these bounds.
        """
        if not STEP <= latency <= WINDOW:
            raise ValueError(f"expected a latency of {STEP}..{WINDOW} samples, got {latency}")
        return DiartDiarizer(self, self.clustering.clustering(SETTINGS), latency)

    def segment(self, window: Pcm) -> Scores:
        """Return which local speakers are active (0 or 1) in each frame, shape `(293, 3)`."""
        (classes,) = self.segmentation.run({"waveform": window[None, None]})
        scores: Scores = _POWERSET[classes[0].argmax(axis=1)]
        return scores

    def embed(self, window: Pcm, scores: Scores) -> npt.NDArray[np.float32]:
        """Return one row of length 1 for each local speaker, shape `(3, 192)`."""
        features = log_mel(window)
        features -= features.mean(axis=0)
        (rows,) = self.embedding.run({"fbank": features[None], "weights": _alone(scores).T.copy()})
        unit: npt.NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


def _alone(scores: Scores) -> Scores:
    """Weigh frames by how surely a speaker talks alone: diart's `overlapped_speech_penalty`."""
    likelihood = np.exp(_BETA * scores)
    likelihood /= likelihood.sum(axis=1, keepdims=True)
    weights: Scores = np.maximum((scores * likelihood) ** _GAMMA, _LEAST_WEIGHT)
    return weights


class DiartDiarizer:
    """The diarizer of one session: implements `Diarizer`.

    Owned by one session, whose windows come in time order, one at a time, from whatever thread.
    """

    def __init__(self, models: DiartModels, clustering: OnlineClustering, latency: Samples) -> None:
        """Start with no known voices."""
        self._models = models
        self._clustering = clustering
        self._votes = _Votes(latency)
        self._names: dict[int, Speaker] = {}

    def label(self, window: Pcm, start: Samples) -> Diarization:
        """Take the next window and say who speaks (see `Diarizer.label`).

        Raises:
            ValueError: `window` is not 5 s long, or does not start after the previous one.
        """
        if window.shape != (WINDOW,):
            raise ValueError(f"expected a window of shape ({WINDOW},), got {window.shape}")
        since = self._votes.fixed_until
        activity = self._votes.add(self._voices(window), start)
        runs = sorted(_runs(activity))
        turns = tuple(
            Turn(
                Span(Samples(since + first * _CELL), Samples(since + end * _CELL)),
                self._name(voice),
            )
            for first, end, voice in runs
        )
        return Diarization(turns, self._votes.fixed_until)

    def _voices(self, window: Pcm) -> npt.NDArray[np.float32]:
        """Return how active each voice is in each cell, shape `(500, voices)`."""
        activity = np.zeros((_WINDOW_CELLS, SETTINGS.voices), dtype=np.float32)
        scores = self._models.segment(window)
        if scores.any():
            embeddings = self._models.embed(window, scores)
            for local, voice in self._clustering.assign(scores, embeddings).items():
                activity[:, voice] = scores[_FRAME_OF_CELL, local]
        return activity

    def _name(self, voice: int) -> Speaker:
        return self._names.setdefault(voice, Speaker(f"S{len(self._names) + 1}"))


def _frames_of_cells() -> npt.NDArray[np.intp]:
    """Return for each cell of a window the segmentation frame that is centred closest to it."""
    frames = 1 + (WINDOW - _FRAME_LENGTH) // _FRAME_STEP
    cells = (np.arange(_WINDOW_CELLS) + 0.5) * _CELL
    nearest = np.rint((cells - _FRAME_LENGTH / 2) / _FRAME_STEP)
    return nearest.clip(0, frames - 1).astype(np.intp)


_FRAME_OF_CELL = _frames_of_cells()


class _Votes:
    """What the windows so far say about the cells that are not fixed yet.

    diart's `DelayedAggregation` with its Hamming strategy: of each window only the last
    `latency` votes, a cell with its weight in the window.
    """

    def __init__(self, latency: Samples) -> None:
        voting = -(-latency // _CELL)
        self._weights = np.hamming(_WINDOW_CELLS)[-voting:, None].astype(np.float32)
        self._fixed = 0  # cells of the session clock
        self._sums = np.zeros((0, SETTINGS.voices), dtype=np.float32)
        self._totals = np.zeros((0, 1), dtype=np.float32)

    @property
    def fixed_until(self) -> Samples:
        """End of the cells that no later window votes on."""
        return Samples(self._fixed * _CELL)

    def add(self, activity: npt.NDArray[np.float32], start: Samples) -> npt.NDArray[np.bool_]:
        """Count a window's votes, fix what is old enough, and return the outcome.

        Returns:
            Who is active in each cell, from what `fixed_until` was to the window's end.

        Raises:
            ValueError: The window does not end after the previous one.
        """
        held = round(start / _CELL) + _WINDOW_CELLS - self._fixed
        if held <= len(self._sums):
            raise ValueError(f"expected a window after the previous one, got one at {start}")
        self._sums = _lengthened(self._sums, held)
        self._totals = _lengthened(self._totals, held)
        voting = min(held, len(self._weights))
        weights = self._weights[-voting:]
        self._sums[-voting:] += activity[-voting:] * weights
        self._totals[-voting:] += weights
        active: npt.NDArray[np.bool_] = self._sums > _ACTIVE * self._totals
        settled = max(0, held - len(self._weights) + STEP // _CELL)
        self._fixed += settled
        self._sums = self._sums[settled:]
        self._totals = self._totals[settled:]
        return active


def _lengthened(cells: npt.NDArray[np.float32], length: int) -> npt.NDArray[np.float32]:
    return np.pad(cells, ((0, length - len(cells)), (0, 0)))


def _runs(activity: npt.NDArray[np.bool_]) -> Iterable[tuple[int, int, int]]:
    """Return each stretch of active cells as (first cell, end, voice)."""
    padded = np.pad(activity.T.astype(np.int8), ((0, 0), (1, 1)))
    changes = np.diff(padded, axis=1)
    voices, firsts = np.nonzero(changes == 1)
    _, ends = np.nonzero(changes == -1)
    return zip(firsts.tolist(), ends.tolist(), voices.tolist(), strict=True)
