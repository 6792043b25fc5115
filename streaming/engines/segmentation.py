"""What the answers of the segmentation model mean (pyannote segmentation-3.0, see `weights`).

It looks at a window of audio and says for each *frame* which set of at most two of the window's
three *local speakers* is active. Frames lie `FRAME_STEP` samples apart and each sees
`FRAME_LENGTH`; local speakers of two windows have nothing to do with each other.
"""

from __future__ import annotations

import numpy as np

FRAME_STEP = 270
FRAME_LENGTH = 991
"""Samples that the frames are apart, and that each one sees."""

LOCAL_SPEAKERS = 3

POWERSET = np.array(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=np.float32
)
"""Which local speakers each class stands for (pyannote.audio's `Powerset`)."""


def frames_in(samples: int) -> int:
    """Return how many frames a window has."""
    return 1 + (samples - FRAME_LENGTH) // FRAME_STEP
