"""A long update applied in slices, so that others have their turn in between.

How long a struct takes cannot be seen in it: Yjs and yrs look at all that was put at the same place
meanwhile. So it is measured, and an update that takes much longer than any editor's is broken off.
What of it was applied stays: each slice is an update of its own, which was inspected and committed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from server.yjs.errors import LimitExceeded
from server.yjs.slicing import Slices
from server.yjs.structs import Id
from server.yjs.updates import Inspection, missing

SHORT = 16
"""Structs and ranges to delete of what is applied at once, and of the first slice of more. The
worst that is known takes 14 ms for each of them, in a document of 50,000 structs; those of an
editor take 0.02."""

LARGEST = 1_000

SLICE_S = 0.01
"""A slice is to take so long: the next one is longer or shorter accordingly."""

MOST_S = 0.5
"""What an update may take before it is asked how many structs it has."""

STRUCT_S = 200e-6
"""What each of its structs may take besides: ten times what it takes if it is an editor's."""


class Pace:
    """How much of one update to apply at once, and when to stop (no clock).

    Attributes:
        slice: Structs, or ranges, of the next slice.
        spent_s: What it took so far.
        most_s: What it may take.
    """

    def __init__(self, size: int) -> None:
        """Begin with an update of so many structs and ranges."""
        self.slice = SHORT
        self.spent_s = 0.0
        self.most_s = MOST_S + STRUCT_S * size

    @property
    def exhausted(self) -> bool:
        """Whether it took more time than any editor's update."""
        return self.spent_s > self.most_s

    def spend(self, cost_s: float) -> None:
        """Note how long the last slice took."""
        self.spent_s += cost_s
        if cost_s > SLICE_S:
            self.slice = max(self.slice // 2, 1)
        elif cost_s < SLICE_S / 2:
            self.slice = min(self.slice * 2, LARGEST)


def size_of(inspection: Inspection) -> int:
    """Return how many structs, and ranges to delete, an update has."""
    return inspection.structs + sum(map(len, inspection.deleted.values()))


async def lacking(inspection: Inspection, state: Mapping[int, int]) -> Id | None:
    """Return what a document lacks (`missing`); what it gets meanwhile may count or not."""
    if size_of(inspection) <= SHORT:
        return missing(inspection, state)
    return await asyncio.to_thread(missing, inspection, state)


async def in_slices(
    update: bytes,
    inspection: Inspection,
    state: Mapping[int, int],
    take: Callable[[bytes], bool],
    charge: Callable[[float], None],
) -> None:
    """Have an update applied slice by slice.

    Args:
        inspection: Of the update.
        state: Of a document that has all that the update needs; may go on meanwhile.
        take: Applies one slice, and returns whether to go on.
        charge: Is told how many seconds of this thread's time each slice took.

    Raises:
        LimitExceeded: It took too long.
    """
    slices = await asyncio.to_thread(Slices, update, inspection, state)
    pace = Pace(size_of(inspection))
    while (piece := slices.take(pace.slice)) is not None:
        started_s = time.thread_time()
        goes_on = take(piece)
        cost_s = time.thread_time() - started_s
        charge(cost_s)
        pace.spend(cost_s)
        if not goes_on:
            return
        if pace.exhausted:
            spent_ms, most_ms = round(pace.spent_s * 1000), round(pace.most_s * 1000)
            raise LimitExceeded("milliseconds that an update takes", most_ms, spent_ms)
        await asyncio.sleep(0)
