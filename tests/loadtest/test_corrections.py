"""Tests of `loadtest corrections`: what is counted, how it is shown, and the command."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loadtest.corrections import Round, Stretch, StretchesReport, _stretch
from loadtest.corrections_meeting import MeetingReport, count_moved
from loadtest.corrections_report import meeting_tables, stretches_table
from loadtest.editors import EditingReport
from loadtest.editors_lag import LoopLag
from loadtest.plots import plot_stretches
from offline.domain import PassId
from offline.jobs import Failure, FailureCode, Job, JobKind, JobState, Task
from streaming.core.domain import Permille
from tests.loadtest.test_commands import run

STRETCH = Stretch(0, 30_000, submitted_s=1.0, begun_s=2.0, corrected_s=8.0, changed=True)
REPORT = StretchesReport(
    seconds=60.0,
    rounds=(
        Round(accurate=True, final_s=(1.0, 1.2, 1.4), stretches=(STRETCH,)),
        Round(accurate=False, final_s=(1.0, 1.0), stretches=()),
        Round(accurate=True, final_s=(1.2,), stretches=(replace(STRETCH, corrected_s=None),)),
    ),
)

JOB = Job(
    id="job",
    task=Task(JobKind.STRETCH, "transcript", "session", 0, 30_000),
    state=JobState.DONE,
    key=None,
    attempts=1,
    progress=Permille(1000),
    failure=None,
    pass_id=PassId("3"),
    due_ms=0,
    created_ms=132_000,
    updated_ms=0,
    started_ms=133_000,
    finished_ms=140_000,
)
"""Of a session that began at second 100."""


def test_a_stretch_is_corrected_when_the_last_of_it_came() -> None:
    assert _stretch(JOB, 100.0, {"3": 141.5}) == Stretch(0, 30_000, 2.0, 3.0, 11.5, changed=True)


def test_a_stretch_with_nothing_to_correct_is_done_when_its_job_is() -> None:
    assert _stretch(JOB, 100.0, {"1": 141.5}).corrected_s == 10.0
    assert not _stretch(JOB, 100.0, {"1": 141.5}).changed


def test_a_stretch_that_failed_was_never_corrected() -> None:
    failure = Failure(FailureCode.TIMEOUT, "an end expected, got none", retry=False)
    failed = replace(JOB, state=JobState.FAILED, failure=failure, pass_id=None)
    waiting = replace(JOB, state=JobState.WAITING, started_ms=None, finished_ms=None, pass_id=None)

    assert _stretch(failed, 100.0, {}).corrected_s is None
    assert _stretch(waiting, 100.0, {}).corrected_s is None
    assert _stretch(waiting, 100.0, {}).begun_s is None


def test_rounds_of_one_kind_are_counted_together() -> None:
    with_workers, without = REPORT.final_s(accurate=True), REPORT.final_s(accurate=False)

    assert with_workers is not None
    assert without is not None
    assert (with_workers.count, with_workers.median, without.median) == (4, 1.2, 1.0)
    assert REPORT.corrected_s is not None
    assert (REPORT.corrected_s.count, REPORT.corrected_s.maximum) == (1, 8.0)
    assert REPORT.uncorrected == 1


def test_the_table_says_what_rises() -> None:
    text = shown(stretches_table(REPORT))

    assert "rise by 20.0 %" in " ".join(text.split())
    assert "2 stretches, 2 with something to correct" in " ".join(text.split())
    assert "rise by - %" in " ".join(shown(stretches_table(replace(REPORT, rounds=()))).split())


@pytest.mark.slow
def test_the_picture_is_drawn(tmp_path: Path) -> None:
    plot_stretches(REPORT, tmp_path / "corrections.png")

    assert (tmp_path / "corrections.png").read_bytes().startswith(b"\x89PNG")


def test_a_cursor_stays_in_its_word_and_at_its_letter() -> None:
    before = [(0, 0), (3, 2), (9, 4), (12, 0)]

    assert count_moved(before, before, set()) == 0
    assert count_moved(before, [(0, 0), (3, 1), (9, 4), (12, 0)], set()) == 1
    assert count_moved(before, [(0, 0), (3, 2), (10, 4), (12, 0)], set()) == 1


def test_a_cursor_goes_to_what_stands_in_the_place_of_its_word() -> None:
    # Word 8 is replaced; a cursor stood within it, behind its fourth letter.
    before = [(9, 4)]

    assert count_moved(before, [(8, 0)], {8}) == 0
    assert count_moved(before, [(8, 5)], {8}) == 0, "behind the word before it"
    assert count_moved(before, [(9, 9)], {8}) == 0
    assert count_moved(before, [(11, 2)], {8}) == 1


def test_tables_of_a_long_document_say_what_moved() -> None:
    editing = EditingReport(2, 0, 0, None, 0, None, LoopLag(10, 0, 0.02))
    lag = LoopLag(1_000, 3, 0.03)
    report = MeetingReport(3.0, 27_000, 2_700, 2_699, 12.5, editing, lag, 300, 1)

    text = "".join(map(shown, meeting_tables(report)))

    assert "27000 words" in text
    assert "300 / 1" in text
    assert "3 of 1000" in text


@pytest.mark.slow
async def test_finals_are_measured_with_and_without_workers(tmp_path: Path) -> None:
    code, out, errors = await run(
        *("corrections", "--scripted", "--rounds", "1", "--seconds", "8", "--hours", "0"),
        *("--out", tmp_path),
    )

    assert code == 0, errors
    assert "2 rounds of 8 s" in out
    report: dict[str, Any] = json.loads((tmp_path / "corrections.json").read_text())
    with_workers, without = report["stretches"]["rounds"]
    assert (with_workers["accurate"], without["accurate"]) == (True, False)
    assert 0 < min(with_workers["final_s"]) < max(without["final_s"]) < 5
    assert without["stretches"] == []
    assert (tmp_path / "corrections.png").exists()


def shown(table: object) -> str:
    console = Console(width=100, record=True, file=StringIO())
    console.print(table)
    return console.export_text()
