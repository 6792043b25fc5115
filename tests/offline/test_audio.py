"""Tests of `offline.audio`."""

import numpy as np
import pytest

from offline.audio import HeldAudio
from streaming.core.domain import Samples, Span


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 3, [1, 2, 3]),
        (1, 2, [2]),
        (2, 5, [3, 0, 0]),
        (-2, 1, [0, 0, 1]),
        (-3, -1, [0, 0]),
        (-1, 5, [0, 1, 2, 3, 0, 0]),
        (7, 9, [0, 0]),
        (2, 2, []),
    ],
)
def test_what_lies_outside_is_silence(start: int, end: int, expected: list[int]) -> None:
    audio = HeldAudio(np.array([1, 2, 3], dtype=np.float32))

    read = audio.read(Span(Samples(start), Samples(end)))

    assert read.tolist() == expected
    assert read.dtype == np.float32
    assert audio.samples == 3
