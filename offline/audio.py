"""Audio that is in memory already, as an `AudioSource`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from streaming.core.domain import Pcm, Samples, Span


@dataclass(frozen=True, slots=True)
class HeldAudio:
    """All of a short recording: 64 kB a second."""

    pcm: Pcm = field(repr=False)

    @property
    def samples(self) -> Samples:
        """Its length."""
        return Samples(len(self.pcm))

    def read(self, span: Span) -> Pcm:
        """Return a stretch; what lies outside of the audio is silence."""
        held = self.pcm[max(0, span.start) : max(0, span.end)]
        before = min(span.length, max(0, -span.start))
        return np.pad(held, (before, span.length - before - len(held)))
