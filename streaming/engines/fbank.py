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


def _filters() -> npt.NDArray[np.float32]:
    """Return the weight of each spectral bin in each filter, shape `(257, 80)`."""
    lowest, highest = _mel(np.array([_LOWEST_HZ, SAMPLE_RATE / 2]))
    corners = np.linspace(lowest, highest, _MELS + 2)
    spacing = corners[1] - corners[0]
    bins = _mel(np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE))[:, None]
    rising = (bins - corners[:-2]) / spacing
    falling = (corners[2:] - bins) / spacing
    weights: npt.NDArray[np.float32] = np.maximum(0.0, np.minimum(rising, falling)).astype(
        np.float32
    )
    return weights


_FILTERS = _filters()


def log_mel(pcm: Pcm) -> npt.NDArray[np.float32]:
    """Return one row of 80 values per 10 ms of `pcm`, shape `(1 + (samples - 400) // 160, 80)`.

    4 ms for 5 s of audio.

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
    mels: npt.NDArray[np.float32] = np.log(np.maximum(power @ _FILTERS, _FLOOR))
    return mels
