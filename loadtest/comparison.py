"""Several servers that heard the same, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.latency import LatencyReport
from loadtest.report import NOT_OURS, NOTHING, megabytes, percent, seconds


@dataclass(frozen=True, slots=True)
class Compared:
    """What one server did, in each round; each figure of all is the median."""

    name: str
    rounds: tuple[LatencyReport, ...]

    @property
    def final_p50_s(self) -> float | None:
        """From the end of a word to its final: half of the words."""
        return self._median(lambda one: one.final_s.median if one.final_s else None)

    @property
    def final_p90_s(self) -> float | None:
        """Nine of ten words."""
        return self._median(lambda one: one.final_s.p90 if one.final_s else None)

    @property
    def shown_p50_s(self) -> float | None:
        """From the end of a word to the first time it is shown: half of the words."""
        return self._median(lambda one: one.shown_s.median if one.shown_s else None)

    @property
    def errors(self) -> float | None:
        """Word errors of the finals, for each word said."""
        return self._median(lambda one: one.live.rate if one.live else None)

    @property
    def cpu_per_audio_s(self) -> float | None:
        """Processor seconds of all its processes for each second of each client's audio."""
        return self._median(lambda one: one.server.cpu_per_audio_s if one.server else None)

    @property
    def peak_rss_bytes(self) -> float | None:
        """Memory at most."""
        return self._median(lambda one: one.server.peak_rss_bytes if one.server else None)

    @property
    def real_time(self) -> bool:
        """Whether it kept up with all clients in each round."""
        return all(one.real_time for one in self.rounds)

    def _median(self, figure: Callable[[LatencyReport], float | None]) -> float | None:
        known = [value for value in map(figure, self.rounds) if value is not None]
        return median(known) if len(known) == len(self.rounds) else None


def comparison_table(servers: Sequence[Compared]) -> Table:
    """Return the servers, one a row."""
    first = servers[0].rounds[0]
    count = len(first.streams)
    table = Table(
        title=f"{first.recording}, {first.audio_s:.0f} s, {count} client{'s' * (count > 1)}, "
        f"medians of {len(servers[0].rounds)}",
        box=SIMPLE_HEAD,
    )
    table.add_column("")
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for server in servers:
        table.add_row(server.name, *cells_of(server), "yes" if server.real_time else "NO")
    return table


HEADINGS = (
    *("final p50 s", "final p90 s", "shown p50 s", "errors %", "CPU s per audio s"),
    *("peak RSS, MB", "real time kept"),
)


def cells_of(server: Compared) -> list[str]:
    """Return the figures as cells of a table, but for the last."""
    final = (server.final_p50_s, server.final_p90_s, server.shown_p50_s)
    cpu_s, rss_bytes = server.cpu_per_audio_s, server.peak_rss_bytes
    return [
        *(NOTHING if value is None else seconds(value) for value in final),
        NOTHING if server.errors is None else percent(server.errors),
        NOT_OURS if cpu_s is None else f"{cpu_s:.3f}",
        NOT_OURS if rss_bytes is None else megabytes(rss_bytes),
    ]
