"""Kaldi's log-mel filter bank in numpy: the input of the speaker embedding model.

The values are those of `torchaudio.compliance.kaldi.fbank(wave, num_mel_bins=80,
sample_frequency=16000, dither=0.0)`, to within float32 rounding (2e-3 in the quietest bins, 1e-4
elsewhere). Written out because it is twenty lines, while torchaudio needs torch and, from the
package index, CUDA.

Source: Kaldi, `src/feat/feature-window.cc` and `mel-computations.cc` (defaults of
`compute-fbank-feats`): frames of 25 ms every 10 ms, none of them padded; mean removed;
pre-emphasis 0.97; the "povey" window (a Hann window to the power 0.85); power spectrum of 512
points; triangular filters equally spaced on the mel scale from 20 Hz to 8 kHz; natural logarithm.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from streaming.core.domain import SAMPLE_RATE, Pcm

_LENGTH = 400
_STEP = 160
_FFT = 512
_MELS = 80
_LOWEST_HZ = 20.0
_PREEMPHASIS = np.float32(0.97)
_FLOOR = np.finfo(np.float32).eps
_WINDOW = (np.hanning(_LENGTH) ** 0.85).astype(np.float32)


def _mel(hertz: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    mels: npt.NDArray[np.float64] = 1127.0 * np.log1p(hertz / 700.0)
    return mels


_LOWEST, _HIGHEST = _mel(np.array([_LOWEST_HZ, SAMPLE_RATE / 2]))
_CORNERS = np.linspace(_LOWEST, _HIGHEST, _MELS + 2)
_BINS = _mel(np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE))

_FIRST_BINS = np.searchsorted(_BINS, _CORNERS)
"""The first spectral bin at or above each corner: filter j rises from corner j, falls from j+1."""

_RISEN = (_BINS - _LOWEST) / (_CORNERS[1] - _LOWEST) % 1
"""How far each bin is from the corner below it to the one above, 0..1."""


def _between_corners(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Sum the values of the bins between each two corners, shape `(frames, 81)`."""
    totals = np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))
    sums: npt.NDArray[np.float64] = np.diff(totals[:, _FIRST_BINS], axis=1)
    return sums


def _filtered(power: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Apply the filters to spectra of shape `(frames, 257)`.

    Not as a product with a matrix: numpy's BLAS would take all cores for it, and its other
    threads then spin for 40 ms, which doubled what a diarization window costs.
    """
    rising = _between_corners(power * _RISEN)
    falling = _between_corners(power * (1 - _RISEN))
    return rising[:, :-1] + falling[:, 1:]


def log_mel(pcm: Pcm) -> npt.NDArray[np.float32]:
    """Return one row of 80 values per 10 ms of `pcm`, shape `(1 + (samples - 400) // 160, 80)`.

    2 ms for 5 s of audio.

    Raises:
        ValueError: `pcm` is shorter than one frame of 400 samples.
    """
    frames = np.lib.stride_tricks.sliding_window_view(pcm, _LENGTH)[::_STEP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    emphasised = np.empty_like(frames)
    emphasised[:, 1:] = frames[:, 1:] - _PREEMPHASIS * frames[:, :-1]
    emphasised[:, 0] = frames[:, 0] - _PREEMPHASIS * frames[:, 0]
    spectrum = np.fft.rfft(emphasised * _WINDOW, _FFT)
    power = spectrum.real**2 + spectrum.imag**2
    return np.log(np.maximum(_filtered(power), _FLOOR)).astype(np.float32)
