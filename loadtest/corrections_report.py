"""What corrections take and cost, as tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.corrections import StretchesReport
from loadtest.corrections_meeting import MeetingReport
from loadtest.distribution import Distribution
from loadtest.editors_report import LAG_ROWS, editing_table, lag_cells
from loadtest.report import NOTHING, percent, spread


@dataclass(frozen=True, slots=True)
class CorrectionsReport:
    """All that `python -m loadtest corrections` measures.

    Attributes:
        stretches: Of meetings that go on; `None` where they were left out.
        meeting: Of a long document; `None` likewise.
    """

    stretches: StretchesReport | None
    meeting: MeetingReport | None


def stretches_table(report: StretchesReport) -> Table:
    """Return how long stretches and finals took."""
    rounds = len(report.rounds)
    table = Table(title=f"{rounds} rounds of {report.seconds:g} s, by turns", box=SIMPLE_HEAD)
    table.add_column("seconds", no_wrap=True)
    for heading in ("median", "90 %", "max"):
        table.add_column(heading, justify="right")
    stretches = report.stretches
    begun = Distribution.of(each.begun_s for each in stretches if each.begun_s is not None)
    rows = (
        ("from the end of a stretch to its job", Distribution.of(s.submitted_s for s in stretches)),
        ("  to when a worker begins", begun),
        ("  to its correction in an editor's document", report.corrected_s),
        ("from the end of a word to its final, with workers", report.final_s(accurate=True)),
        ("  without", report.final_s(accurate=False)),
    )
    for heading, distribution in rows:
        table.add_row(heading, *spread(distribution))
    changed = sum(stretch.changed for stretch in stretches)
    table.caption = (
        f"{len(stretches)} stretches, {changed} with something to correct, "
        f"{report.uncorrected} never corrected. Finals rise by {_rise(report)} % in the median."
    )
    return table


def meeting_tables(report: MeetingReport) -> Iterable[Table]:
    """Return what became of a long document, and of those who had it open."""
    title = f"{report.hours:g} hours, {report.words} words, corrected while they are open"
    table = Table(title=title, box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    table.add_column("", justify="right")
    rows = (
        ("words heard otherwise", str(report.heard_otherwise)),
        ("corrections applied", str(report.applied)),
        ("applied within s", f"{report.applied_s:.1f}"),
        ("cursors / moved", f"{report.cursors} / {report.moved}"),
        *zip(LAG_ROWS, lag_cells(report.lag), strict=True),
    )
    for heading, cell in rows:
        table.add_row(heading, cell)
    return table, editing_table([report.editing])


def _rise(report: StretchesReport) -> str:
    with_workers, without = report.final_s(accurate=True), report.final_s(accurate=False)
    if with_workers is None or without is None:
        return NOTHING
    return percent(with_workers.median / without.median - 1)
