"""What editors saw, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.editors import EditingReport, Spread
from loadtest.editors_documents import Opening
from loadtest.editors_lag import LONG_S, LoopLag
from loadtest.editors_loop import Stretch
from loadtest.report import NOTHING, megabytes


@dataclass(frozen=True, slots=True)
class EditorsReport:
    """All that `python -m loadtest editors` measures."""

    editing: tuple[EditingReport, ...]
    openings: tuple[Opening, ...]
    loop: tuple[Stretch, ...]


def editing_table(reports: Sequence[EditingReport]) -> Table:
    """Return how long edits took; a column for each number of editors."""
    table = Table(title="edits, from when each was due to every other editor", box=SIMPLE_HEAD)
    table.add_column("editors", no_wrap=True)
    for report in reports:
        table.add_column(str(report.editors), justify="right")
    rows = (
        "edits",
        "arrivals",
        "  missing",
        "latency, p50 ms",
        "  p99",
        "  max",
        "final words, from being final to an editor, p50 ms",
        "  p99",
        "  max",
        "sent late by this process, p99 ms",
        "  max",
        *LAG_ROWS,
    )
    for heading, *cells in zip(rows, *map(_editing_cells, reports), strict=True):
        table.add_row(heading, *cells)
    return table


def openings_table(openings: Sequence[Opening]) -> Table:
    """Return how documents opened; a column for each."""
    table = Table(title="documents, from connecting to having them", box=SIMPLE_HEAD)
    table.add_column("hours", no_wrap=True)
    for opening in openings:
        table.add_column(f"{opening.meeting.hours:g}", justify="right")
    rows = (
        "words",
        "update, MB",
        "first editor, ms",
        "next editor, ms",
        *LAG_ROWS,
        "writing a final at the end, p50 ms",
        "  p99",
        "  max",
        "loop later meanwhile, p99 ms",
        "  max",
        "describing it, p50 ms",
        "  max",
    )
    for heading, *cells in zip(rows, *map(_opening_cells, openings), strict=True):
        table.add_row(heading, *cells)
    return table


def loop_table(stretches: Sequence[Stretch]) -> Table:
    """Return what held the server's loop, while one thing after the other was done."""
    table = Table(title="the longest document, one thing after the other", box=SIMPLE_HEAD)
    table.add_column("doing", no_wrap=True)
    for heading in ("s", *LAG_ROWS):
        table.add_column(heading.strip(), justify="right")
    for each in stretches:
        table.add_row(each.doing, f"{each.took_s:.1f}", *lag_cells(each.lag))
    return table


LAG_ROWS = (f"server's loop later than {1000 * LONG_S:.0f} ms, times", "  at most, ms")


def _editing_cells(report: EditingReport) -> tuple[str, ...]:
    count, *latency = _spread(report.latency_ms)
    late = _spread(report.sent_late_ms)[2:]
    edits, missing = str(report.edits), str(report.missing)
    finals = _spread(report.finals_ms)[1:]
    return edits, count, missing, *latency, *finals, *late, *lag_cells(report.lag)


def _opening_cells(opening: Opening) -> tuple[str, ...]:
    times = (f"{1000 * each:.0f}" for each in (opening.first_s, opening.next_s))
    size, writing = megabytes(opening.update_bytes), _spread(opening.meeting.writing_ms)[1:]
    held = _spread(opening.meeting.held_ms)[2:]
    _, middle, _, longest = _spread(opening.meeting.describing_ms)
    words = str(opening.meeting.words)
    return words, size, *times, *lag_cells(opening.lag), *writing, *held, middle, longest


def _spread(spread: Spread | None) -> list[str]:
    if spread is None:
        return ["0", NOTHING, NOTHING, NOTHING]
    latencies = (spread.p50, spread.p99, spread.maximum)
    return [str(spread.count), *(f"{each:.1f}" for each in latencies)]


def lag_cells(lag: LoopLag) -> tuple[str, str]:
    """Return how late a loop was, for `LAG_ROWS`."""
    most = NOTHING if lag.most_s is None else f"{1000 * lag.most_s:g}"
    return f"{lag.long} of {lag.beats}", most
