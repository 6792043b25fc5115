"""Online speaker diarization with diart's method, driven window by window.

For each window (5 s, every 0.5 s, or every second where a latency of 2 s or more allows it; every
2 s where windows have to wait for the machine):

1. the segmentation model (pyannote segmentation-3.0) says which of at most three *local* speakers
   is active in each of 293 frames;
2. unless all of them go on from the window before (see `going_on`), the embedding model (CAM++)
   gives each active local speaker a vector, from the frames in which it speaks alone rather than
   over another (diart's overlapped speech penalty);
3. diart's online clustering maps local speakers to the session's *voices* by these vectors;
4. the activities of overlapping windows are averaged, weighted by a Hamming window, and a voice
   is active where the average passes one half.

Source: Coria et al., "Overlap-aware low-latency online speaker diarization based on end-to-end
local segmentation", ASRU 2021; <https://github.com/juanmc2005/diart>. Steps 2 and 3 are diart's
(its clustering is imported, see `diart_clustering`). Step 4 is diart's delayed aggregation on our
own grid of 10 ms cells of the session clock instead of fractional seconds, so that windows fall on
each other exactly; it also gives the part that is younger than the latency, from the windows
that have heard it so far.

Measured on the three talks of `tests/data/conversations` (2-4 voices, 344 s; repeat with
`pytest tests/streaming/engines/test_diart.py -m models`), percent by latency:

    latency, seconds                     0.5     1      2      3      5
    words given to a wrong voice         12.7   10.3    5.3    5.3    5.3
    diarization error                    15.9   13.3    9.8    9.4    9.5
    the same, without 0.25 s at edges    11.7    9.7    7.0    6.5    6.6

diart's own `SpeakerDiarization`, with the same models and settings, has one of
14.9, 12.0, 12.7, 12.7 and 14.3: it asks for 60 % of the votes, and its clustering also sees
windows without speech.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streaming.core.domain import Pcm, Samples, Span, Speaker, Turn, Voice
from streaming.core.ports import Diarization, Diarizer
from streaming.core.settings import (
    DIARIZATION_WINDOW,
    SHORTEST_DIARIZATION_LATENCY,
    diarization_step,
)
from streaming.engines.diart_clustering import (
    ClusteringFactory,
    ClusteringSettings,
    OnlineClustering,
    Scores,
)
from streaming.engines.fbank import log_mel
from streaming.engines.going_on import Cells, Embedded
from streaming.engines.onnx import Graph, OnnxModel
from streaming.engines.segmentation import FRAME_LENGTH, FRAME_STEP, POWERSET, frames_in

SETTINGS = ClusteringSettings(
    tau_active=0.6, rho_update=0.3, delta_new=0.7, voices=20, centroid_norm=100.0
)
"""diart's defaults, but for `delta_new`: its 1.0 merges voices with CAM++ embeddings.

Diarization error in percent at a latency of 2 s, with steps of 0.5 s and every window embedded, of
three sets: the talks of the table above; 21 min composed in the same way of readings by eight
voices; 3.5 min of AMI meetings.

    delta_new             0.6    0.65   0.7    0.75
    talks                 11.2   11.2   11.2   11.3
    readings              12.7   12.6   11.6   12.4
    meetings              47.8   47.1   47.1   47.1

`rho_update` 0.2 costs 1.7 points on the talks, 0.35 costs 1.5 on the readings. `centroid_norm` 10
costs 6 points on the readings, 30 costs 0.3; 100 and no bound are equal there.
"""

_CELL = 160
"""Samples in a cell, the unit of time of the answers: 10 ms."""

_WINDOW_CELLS = DIARIZATION_WINDOW // _CELL

_ACTIVE = 0.5
"""A voice is active where more than this part of the votes says so: the majority."""

_WEIGHTS = np.hamming(_WINDOW_CELLS)[:, None].astype(np.float32)
"""What each cell of a window weighs in a vote."""

_GAMMA = 3
_BETA = 10
_LEAST_WEIGHT = 1e-8
"""Constants of diart's `overlapped_speech_penalty` (Coria et al., section 2.2.1, equation 2)."""


