"""Who is active in each window of a recording, and what each of them sounds like there.

The costly half of a diarization of whole recordings: everything that a model computes. It is done
stretch by stretch, so that a recording of any length needs little memory, and each stretch depends
on its own audio alone, so that its result can be kept by it.

Two kinds of windows are looked at. *Short* ones (5 s, every 0.5 s) tell voices apart where four
people talk fast: the segmentation knows at most three in a window. *Long* ones (10 s, every 1 s),
which is what it was trained on, know better where there is speech at all. Both steps are whole
numbers of frames, so that the frames of all windows fall on each other.

Windows share one run of the embedding model, whose costly part does not depend on who speaks: a
run over 10.6 s serves 12 windows. It costs a fifth of a run for each window, with equal errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from streaming.core.domain import Pcm, Samples, Span
from streaming.engines.fbank import log_mel
from streaming.engines.onnx import Graph
from streaming.engines.segmentation import (
    FRAME_LENGTH,
    FRAME_STEP,
    LOCAL_SPEAKERS,
    POWERSET,
    frames_in,
)

DIMENSIONS = 192
"""Of an embedding."""

LEAST_ALONE_FRAMES = 8
"""From this many frames alone on a local speaker is known by them only, not by those in which
another one talks as well (pyannote.audio's `embedding_exclude_overlap`)."""

_LEAST_EMBEDDED = 400
"""Samples of the shortest audio that has features."""

Classes = npt.NDArray[np.uint8]
"""The likeliest class of the segmentation, `(windows, frames)`."""

Embeddings = npt.NDArray[np.float16]
"""One row of length 1 for each local speaker, `(windows, 3, 192)`; NaN where it is silent."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one kind.

    Attributes:
        length: Of a window.
        hop: Frames from one window to the next.
    """

    length: int
    hop: int

    @property
    def step(self) -> int:
        """Samples from one window to the next."""
        return self.hop * FRAME_STEP

    @property
    def frames(self) -> int:
        """Frames in a window."""
        return frames_in(self.length)

    def count(self, samples: int) -> int:
        """Return how many there are in a recording; the last one may reach beyond its end."""
        return 0 if samples <= 0 else max(0, -(-(samples - self.length) // self.step)) + 1


SHORT = Windows(length=80_000, hop=30)
LONG = Windows(length=160_000, hop=60)

_LONG_TOGETHER = 6
_SHORT_TOGETHER = _LONG_TOGETHER * LONG.hop // SHORT.hop
"""Windows in a stretch: more would cost less, and memory, as all of them are pooled at once."""

STRETCH = _LONG_TOGETHER * LONG.step
"""Samples from one stretch to the next."""

_EMBEDDED_FRAMES = (_SHORT_TOGETHER - 1) * SHORT.hop + SHORT.length // FRAME_STEP


@dataclass(frozen=True, slots=True)
class LocalSpeakers:
    """What the models say of some windows in a row.

    Attributes:
        short: Who is active in the short windows.
        embeddings: What they sound like.
        long: Who is active in the long windows.
    """

    short: Classes
    embeddings: Embeddings
    long: Classes

    @classmethod
    def joined(cls, parts: list[LocalSpeakers]) -> LocalSpeakers:
        """Return the windows of all parts, in their order."""
        return cls(
            np.concatenate([part.short for part in parts]),
            np.concatenate([part.embeddings for part in parts]),
            np.concatenate([part.long for part in parts]),
        )

    def encode(self) -> bytes:
        """Return the values as they are kept."""
        counts = np.array([len(self.short), len(self.long)], dtype="<u4")
        heard = ~np.isnan(self.embeddings[..., 0])
        rows = self.embeddings[heard].astype("<f2")
        parts = (counts, self.short, self.long, heard.astype(np.uint8), rows)
        return b"".join(part.tobytes() for part in parts)

    @classmethod
    def decode(cls, content: bytes) -> LocalSpeakers:
        """Return what `encode` described.

        Raises:
            ValueError: It is nothing of ours.
        """
        short, long = (int(count) for count in np.frombuffer(content, "<u4", count=2))
        sizes = (8, short * SHORT.frames, long * LONG.frames, short * LOCAL_SPEAKERS)
        ends = np.cumsum(sizes).tolist()
        heard = np.frombuffer(content[ends[2] : ends[3]], np.bool_).reshape(-1, LOCAL_SPEAKERS)
        embeddings = np.full((short, LOCAL_SPEAKERS, DIMENSIONS), np.nan, dtype=np.float16)
        embeddings[heard] = np.frombuffer(content[ends[3] :], "<f2").reshape(-1, DIMENSIONS)
        return cls(
            np.frombuffer(content[ends[0] : ends[1]], np.uint8).reshape(short, SHORT.frames),
            embeddings,
            np.frombuffer(content[ends[1] : ends[2]], np.uint8).reshape(long, LONG.frames),
        )


class ResultStore(Protocol):
    """Keeps results by a digest of what they were computed from; may forget them."""

    def get(self, key: str) -> bytes | None:
        """Return a result if it is still there."""
        ...

    def keep(self, key: str, content: bytes) -> None:
        """Keep a result."""
        ...


def stretches(samples: Samples) -> list[Span]:
    """Return the audio that each stretch of a recording needs; neighbours overlap."""
    count = -(-SHORT.count(samples) // _SHORT_TOGETHER)
    needed = STRETCH - LONG.step + LONG.length
    starts = (number * STRETCH for number in range(count))
    return [Span(Samples(start), Samples(min(samples, start + needed))) for start in starts]


@dataclass(frozen=True, slots=True)
class LocalSpeakerModels:
    """The two models, shared with whoever else uses them. Safe to use from several threads.

    A second of audio costs 0.07 s of one core, 0.05 s without speech.
    """

    segmentation: Graph
    embedding: Graph

    def hear(self, pcm: Pcm, span: Span, samples: Samples) -> LocalSpeakers:
        """Return who is active in a stretch.

        Args:
            pcm: The audio of the stretch.
            span: Which one, of `stretches`.
            samples: How long the recording is.
        """
        number = span.start // STRETCH
        short = self._classes(pcm, SHORT, _there(SHORT, _SHORT_TOGETHER, number, samples))
        long = self._classes(pcm, LONG, _there(LONG, _LONG_TOGETHER, number, samples))
        return LocalSpeakers(short, self._embeddings(pcm, short), long)

    def _classes(self, pcm: Pcm, windows: Windows, count: int) -> Classes:
        classes = np.zeros((count, windows.frames), dtype=np.uint8)
        for number in range(count):
            window = pcm[number * windows.step :][: windows.length]
            window = np.pad(window, (0, windows.length - len(window)))
            (answer,) = self.segmentation.run({"waveform": window[None, None]})
            classes[number] = answer[0].argmax(axis=1)
        return classes

    def _embeddings(self, pcm: Pcm, short: Classes) -> Embeddings:
        embeddings = np.full((len(short), LOCAL_SPEAKERS, DIMENSIONS), np.nan, dtype=np.float16)
        # What lies beyond the end of the recording would shift the mean of the features.
        frames = min(_EMBEDDED_FRAMES, len(pcm) // FRAME_STEP)
        if frames * FRAME_STEP < _LEAST_EMBEDDED:
            return embeddings
        weights = _weights(short, frames)
        heard = weights.any(axis=2)
        if heard.any():
            features = log_mel(pcm[: frames * FRAME_STEP])
            features -= features.mean(axis=0)
            (rows,) = self.embedding.run({"fbank": features[None], "weights": weights[heard]})
            lengths = np.linalg.norm(rows, axis=1, keepdims=True)
            embeddings[heard] = rows / np.maximum(lengths, np.finfo(np.float32).tiny)
        return embeddings


def _there(windows: Windows, together: int, number: int, samples: int) -> int:
    """Return how many windows a stretch has: fewer at the end of the recording."""
    return max(0, min(together, windows.count(samples) - number * together))


def _weights(short: Classes, frames: int) -> npt.NDArray[np.float32]:
    """Return which stretches of the audio count for whom, `(windows, 3, frames)`."""
    weights = np.zeros((len(short), LOCAL_SPEAKERS, frames), dtype=np.float32)
    for number, classes in enumerate(short):
        # A frame is centred one and a half steps after it begins.
        first = number * SHORT.hop + FRAME_LENGTH // 2 // FRAME_STEP
        there = max(0, min(SHORT.frames, frames - first))
        weights[number, :, first : first + there] = clean(POWERSET[classes])[:there].T
    return weights


def clean(active: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return in which frames each local speaker talks alone: all of its own where it hardly does.

    Args:
        active: `(frames, 3)`, 0 or 1.
    """
    alone = active * (active.sum(axis=1, keepdims=True) < 2)
    enough = alone.sum(axis=0) > LEAST_ALONE_FRAMES
    chosen: npt.NDArray[np.float32] = np.where(enough, alone, active)
    return chosen
