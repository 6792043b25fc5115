"""How measured values are spread: what a row of a table says about many words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

PERCENTS = tuple(range(0, 101, 5))
"""Of `Distribution.twentieths`."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Of at least one value; all in the values' own unit.

    Attributes:
        count: How many values there were.
        mean: Their mean.
        median: Half of them are at most this.
        p90: Nine of ten are at most this; between two values it is interpolated.
        maximum: The largest.
        twentieths: How much at most 0, 5, 10 ... 100 % of them are: what a picture shows.
    """

    count: int
    mean: float
    median: float
    p90: float
    maximum: float
    twentieths: tuple[float, ...]

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
            twentieths=tuple(map(float, np.percentile(each, PERCENTS))),
        )
