"""Accurate passes against people's edits, at random: a few seeds always, thousands when asked."""

from __future__ import annotations

import pytest

from loadtest.fuzz import World, fuzz
from loadtest.fuzz_command import FuzzReport, fuzz_table, people_of, summary
from loadtest.fuzz_people import Ledger

QUICK, LONG = 30, 3_000


def fuzzed(seeds: range) -> FuzzReport:
    return summary(fuzz(seed, people=people_of(seed)) for seed in seeds)


@pytest.mark.slow
def test_no_edit_is_ever_hurt() -> None:
    report = fuzzed(range(QUICK))

    assert report.violations.total == 0, report
    assert min(report.edits, report.characters, report.hunks, report.suggestions) > 0
    assert fuzz_table(report).row_count == 11


@pytest.mark.slow
@pytest.mark.long
def test_no_edit_is_hurt_in_thousands_of_seeds() -> None:
    report = fuzzed(range(QUICK, QUICK + LONG))

    assert report.violations.total == 0, report


def test_what_is_lost_or_doubled_is_counted() -> None:
    ledger = Ledger(typed=list("abc"), deleters={"c": {0}})

    assert (ledger.lost("ab"), ledger.doubled("ab")) == (0, 0)
    assert (ledger.lost("a"), ledger.doubled("aba")) == (1, 1)
    assert ledger.lost("") == 2


def test_an_edit_that_a_machine_takes_away_is_found() -> None:
    world = World(1)
    world.say()
    world.exchange()
    for _ in range(20):
        world.people[0].act()
    world.exchange()
    text = world.server.text
    assert world.ledger.lost(text) == 0

    assert world.ledger.lost("".join(c for c in text if c not in world.ledger.typed)) > 0
