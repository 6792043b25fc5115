"""What corrections take and cost, as tables and as a picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.corrections import StretchesReport
from loadtest.corrections_meeting import MeetingReport
from loadtest.distribution import Distribution
from loadtest.editors_report import editing_table
from loadtest.report import NOTHING, percent, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_IN = (8.0, 4.5)


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
    )
    for heading, cell in rows:
        table.add_row(heading, cell)
    return table, editing_table([report.editing])


def plot_stretches(report: StretchesReport, file: Path) -> None:
    """Draw how long corrections and finals took, into a file."""
    # Half a second of imports, for reports with pictures only. Agg needs no display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=SIZE_IN, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    took_s = [each.corrected_s for each in report.stretches if each.corrected_s is not None]
    _draw(left, {"stretches": took_s}, "from the end of a stretch to its correction")
    finals_s = {
        name: [s for each in report.rounds if each.accurate is accurate for s in each.final_s]
        for name, accurate in (("with workers", True), ("without", False))
    }
    _draw(right, finals_s, "from the end of a word to its final")
    figure.savefig(file)


def _draw(axes: Axes, rows: dict[str, list[float]], title: str) -> None:
    """Draw what part of all took at most so long."""
    for name, values in rows.items():
        ordered = sorted(values)
        axes.step(ordered, [(n + 1) / len(ordered) for n in range(len(ordered))], label=name)
    axes.set_xlabel("seconds")
    axes.set_ylabel("part of all")
    axes.set_title(title)
    axes.legend()


def _rise(report: StretchesReport) -> str:
    with_workers, without = report.final_s(accurate=True), report.final_s(accurate=False)
    if with_workers is None or without is None:
        return NOTHING
    return percent(with_workers.median / without.median - 1)
