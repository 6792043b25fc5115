"""What waiting longer for certainty buys: latency and errors against the look-ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from statistics import median

from loadtest.diarization import DiarizationErrors
from loadtest.latency import LatencyReport
from loadtest.scoring import WordErrors


@dataclass(frozen=True, slots=True)
class LookaheadReport:
    """One look-ahead, over several recordings.

    Attributes:
        lookahead_ms: It.
        recordings: What came of each, one after another.
    """

    lookahead_ms: int
    recordings: Sequence[LatencyReport]

    @property
    def live(self) -> WordErrors | None:
        """Errors of the finals, of all recordings."""
        known = [each.live for each in self.recordings if each.live is not None]
        return reduce(add, known) if known else None

    @property
    def speakers(self) -> DiarizationErrors | None:
        """Wrong speakers of the words, of the recordings whose speakers are known."""
        known = [each.speakers for each in self.recordings if each.speakers is not None]
        return reduce(add, known) if known else None

    @property
    def final_p50_s(self) -> float | None:
        """From the end of a word to its final: the median recording's median."""
        known = [each.final_s.median for each in self.recordings if each.final_s is not None]
        return median(known) if known else None

    @property
    def final_p90_s(self) -> float | None:
        """Likewise of nine in ten words."""
        known = [each.final_s.p90 for each in self.recordings if each.final_s is not None]
        return median(known) if known else None

    @property
    def shown_p50_s(self) -> float | None:
        """Likewise until a word is first shown."""
        known = [each.shown_s.median for each in self.recordings if each.shown_s is not None]
        return median(known) if known else None
