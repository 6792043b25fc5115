"""What stands of a living document, as tables."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from loadtest.living import LivingReport
from loadtest.living_audit import Said, Typed
from loadtest.report import NOTHING


def meeting_table(report: LivingReport) -> Table:
    """Return what everybody did, and what happened to them."""
    server = f"server killed {report.kills} times"
    table = Table(
        title=f"{report.seconds / 60:.1f} minutes, seed {report.seed}, {server}", box=SIMPLE_HEAD
    )
    table.add_column("", no_wrap=True)
    for heading in ("session", "Python editor", "Node editor", "Node editor"):
        table.add_column(heading, justify="right")
    table.add_row("connection cut", *map(str, report.cuts))
    table.add_row("connections", NOTHING, *map(str, report.connections))
    table.add_row("edits", NOTHING, *map(str, report.edits))
    return table


def findings_table(report: LivingReport) -> Table:
    """Return what is there in the end, and what is not."""
    found = report.findings
    table = Table(
        title="what stands in the end",
        caption=(
            f"Erased by others than wrote them: {found.typed.met} characters. "
            f"Names and speakers chosen: {found.choices}, overridden: {found.overridden}. "
            f"Letters of unknown origin: {found.stray}, "
            f"beyond the marks of their words: {found.moved}. "
            f"Final words told otherwise than stored: {found.untold}. "
            f"Editors that differ from the storage: {report.differing}."
        ),
        box=SIMPLE_HEAD,
    )
    table.add_column("", no_wrap=True)
    for heading in ("written", "erased", "replaced", "whole", "missing", "doubled"):
        table.add_column(heading, justify="right")
    table.add_row("characters typed", *_typed(found.typed))
    table.add_row("typed into notes", *_typed(found.noted))
    table.add_row("final words", *_said(found.finals))
    table.add_row("corrections' words", *_said(found.corrections))
    return table


def _typed(typed: Typed) -> tuple[str, ...]:
    whole = typed.written - typed.erased - typed.missing
    doubled = typed.doubled + typed.strange
    return _cells(typed.written, typed.erased, None, whole, typed.missing, doubled)


def _said(said: Said) -> tuple[str, ...]:
    return _cells(said.words, said.touched, said.replaced, said.whole, said.missing, said.doubled)


def _cells(*counts: int | None) -> tuple[str, ...]:
    return tuple(NOTHING if count is None else str(count) for count in counts)
