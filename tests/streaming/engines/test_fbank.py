"""Tests of `streaming.engines.fbank`."""

import numpy as np
import pytest

from streaming.core.domain import Pcm
from streaming.engines.fbank import log_mel

KALDI = {
    0: [-9.279, -1.4287, -12.7764, -15.9424, -15.9424, -15.9424, -14.6268, -12.2566],
    40: [-13.987, -15.7844, -13.1618, -6.4152, -8.4911, -15.2894, -14.6964, -12.2502],
    97: [-12.7983, -15.9424, -15.9424, -15.9424, -13.7075, -6.538, -10.9114, -12.3049],
}
"""Every tenth value of rows of `torchaudio.compliance.kaldi.fbank` (2.11.0) of `sweep()`."""


def sweep() -> Pcm:
    """One second that rises from 200 Hz to 3200 Hz, and a soft tone of 5 kHz."""
    t = np.arange(16_000) / 16_000
    rising = 0.3 * np.sin(2 * np.pi * (200 * t + 1500 * t * t))
    return (rising + 0.05 * np.sin(2 * np.pi * 5000 * t)).astype(np.float32)


@pytest.mark.parametrize("row", KALDI)
def test_values_are_those_of_kaldi(row: int) -> None:
    assert log_mel(sweep())[row, ::10] == pytest.approx(KALDI[row], abs=1e-3)


@pytest.mark.parametrize(("samples", "rows"), [(400, 1), (559, 1), (560, 2), (80_000, 498)])
def test_only_whole_frames_become_rows(samples: int, rows: int) -> None:
    features = log_mel(np.zeros(samples, dtype=np.float32))

    assert features.shape == (rows, 80)
    assert features.dtype == np.float32


def test_audio_shorter_than_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="window"):
        log_mel(np.zeros(399, dtype=np.float32))


def test_silence_is_the_logarithm_of_the_floor() -> None:
    features = log_mel(np.zeros(16_000, dtype=np.float32))

    assert np.all(features == np.log(np.finfo(np.float32).eps))


def test_loudness_moves_all_values_alike() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.1, 16_000).astype(np.float32)

    louder = log_mel(2 * noise) - log_mel(noise)

    assert louder == pytest.approx(2 * np.log(2), abs=1e-3)


def test_a_constant_offset_is_not_heard() -> None:
    assert log_mel(sweep() + 0.25) == pytest.approx(log_mel(sweep()), abs=0.05)
