"""How many streams a server keeps up with: one more and more, until words come too late."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
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
        report: What came of them; `None` where the server refused or failed.
        failure: Why, then.
    """

    streams: int
    report: LatencyReport | None
    failure: str | None = None

    def in_time(self, limit_s: float) -> bool:
        """Whether the words of all clients came, and came in time."""
        if self.report is None or self.report.final_s is None:
            return False
        complete = all(stream.complete for stream in self.report.streams)
        return complete and self.report.final_s.p90 <= limit_s


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
    server: str, counts: Sequence[int], limit_s: float, measure: Measure
) -> StreamsReport:
    """Measure more and more streams, until they are too many or there are no more to try.

    Args:
        server: Its name.
        counts: How many at once, rising.
        limit_s: Within which nine of ten words have to be final.
        measure: Measures so many.
    """
    steps: list[Step] = []
    for count in counts:
        try:
            steps.append(Step(count, await measure(count)))
        except (LoadtestError, TraxError) as error:
            steps.append(Step(count, None, str(error)))
        if not steps[-1].in_time(limit_s):
            break
    return StreamsReport(server, limit_s, tuple(steps))


def figures(step: Step) -> Compared | None:
    """Return what is told of a step."""
    return None if step.report is None else Compared(str(step.streams), (step.report,))
