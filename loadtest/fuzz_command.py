"""`python -m loadtest fuzz`: so many seeds of `loadtest.fuzz`, what they did, and what was hurt."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import track
from rich.table import Table

from loadtest.errors import LoadtestError
from loadtest.fuzz import PEOPLE, Outcome, Violations, fuzz
from loadtest.report import write_json

ALONE_EVERY = 5
"""Every so many seeds nobody edits: then the document must say what the last pass heard."""


@dataclass(frozen=True, slots=True)
class FuzzReport:
    """What all seeds did together.

    Attributes:
        seeds: How many.
        edits: That people made.
        characters: That people typed.
        hunks: That passes decided.
        suggestions: That stood in the end.
        violations: Of all laws.
        broken: Seeds with violations, the first ones.
    """

    seeds: int
    edits: int
    characters: int
    hunks: int
    suggestions: int
    violations: Violations
    broken: tuple[int, ...]


def summary(outcomes: Iterable[Outcome]) -> FuzzReport:
    """Add up what single seeds did."""
    every = list(outcomes)
    total = Violations()
    for outcome in every:
        for each in fields(Violations):
            found = getattr(outcome.violations, each.name)
            setattr(total, each.name, getattr(total, each.name) + found)
    return FuzzReport(
        seeds=len(every),
        edits=sum(outcome.edits for outcome in every),
        characters=sum(outcome.characters for outcome in every),
        hunks=sum(outcome.hunks for outcome in every),
        suggestions=sum(outcome.suggestions for outcome in every),
        violations=total,
        broken=tuple(outcome.seed for outcome in every if outcome.violations.total)[:10],
    )


def fuzz_table(report: FuzzReport) -> Table:
    """Return the report for people."""
    table = Table("what", "count", title="Accurate passes against edits", box=SIMPLE_HEAD)
    table.columns[1].justify = "right"
    for name in ("seeds", "edits", "characters", "hunks", "suggestions"):
        table.add_row(name, f"{getattr(report, name):,}")
    for law in fields(Violations):
        table.add_row(law.name, f"{getattr(report.violations, law.name):,}")
    return table


def people_of(seed: int) -> int:
    """Return how many people edit in a seed."""
    return PEOPLE if seed % ALONE_EVERY else 0


def add_fuzz(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.set_defaults(carry_out=_fuzz)
    parser.add_argument("--seeds", type=int, default=200, metavar="N", help="default: 200")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="default: 0")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the result as JSON")


def _fuzz(options: argparse.Namespace) -> None:
    seeds = range(options.first, options.first + options.seeds)
    console = Console(stderr=True)
    outcomes = [
        fuzz(seed, people=people_of(seed))
        for seed in track(seeds, "Editing and correcting ...", console=console, transient=True)
    ]
    report = summary(outcomes)
    Console().print(fuzz_table(report))
    if options.out is not None:
        write_json(options.out, report)
    if report.broken:
        raise LoadtestError(f"every law kept expected, got violations in seeds {report.broken}")
