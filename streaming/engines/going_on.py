"""Which speakers of a diarization window are those of the one before: they need no embedding.

The local speakers of two windows have nothing to do with each other, and so each window is
embedded, which is most of what it costs. But two windows share most of their audio: who is active
in the second where somebody was active in the first is the same person, and keeps that voice. Every
second window at least is embedded all the same, so that a mistake does not last and voices go on
being learnt; and so is one in which somebody is heard for longer who was hardly heard before.

At a latency of 2 s this saves a third of the computing. The diarization error goes from 11.8 to
9.8 % on the talks of `tests/data`, from 14.9 to 15.1 on 17 min of composed readings, and from 46.6
to 47.3 on 3.5 min of meetings. With one window embedded in four the meetings have 52.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ALIKE = 0.5
"""Of the cells with either of two speakers, the part with both from which they are one."""

HEARD_WELL = 150
"""Cells that somebody spoke alone in, from which more of them tell nothing new of the voice: the
part of a window that makes a new voice (`rho_update`)."""

LONGER = 1.3
"""By so much must somebody who was not heard well be heard longer to be embedded again."""

Cells = npt.NDArray[np.bool_]
"""Which local speakers are active in each cell of a window, shape `(cells, speakers)`."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A window whose speakers were embedded.

    Attributes:
        active: Who was active in it.
        voices: The voice of each local speaker that has one.
    """

    active: Cells
    voices: Mapping[int, int]

    def going_on(self, active: Cells, later: int) -> Mapping[int, int] | None:
        """Return the voices of a window that follows, or `None` where it must be embedded.

        Args:
            active: Who is active in it.
            later: By so many cells.
        """
        if later >= len(active):
            return None
        before, now = self.active[later:], active[:-later]
        alone_before, alone = _alone(self.active), _alone(active)
        voices: dict[int, int] = {}
        for speaker in np.flatnonzero(active.any(axis=0)).tolist():
            one = now[:, speaker : speaker + 1]
            both, either = (one & before).sum(axis=0), (one | before).sum(axis=0)
            alike = both / np.maximum(either, 1)
            same = int(alike.argmax())
            if alike[same] < ALIKE or same not in self.voices:
                return None
            if alone_before[same] < HEARD_WELL and alone[speaker] > LONGER * alone_before[same]:
                return None
            voices[speaker] = self.voices[same]
        return voices if len(set(voices.values())) == len(voices) else None


def _alone(active: Cells) -> npt.NDArray[np.intp]:
    """Return in how many cells each speaker is active alone."""
    counts: npt.NDArray[np.intp] = (active & (active.sum(axis=1, keepdims=True) == 1)).sum(axis=0)
    return counts
