"""What kills left behind, as a table."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.crashes_audit import CrashReport
from loadtest.distribution import Distribution
from loadtest.report import spread
from streaming.core.domain import SAMPLE_RATE


def crashes_table(report: CrashReport) -> Table:
    """Return what was promised, and what of it is missing."""
    table = Table(title=f"{report.kills} times kill -9", box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    table.add_column("", justify="right")
    words, edits = report.words, report.edits
    median, _, longest = spread(Distribution.of(report.back_s))
    rows = (
        ("final words told / missing in the document", f"{words.told} / {words.missing}"),
        ("  in the document, but never told", str(words.extra)),
        ("edits seen by the other / missing at a kill", f"{edits.seen} / {report.lost_edits}"),
        ("edits made / missing at the end", f"{edits.typed} / {edits.missing}"),
        ("  there more than once", str(edits.doubled)),
        (
            "audio acknowledged, s / samples missing at a kill",
            f"{report.acknowledged_samples / SAMPLE_RATE:.1f} / {report.lost_samples}",
        ),
        ("  samples that are wrong at the end", str(report.wrong_samples)),
        ("editors and storage equal at the end", "NO" if report.replicas_differ else "yes"),
        ("restarts", str(report.kills)),
        ("everybody back after a start, median s", median),
        ("  max", longest),
    )
    for heading, cell in rows:
        table.add_row(heading, cell)
    return table
