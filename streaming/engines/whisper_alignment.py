"""When each token of a text was said, from where its decoder listened (pure).

Some heads of Whisper's cross-attention follow the audio while the text is written. Their weights,
smoothed and averaged, are a map of tokens and frames; the cheapest path through it by dynamic time
warping tells when each token begins (openai/whisper: timing.py, `find_alignment` and `dtw`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

SMOOTHED = 7
"""Frames over which the median is taken, as in Whisper's own code."""

SORTING = (
    *((0, 5), (0, 3), (1, 6), (2, 4), (0, 1), (3, 5), (2, 6)),
    *((2, 3), (3, 6), (4, 5), (1, 4), (1, 3), (3, 4)),
)
"""Which two of seven are to be put in order, one after the other, so that the fourth has as many
above it as below (a median network). numpy does that to all frames at once, six times as fast as a
filter that sorts seven numbers for each."""

Costs = npt.NDArray[np.float64]


def token_starts(attention: npt.NDArray[np.float32], first: int) -> npt.NDArray[np.intp]:
    """Return the frame in which each token begins.

    Args:
        attention: How much each token of the prompt and of the text listens where, for the one that
            follows it: (heads, tokens, frames), frames no more than there was audio.
        first: The last token of the prompt, which listens for the first one of the text.

    Returns:
        A frame for each token of the text, and one for its end.
    """
    weights = attention / attention.sum(axis=2, keepdims=True)
    spread = weights.std(axis=1, keepdims=True)
    weights = (weights - weights.mean(axis=1, keepdims=True)) / np.maximum(spread, 1e-9)
    smooth = medians(weights[:, first:])
    tokens, frames = cheapest_path(-smooth.mean(axis=0, dtype=np.float64))
    begins = np.diff(tokens, prepend=-1) > 0
    return frames[begins]


def medians(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the median of each frame and the three before and behind it, mirrored at the ends.

    Args:
        weights: Frames are the last axis.
    """
    frames, beside = weights.shape[-1], SMOOTHED // 2
    padded = np.pad(weights, ((0, 0),) * (weights.ndim - 1) + ((beside, beside),), "symmetric")
    near = [padded[..., offset : offset + frames] for offset in range(SMOOTHED)]
    for low, high in SORTING:
        near[low], near[high] = np.minimum(near[low], near[high]), np.maximum(near[low], near[high])
    return near[beside]


def cheapest_path(costs: Costs) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the cheapest way from the first row and column to the last.

    A step goes one row down, one column to the right, or both.

    Args:
        costs: Of each place, shape (rows, columns), at least one of each.

    Returns:
        Rows and columns of the places on the way.
    """
    # A row is computed at once: what it costs to come from the left is a difference of sums.
    sums = np.cumsum(costs, axis=1)
    before = np.pad(sums[:, :-1], ((0, 0), (1, 0)))
    least = np.empty_like(costs)
    least[0] = sums[0]
    for row in range(1, len(costs)):
        above = least[row - 1]
        entered = np.minimum(above, np.append(np.inf, above[:-1]))
        least[row] = sums[row] + np.minimum.accumulate(entered - before[row])
    return _way_back(least)


def _way_back(least: Costs) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the way that led to the last place, given what the cheapest way to each costs."""
    row, column = least.shape[0] - 1, least.shape[1] - 1
    way = [(row, column)]
    costs = least.tolist()  # of which numbers are read five times as fast
    while row or column:
        if not row:
            column -= 1
        elif not column:
            row -= 1
        else:
            above, here = costs[row - 1], costs[row]
            both, down, right = above[column - 1], above[column], here[column - 1]
            if right < both and right < down:
                column -= 1
            else:
                row -= 1
                column -= both <= down
        way.append((row, column))
    rows, columns = np.array(way[::-1]).T
    return rows, columns