@dataclass(frozen=True, slots=True)
class DiartModels:
    """Segmentation, embedding and diart's clustering: loaded once, shared by all sessions.

    Safe to use from several threads. A window costs 56 ms of one core where it is embedded, 16 ms
    where it is not, and 12 ms without speech.
    """

    segmentation: Graph
    embedding: Graph
    clustering: ClusteringFactory

    @classmethod
    def load(cls, *, segmentation: Path, embedding: Path) -> DiartModels:
        """Load both models from their folders, and run each once.

        Call it before other threads import anything (see `ClusteringFactory.load`).

        Args:
            segmentation: Folder of `segmentation.onnx`.
            embedding: Folder of `campplus.onnx`.

        Raises:
            EngineError: A file is missing or no such model, or diart is not installed.
        """
        models = cls(
            OnnxModel(segmentation / "segmentation.onnx"),
            OnnxModel(embedding / "campplus.onnx"),
            ClusteringFactory.load(),
        )
        silence = np.zeros(DIARIZATION_WINDOW, dtype=np.float32)
        models.embed(silence, models.segment(silence))
        return models

    def diarizer(self, latency: Samples, known: Sequence[Voice] = ()) -> Diarizer:
        """Return the diarizer of one new session.

        Args:
            latency: How long a label may be revised, from 0.5 s to 5 s.
            known: Voices that it may hear again, and their names.

        Raises:
            ValueError: `latency` lies outside these bounds.
        """
        if not SHORTEST_DIARIZATION_LATENCY <= latency <= DIARIZATION_WINDOW:
            bounds = f"{SHORTEST_DIARIZATION_LATENCY}..{DIARIZATION_WINDOW}"
            raise ValueError(f"a latency of {bounds} samples expected, got {latency}")
        clustering = self.clustering.clustering(SETTINGS)
        clustering.know([voice.embedding for voice in known])
        names = [voice.speaker for voice in known[: SETTINGS.voices]]
        return DiartDiarizer(self, clustering, latency, names)

    def segment(self, window: Pcm) -> Scores:
        """Return which local speakers are active (0 or 1) in each frame, shape `(293, 3)`."""
        (classes,) = self.segmentation.run({"waveform": window[None, None]})
        # The likeliest class counts, as in diart's `PowersetAdapter`. Adding up the probabilities
        # of the classes is 0.5 points better on the readings, and 2 points worse on the meetings.
        scores: Scores = POWERSET[classes[0].argmax(axis=1)]
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

    def __init__(
        self,
        models: DiartModels,
        clustering: OnlineClustering,
        latency: Samples,
        names: Sequence[Speaker] = (),
    ) -> None:
        """Start with the voices that the clustering knows already, which have names."""
        self._models = models
        self._clustering = clustering
        self._votes = _Votes(latency)
        self._names = dict(enumerate(names))
        self._embedded: Embedded | None = None
        """The window before, if its speakers were embedded."""

    def label(self, window: Pcm, start: Samples) -> Diarization:
        """Take the next window and say who speaks (see `Diarizer.label`).

        Raises:
            ValueError: `window` is not 5 s long, or does not start after the previous one.
        """
        if window.shape != (DIARIZATION_WINDOW,):
            raise ValueError(f"{DIARIZATION_WINDOW} samples expected, got shape {window.shape}")
        end = round((start + DIARIZATION_WINDOW) / _CELL)
        if end <= self._votes.end:
            raise ValueError(f"a window after the previous one expected, got one at {start}")
        since = self._votes.fixed_until
        active = self._votes.add(self._activity(window, end - self._votes.end), end)
        turns = [self._turn(*stretch, since) for stretch in sorted(_stretches(active))]
        fixed_until = Samples(self._votes.fixed_until * _CELL)
        voices = [self._heard(voice, name) for voice, name in self._names.items()]
        return Diarization(tuple(turns), fixed_until, tuple(voices))

    def _heard(self, voice: int, name: Speaker) -> Voice:
        centroid = self._clustering.centroid(voice)
        weight = float(np.linalg.norm(centroid))
        unit = centroid / max(weight, _LEAST_WEIGHT)
        return Voice(name, unit.astype("<f4").tobytes(), weight)

    def _activity(self, window: Pcm, later: int) -> npt.NDArray[np.float32]:
        """Return how active each voice is in each cell, shape `(500, voices)`.

        Args:
            window: The next one.
            later: By so many cells.
        """
        activity = np.zeros((_WINDOW_CELLS, SETTINGS.voices), dtype=np.float32)
        scores = self._models.segment(window)
        cells = scores[_FRAME_OF_CELL]
        for local, voice in self._voices(window, scores, cells > 0, later).items():
            activity[:, voice] = cells[:, local]
        return activity

    def _voices(self, window: Pcm, scores: Scores, active: Cells, later: int) -> Mapping[int, int]:
        """Return the voice of each local speaker that has one."""
        before, self._embedded = self._embedded, None
        if not active.any():
            return {}
        if before is not None and (voices := before.going_on(active, later)) is not None:
            return voices
        voices = self._clustering.assign(scores, self._models.embed(window, scores))
        self._embedded = Embedded(active, voices)
        return voices

    def _turn(self, first: int, end: int, voice: int, since: int) -> Turn:
        span = Span(Samples((since + first) * _CELL), Samples((since + end) * _CELL))
        if voice not in self._names:
            numbers = (Speaker(f"S{number}") for number in count(len(self._names) + 1))
            taken = set(self._names.values())
            self._names[voice] = next(name for name in numbers if name not in taken)
        return Turn(span, self._names[voice])


