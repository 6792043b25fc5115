"""Made-up speech, on which a converted network is compared with its original.

Noise alone would not do: networks behave otherwise on it than on voices, and a bug that only shows
where a voice starts or stops would pass. Real recordings would have to be shipped. So: harmonics of
a gliding pitch under three moving formants, in syllables with pauses, over faint noise; two voices
take turns. Deterministic. No ear would take it for speech, but the networks' own answers move as
they do on talk (`tests/streaming/weights/test_probes.py`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000

Waveform = NDArray[np.float32]
Features = NDArray[np.float32]

_TURN_S = 1.7
_SYLLABLES_HZ = 4.0
_PITCHES_HZ = (110.0, 205.0)
_HARMONICS = 30


def speech_like(samples: int, seed: int) -> Waveform:
    """Make a waveform of two voices taking turns.

    Returns:
        Shape (samples,), 16 kHz, in [-1, 1].
    """
    random = np.random.default_rng(seed)
    time_s = np.arange(samples) / SAMPLE_RATE_HZ
    turn = (time_s / _TURN_S).astype(int) % len(_PITCHES_HZ)
    glide = 1 + 0.15 * np.sin(2 * np.pi * 0.9 * time_s + random.uniform(0, 6))
    pitch_hz = np.asarray(_PITCHES_HZ)[turn] * glide
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
    formants_hz = [
        middle_hz * (1 + depth * np.sin(2 * np.pi * rate_hz * time_s + random.uniform(0, 6)))
        for middle_hz, depth, rate_hz in ((500, 0.4, 2.3), (1500, 0.3, 1.7), (2600, 0.1, 1.1))
    ]
    voice = np.zeros(samples)
    for harmonic in range(1, _HARMONICS + 1):
        distances = [(harmonic * pitch_hz - formant_hz) / 150 for formant_hz in formants_hz]
        gain = sum(1 / (1 + distance**2) for distance in distances)
        voice += gain * np.sin(harmonic * phase) / harmonic**0.5
    syllables = np.clip(np.sin(2 * np.pi * _SYLLABLES_HZ * time_s) + 0.4, 0, 1)
    pauses = np.sin(2 * np.pi * 0.35 * time_s + random.uniform(0, 6)) > -0.6
    voice *= syllables * pauses
    voice += 0.003 * random.standard_normal(samples)
    waveform: Waveform = (0.7 * voice / np.abs(voice).max()).astype(np.float32)
    return waveform


def log_mel(waveform: Waveform) -> Features:
    """Return 80 mean-normalised log mel energies per 10 ms, of 25 ms each.

    Near enough to Kaldi's to be what the network was trained on; engines use the real thing.

    Returns:
        Shape (1, frames, 80).
    """
    window, hop, size = 400, 160, 512
    frames = np.lib.stride_tricks.sliding_window_view(waveform, window)[::hop] * np.hamming(window)
    power = np.abs(np.fft.rfft(frames, size)) ** 2
    energies = np.log(np.maximum(power @ _mel_filters(80, size).T, 1e-7))
    features: Features = (energies - energies.mean(axis=0))[None].astype(np.float32)
    return features


def _mel_filters(count: int, size: int) -> NDArray[np.float64]:
    """Return triangles that overlap by half, evenly spaced in mel from 20 to 8000 Hz."""
    mel = 1127 * np.log1p(np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ) / 700)
    edges = np.linspace(1127 * np.log1p(20 / 700), 1127 * np.log1p(8000 / 700), count + 2)
    rising = (mel[None] - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - mel[None]) / np.diff(edges)[1:, None]
    filters: NDArray[np.float64] = np.maximum(np.minimum(rising, falling), 0)
    return filters
