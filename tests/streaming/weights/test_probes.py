"""Made-up speech is the same every time, and comes and goes as speech does."""

from __future__ import annotations

import numpy as np
import pytest

from streaming.weights.probes import log_mel, speech_like


def test_the_same_seed_makes_the_same_speech() -> None:
    assert np.array_equal(speech_like(16_000, 1), speech_like(16_000, 1))
    assert not np.array_equal(speech_like(16_000, 1), speech_like(16_000, 2))


@pytest.mark.parametrize("samples", [991, 51_472, 80_000])
def test_it_is_a_waveform_in_range(samples: int) -> None:
    waveform = speech_like(samples, 0)

    assert waveform.shape == (samples,)
    assert waveform.dtype == np.float32
    assert 0.5 < np.abs(waveform).max() <= 1


def test_it_has_pauses_and_syllables() -> None:
    loudness = speech_like(80_000, 0).reshape(-1, 320).std(axis=1)

    assert np.quantile(loudness, 0.2) < 0.05 * np.quantile(loudness, 0.9)


def test_features_are_centred_over_time() -> None:
    features = log_mel(speech_like(80_000, 0))

    assert features.shape == (1, 498, 80)
    assert features.dtype == np.float32
    assert np.abs(features.mean(axis=1)).max() < 1e-3
    assert features.std() > 1
