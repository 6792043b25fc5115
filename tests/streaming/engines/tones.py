"""Models that read a code from the audio, so that tests of diarization need no weights.

The loudest part of the audio is a constant that says which class of the segmentation stands there,
and on it lies a faint, beating tone for each voice, which the embedding finds again: as features
come without their mean, it looks for what changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from streaming.core.domain import SAMPLE_RATE, Pcm
from streaming.engines.segmentation import FRAME_LENGTH, FRAME_STEP, frames_in

LOWEST_HZ = 400
BETWEEN_HZ = 350
BEATS_HZ = 8


class CodedSegmentation:
    """A `Graph` for audio whose samples are the class that stands there, divided by ten."""

    def __init__(self) -> None:
        """Begin to count runs."""
        self.runs = 0

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]:
        """Return the class in the middle of each frame."""
        self.runs += 1
        (pcm,) = inputs["waveform"][0]
        centres = np.arange(frames_in(len(pcm))) * FRAME_STEP + FRAME_LENGTH // 2
        classes = np.rint(pcm[centres] * 10).astype(int)
        return [np.log(np.eye(7, dtype=np.float32)[classes] + 1e-6)[None]]


class TonalEmbedding:
    """A `Graph` whose embedding says which tones beat where the weights are."""

    def __init__(self) -> None:
        """Begin to count runs."""
        self.runs = 0

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]:
        """Return one row for each row of weights."""
        self.runs += 1
        (features,), weights = inputs["fbank"], inputs["weights"]
        nearest = np.arange(len(features)) * weights.shape[1] // len(features)
        rows = []
        for row in weights[:, nearest]:
            mean = row @ features / row.sum()
            changes = np.sqrt(row @ (features - mean) ** 2 / row.sum())
            rows.append(np.maximum(changes - 0.7 * changes.max(), 1e-6))
        return [np.pad(np.array(rows, dtype=np.float32), ((0, 0), (0, 112)))]


def said(*parts: tuple[float, int, tuple[int, ...]]) -> Pcm:
    """Return audio: for how many seconds, which class stands there, and which voices speak."""
    pieces = []
    for length_s, code, voices in parts:
        time = np.arange(round(length_s * SAMPLE_RATE)) / SAMPLE_RATE
        beats = np.sin(2 * np.pi * BEATS_HZ * time) > 0
        tones = [beats * np.sin(2 * np.pi * (LOWEST_HZ + BETWEEN_HZ * v) * time) for v in voices]
        pieces.append(code / 10 + 0.02 * np.sum(tones, axis=0, initial=0.0) * np.ones(len(time)))
    return np.concatenate(pieces).astype(np.float32)
