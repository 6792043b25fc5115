"""Tests of `streaming.engines.whisper_alignment`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.ndimage import median_filter

from streaming.engines.whisper_alignment import Costs, cheapest_path, medians, token_starts

costs = arrays.arrays(
    np.float64,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=7),
    elements=st.integers(-20, 20).map(float),
)


def least(costs: Costs) -> float:
    """Return what the cheapest way costs, place by place."""
    total = np.full(np.add(costs.shape, 1), np.inf)
    total[0, 0] = 0
    for row, column in np.ndindex(costs.shape):
        before = min(total[row, column], total[row, column + 1], total[row + 1, column])
        total[row + 1, column + 1] = costs[row, column] + before
    return float(total[-1, -1])


@given(costs)
def test_the_cheapest_path_is_a_path_and_none_is_cheaper(costs: Costs) -> None:
    rows, columns = cheapest_path(costs)

    assert (rows[0], columns[0]) == (0, 0)
    assert (rows[-1] + 1, columns[-1] + 1) == costs.shape
    steps = set(zip(np.diff(rows), np.diff(columns), strict=True))
    assert steps <= {(0, 1), (1, 0), (1, 1)}
    assert costs[rows, columns].sum() == least(costs)


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 20)),
        elements=st.floats(-9, 9, width=16),
    )
)
def test_medians_are_those_of_a_filter(weights: npt.NDArray[np.float32]) -> None:
    assert np.array_equal(medians(weights), median_filter(weights, (1, 7), mode="reflect"))


def test_a_token_begins_where_its_heads_begin_to_listen_there() -> None:
    heard_from = [0, 0, 20, 30, 50]
    attention = np.full((3, 5, 60), 1e-3, np.float32)
    for token, (begin, end) in enumerate(zip(heard_from, [*heard_from[1:], 60], strict=True)):
        attention[:, token, begin : max(end, begin + 1)] = 1

    assert list(token_starts(attention, 1)) == [0, 20, 30, 50]


def test_tokens_without_sound_of_their_own_begin_somewhere() -> None:
    starts = token_starts(np.ones((2, 6, 3), np.float32), 2)

    assert len(starts) == 4
    assert set(starts) <= {0, 1, 2}
