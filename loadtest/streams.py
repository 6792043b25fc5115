"""How many streams a server keeps up with: one more and more, until words come too late."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from loadtest.comparison import Compared
from loadtest.errors import LoadtestError
from loadtest.latency import LatencyReport
from trax_client import TraxError

LIMIT_S = 3.0
"""Streams are in real time while nine of ten words are final within this after their end."""

SPREAD_S = 2.0
"""Clients begin within this, so that they do not step in chorus but are all there all the time."""

Measure = Callable[[int], Awaitable[LatencyReport]]
"""Measures so many streams at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """So many streams at once.

    Attributes:
        streams: How many.
        rounds: What came of them, each time.
        failure: Why the server refused or failed, if it did: the last time.
    """

    streams: int
    rounds: tuple[LatencyReport, ...]
    failure: str | None = None

    @property
    def figures(self) -> Compared | None:
        """What is told of it."""
        return Compared(str(self.streams), self.rounds) if self.rounds else None

    def in_time(self, limit_s: float) -> bool:
        """Whether the words of all clients came each time, and by the median in time."""
        p90_s = None if self.figures is None else self.figures.final_p90_s
        if self.failure is not None or p90_s is None:
            return False
        complete = all(stream.complete for one in self.rounds for stream in one.streams)
        return complete and p90_s <= limit_s


@dataclass(frozen=True, slots=True)
class StreamsReport:
    """How many streams one server kept up with.

    Attributes:
        server: Its name.
        limit_s: Within which nine of ten words had to be final.
        steps: Numbers of streams, rising; all but the last were in time.
    """

    server: str
    limit_s: float
    steps: tuple[Step, ...]

    @property
    def most(self) -> int:
        """The most streams that were in time."""
        return max((s.streams for s in self.steps if s.in_time(self.limit_s)), default=0)

    @property
    def bounded(self) -> bool:
        """Whether more were tried, and were too many."""
        return not self.steps[-1].in_time(self.limit_s)


async def measure_streams(
    server: str, counts: Sequence[int], rounds: int, limit_s: float, measure: Measure
) -> AsyncIterator[StreamsReport]:
    """Measure more and more streams, until they are too many or there are no more to try.

    Args:
        server: Its name.
        counts: How many at once, rising.
        rounds: How often each number.
        limit_s: Within which nine of ten words have to be final.
        measure: Measures so many, once.

    Yields:
        What is known so far, after each number.
    """
    steps: list[Step] = []
    for count in counts:
        steps.append(await _step(count, rounds, measure))
        yield StreamsReport(server, limit_s, tuple(steps))
        if not steps[-1].in_time(limit_s):
            break


async def _step(count: int, rounds: int, measure: Measure) -> Step:
    reports: list[LatencyReport] = []
    while len(reports) < rounds:
        try:
            reports.append(await measure(count))
        except (LoadtestError, TraxError) as error:
            return Step(count, tuple(reports), str(error))
    return Step(count, tuple(reports))
