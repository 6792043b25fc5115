"""From a client's audio to what engines hear and recordings hold: 16 kHz, mono, 16 bits.

Everything is rounded to 16 bits before anything hears it, so that a session that is taken up
again from its recording hears exactly what it would have heard.

A resampler holds some input back, and starts from silence. When a session goes on from its
recording after our process died, the audio it held is lost; the client is therefore never told to
forget the last `REWIND_MS`, and sends it again. The new resampler then has heard enough before
the point where the recording ends for its output to join it: with 50 ms, white noise at 8, 11.025,
22.05, 44.1 and 48 kHz came out within 1.5e-7 of the uncut stream (tests/server/test_resampling.py).
"""

from __future__ import annotations

from math import gcd

import numpy as np
import numpy.typing as npt
import soxr

from server.codes import ErrorCode
from server.errors import PeerMistake
from server.messages import Encoding
from streaming.core.domain import SAMPLE_RATE, Pcm, Samples

REWIND_MS = 500
"""Audio that a client keeps although it is recorded, when we resample. soxr holds back up to
160 ms (of 11.025 kHz); the rest is ten times the length of its filters."""

FULL_SCALE = 32_768

Pcm16 = npt.NDArray[np.int16]
"""Mono audio at 16 kHz as recordings hold it, shape `(samples,)`, little-endian."""


class Intake:
    """Turns one session's client samples into 16 kHz; owned by the session.

    Cutting the audio differently does not change a bit of the result.
    """

    def __init__(
        self, encoding: Encoding, sample_rate: int, recorded: Samples = Samples(0)
    ) -> None:
        """Begin, or go on after a recording of `recorded` samples.

        In the latter case the next client sample must be `next_sample(sample_rate, recorded)`.
        """
        self._encoding = encoding
        self._rate = sample_rate
        self._received = next_sample(sample_rate, recorded)
        begun = self._received * SAMPLE_RATE // sample_rate
        self._surplus = recorded - begun
        self._resampler: soxr.ResampleStream | None = None
        if sample_rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="float32")

    @property
    def received(self) -> int:
        """Client samples taken so far: the index of the one wanted next."""
        return self._received

    def take(self, pcm: bytes) -> Pcm16:
        """Convert whole samples; some of the result may come with a later call.

        Raises:
            PeerMistake: A float sample is not a number. Nothing was taken.
        """
        samples = self._decode(pcm)
        self._received += len(samples)
        return self._resample(samples, last=False)

    def finish(self) -> Pcm16:
        """Return what was held back. Nothing may be taken afterwards."""
        return self._resample(np.zeros(0, dtype=np.float32), last=True)

    def _decode(self, pcm: bytes) -> Pcm:
        if self._encoding is Encoding.PCM_S16LE:
            return as_heard(np.frombuffer(pcm, dtype="<i2"))
        samples = np.frombuffer(pcm, dtype="<f4").astype(np.float32)
        if not np.isfinite(samples).all():
            bad = int(np.flatnonzero(~np.isfinite(samples))[0])
            raise PeerMistake(
                ErrorCode.MALFORMED,
                "A sample of the audio is not a number",
                expected="finite samples, -1..1 at full scale",
                got=f"{samples[bad]} at sample {self._received + bad}",
            )
        # Far beyond full scale, resampling would overflow.
        return np.clip(samples, -1.0, 1.0)

    def _resample(self, samples: Pcm, *, last: bool) -> Pcm16:
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples, last=last)
        skipped = min(self._surplus, len(samples))
        self._surplus -= skipped
        return quantise(samples[skipped:])


def quantise(samples: Pcm) -> Pcm16:
    """Round to 16 bits; what is beyond full scale is clipped."""
    scaled = np.rint(samples * FULL_SCALE)
    return np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype("<i2")


def as_heard(samples: Pcm16) -> Pcm:
    """Return recorded samples as engines take them."""
    return samples.astype(np.float32) / np.float32(FULL_SCALE)


def next_sample(sample_rate: int, recorded: Samples) -> int:
    """Return the client sample from which a recording of this length can be continued.

    Everything before it may be forgotten. Never falls as the recording grows. At it, samples of
    both clocks coincide, so that a resampler starting there is in step with the one before.
    """
    if sample_rate == SAMPLE_RATE:
        return recorded
    period = sample_rate // gcd(sample_rate, SAMPLE_RATE)
    rewound = recorded * sample_rate // SAMPLE_RATE - REWIND_MS * sample_rate // 1000
    return max(0, rewound // period * period)


def client_samples(sample_rate: int, samples: int) -> int:
    """Return how many client samples never become more than `samples` samples at 16 kHz."""
    return samples * sample_rate // SAMPLE_RATE
