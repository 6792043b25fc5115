"""Whisper's encoder for audio that grows: only its end is encoded again.

A live window is the one before it with half a second more. What was encoded of it before stays,
but for its last two seconds, which have learned what follows them: new frames look at the keys and
values that the settled ones left. And the silence that Whisper wants behind the speech is thinned
out: one frame stands for eight, and is looked at as if it were eight (Bolya et al., "Token Merging:
Your ViT But Faster", ICLR 2023, section 3). Of 518 frames a window 191 are left to encode, at no
cost in errors (`docs/performance.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streaming.core.domain import Pcm
from streaming.engines.decoding import SAMPLES_PER_TICK, padded_length
from streaming.engines.onnx import OnnxModel
from streaming.engines.whisper_graph import encoder_graph, nothing_before
from streaming.engines.whisper_weights import Array, WhisperWeights

UNSETTLED = 100
"""Frames at the end of a window that are encoded again with what follows them: 2 s. With 1 s there
are a tenth more errors."""

DENSE = 50
"""Frames of silence behind the speech that are encoded one by one: 1 s."""

SPARSE = 8
"""Frames of the silence behind those for which one stands."""

HOP = SAMPLES_PER_TICK // 2
"""Samples from one frame of features to the next; an encoded frame has two."""

SEEN = 4
"""Frames of features in front of an encoded frame that the convolutions see, at most."""

EDGE = 4
"""Frames of silence behind the audio that are heard: all the others are like those."""

CUT = 2
"""Frames of features that a cut in front of them spoils: a Fourier transform takes 25 ms."""

SOFTER = 2.0
"""How far below its loudest feature a window hears: 80 dB, as Whisper counts."""

Features = Callable[[Pcm], Array]


@dataclass(frozen=True, slots=True)
class Encoded:
    """What was made of a window, and what helps to encode it when it has grown.

    Attributes:
        frames: Of the audio, 20 ms each.
        encoding: Of the audio and of the silence behind it, (1, frames and more, width).
        attended: Keys and values of each layer, of the frames that are settled: (1, heads, settled,
            64), in float16. Of 14 s they take 7 MB (base).
        loudest: Its largest feature.
    """

    frames: int
    encoding: Array
    attended: Mapping[str, npt.NDArray[Any]]
    loudest: float

    def start(self, frames: int) -> Encoded:
        """Return what was made of its first frames, which are settled."""
        attended = {name: each[:, :, :frames] for name, each in self.attended.items()}
        return Encoded(frames, self.encoding[:, :frames], attended, self.loudest)


class AudioEncoder:
    """The encoder of one model, on the processor; safe to use from threads."""

    def __init__(self, weights: WhisperWeights, features: Features) -> None:
        """Make the graph, in half a second for base.

        Args:
            weights: Of the model.
            features: From audio to log-mel features, (bands, frames of 10 ms).

        Raises:
            EngineError: The weights are not all there.
        """
        self._features = features
        self._places = weights.array("encoder/position_encodings/encodings")
        self._network = OnnxModel(encoder_graph(weights))
        self._nothing = Encoded(
            frames=0,
            encoding=np.zeros((1, 0, weights.width), np.float32),
            attended=nothing_before(weights, weights.encoder_layers, np.float16),
            loudest=-np.inf,
        )

    def encode(self, pcm: Pcm, before: Encoded | None = None, total: int | None = None) -> Encoded:
        """Encode a window with silence behind it.

        Args:
            pcm: At most 30 s.
            before: The same window when it was shorter.
            total: Samples that it has with the silence behind it, if not as many as are needed.
        """
        frames = -(-len(pcm) // SAMPLES_PER_TICK)
        total = (total or padded_length(len(pcm))) // SAMPLES_PER_TICK
        settled = 0 if before is None else max(0, min(before.frames, frames) - UNSETTLED)
        known = before.start(settled) if before is not None and settled else self._nothing
        first = max(0, 2 * settled - SEEN)
        given = min(total, frames + EDGE)
        features = self.heard(np.pad(pcm, (0, given * SAMPLES_PER_TICK - len(pcm))), first)
        loudest = max(float(features.max()), known.loudest)
        dense = min(frames + DENSE, total)
        sparse = np.arange(dense, total, SPARSE)
        places = np.concatenate([np.arange(settled, dense), sparse])
        mask = np.zeros((len(places), dense + len(sparse)), np.float32)
        mask[:, dense:] = np.log(SPARSE)
        # Silence is the same everywhere, but for the last frame that is given.
        last = total - 1 if given == total else given - 2
        found = self._network.named(
            {
                "features": np.maximum(features, loudest - SOFTER)[None],
                "picked": np.minimum(places, last) - first // 2,
                "places": self._places[places][None],
                "mask": mask,
                **known.attended,
            }
        )
        unsettled = max(0, frames - UNSETTLED - settled)
        attended = {
            name: np.concatenate([before, found[f"new_{name}"][:, :, :unsettled]], axis=2)
            for name, before in known.attended.items()
        }
        encoding = np.concatenate([known.encoding, found["encoding"]], axis=1)
        return Encoded(frames, encoding, attended, loudest)

    def heard(self, padded: Pcm, first: int) -> Array:
        """Return the features of audio from one frame on."""
        start = max(0, first - CUT)
        heard = self._features(padded[start * HOP :])
        return heard[:, first - start : len(padded) // HOP - start]