def _frames_of_cells() -> npt.NDArray[np.intp]:
    """Return for each cell of a window the segmentation frame that is centred closest to it."""
    frames = frames_in(DIARIZATION_WINDOW)
    cells = (np.arange(_WINDOW_CELLS) + 0.5) * _CELL
    nearest = np.rint((cells - FRAME_LENGTH / 2) / FRAME_STEP)
    return nearest.clip(0, frames - 1).astype(np.intp)


_FRAME_OF_CELL = _frames_of_cells()


class _Votes:
    """What the windows so far say about the cells that are not fixed yet.

    diart's `DelayedAggregation` with its Hamming strategy: of each window only the last
    `latency` votes, each cell with its weight in the window; more of one that comes late.

    Attributes:
        fixed_until: The cell from which on votes are counted; it only grows.
    """

    def __init__(self, latency: Samples) -> None:
        self._voting = -(-latency // _CELL)
        self._step = diarization_step(latency) // _CELL
        self._sums = np.zeros((0, SETTINGS.voices), dtype=np.float32)
        self._totals = np.zeros((0, 1), dtype=np.float32)
        self.fixed_until = 0

    @property
    def end(self) -> int:
        """End of the newest window, in cells of the session clock."""
        return self.fixed_until + len(self._sums)

    def add(self, activity: npt.NDArray[np.float32], end: int) -> npt.NDArray[np.bool_]:
        """Count the votes of the window that ends at cell `end`, and fix what is old enough.

        Returns:
            Who is active in each cell from what `fixed_until` was to `end`: `(cells, voices)`.
        """
        held = end - self.fixed_until
        self._sums = _lengthened(self._sums, held)
        self._totals = _lengthened(self._totals, held)
        # Windows that come late vote on all that is open, so that no cell is without a vote.
        voting = min(held, _WINDOW_CELLS)
        weights = _WEIGHTS[-voting:]
        self._sums[-voting:] += activity[-voting:] * weights
        self._totals[-voting:] += weights
        active: npt.NDArray[np.bool_] = self._sums > _ACTIVE * self._totals
        # The next window ends a step later at least, and so begin its votes.
        settled = max(0, held - self._voting + self._step)
        self._sums, self._totals = self._sums[settled:], self._totals[settled:]
        self.fixed_until += settled
        return active


def _lengthened(cells: npt.NDArray[np.float32], length: int) -> npt.NDArray[np.float32]:
    return np.pad(cells, ((0, length - len(cells)), (0, 0)))


def _stretches(active: npt.NDArray[np.bool_]) -> Iterable[tuple[int, int, int]]:
    """Return each stretch of cells in which a voice is active: first cell, end, voice."""
    changes = np.diff(np.pad(active.T.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    voices, firsts = np.nonzero(changes == 1)
    _, ends = np.nonzero(changes == -1)
    return zip(firsts.tolist(), ends.tolist(), voices.tolist(), strict=True)
