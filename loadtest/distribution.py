"""How measured values are spread: what a row of a table says about many words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Distribution:
    """Of at least one value; all in the values' own unit.

    Attributes:
        count: How many values there were.
        mean: Their mean.
        median: Half of them are at most this.
        p90: Nine of ten are at most this; between two values it is interpolated.
        maximum: The largest.
    """

    count: int
    mean: float
    median: float
    p90: float
    maximum: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Distribution | None:
        """Return the distribution, or `None` of no values."""
        each = np.array(tuple(values), dtype=np.float64)
        if not len(each):
            return None
        return cls(
            count=len(each),
            mean=float(each.mean()),
            median=float(np.percentile(each, 50)),
            p90=float(np.percentile(each, 90)),
            maximum=float(each.max()),
        )
