"""Workers: every job ends as it should, whatever becomes of the child or of the board."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from offline.child import Dropped, Ending, Failed, Heard, Hire
from offline.domain import PassWord
from offline.errors import BoardUnavailable, Unheard
from offline.jobs import FailureCode, JobKind, Task
from offline.results import Hearing
from offline.worker import Crew, Patience, Recall
from tests.offline import hands
from tests.offline.board import Board
from tests.offline.hands import DEADLINE_S, NO_AUDIO, Does, alive, task, wait_for

pytestmark = pytest.mark.slow

HASTY = Patience(beat_s=0.02, still_s=20.0, drop_s=10.0, end_s=20.0)


def knows_nothing(_task: Task) -> tuple[tuple[PassWord, ...], ...]:
    return ()


@contextmanager
def crew(
    board: Board,
    hire: Hire,
    *,
    recall: Recall = knows_nothing,
    patience: Patience = HASTY,
) -> Iterator[Crew]:
    made = Crew(board, hire, recall, workers=1, patience=patience)
    try:
        yield made
    finally:
        made.stop()
        made.close()


@contextmanager
def at_work(crew: Crew) -> Iterator[None]:
    """Have a crew work in a thread, and wait for it at the end."""
    thread = threading.Thread(target=crew.work)
    thread.start()
    try:
        yield
    finally:
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


@contextmanager
def begun(board: Board, folder: Path, what: str, kind: JobKind = JobKind.STRETCH) -> Iterator[Crew]:
    """Have a job under way that goes on until the gate is opened."""
    gate = folder / "gate"
    gate.touch()
    board.tasks.append(task(what, kind))
    with crew(board, Does(gate)) as here, at_work(here):
        wait_for((folder / f"gate.{kind.value}.begun").exists)
        try:
            yield here
        finally:
            gate.unlink(missing_ok=True)


def text(ending: Ending) -> str:
    assert isinstance(ending, Heard), ending
    return Hearing.decode(ending.result).words[0].word.text


def code(ending: Ending) -> FailureCode:
    assert isinstance(ending, Failed), ending
    return ending.failure.code


def test_all_that_is_due_is_done_by_one_process() -> None:
    board = Board([task("pid"), task("pid")])
    with crew(board, Does()) as here:
        here.work()
        assert len(here.children) == 1

        assert text(board.ended()) == text(board.ended()) == str(here.children[0])
    wait_for(lambda: here.children == ())


def test_no_process_is_started_without_a_job() -> None:
    with crew(Board(), Does()) as here:
        here.work()

        assert here.children == ()


def test_earlier_words_are_told() -> None:
    word = hands.heard(task("")).words[0].word
    board = Board([task("earlier")])
    with crew(board, Does(), recall=lambda _task: [[word, replace(word, text="so")]]) as here:
        here.work()

    assert text(board.ended()) == "heard so"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Unheard(NO_AUDIO), FailureCode.NO_AUDIO),
        (BoardUnavailable("a database expected, got none"), FailureCode.UNAVAILABLE),
    ],
)
def test_a_job_whose_earlier_words_cannot_be_had_has_failed(
    error: Exception, expected: FailureCode
) -> None:
    def recall(_task: Task) -> tuple[tuple[PassWord, ...], ...]:
        raise error

    board = Board([task("")])
    with crew(board, Does(), recall=recall) as here:
        here.work()

    assert code(board.ended()) is expected


def test_a_child_that_dies_costs_one_attempt_and_the_next_job_has_another(tmp_path: Path) -> None:
    board = Board([task("dies"), task("pid")])
    with crew(board, Does(tmp_path / "gate")) as here:
        here.work()

    died = board.ended()
    assert code(died) is FailureCode.WORKER_DIED
    assert isinstance(died, Failed)
    assert died.failure.retry
    assert text(board.ended())


def test_a_child_that_left_between_jobs_is_replaced() -> None:
    board = Board([task("pid")])
    with crew(board, Does()) as here:
        here.work()
        first = here.children[0]
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: not alive(first))
        board.tasks.append(task("pid"))
        here.work()

        assert text(board.ended()) == str(first)
        assert text(board.ended()) == str(here.children[0]) != str(first)


def test_progress_is_told_while_a_job_runs(tmp_path: Path) -> None:
    board = Board()
    with begun(board, tmp_path, "waits"):
        wait_for(lambda: board.renewed.get(timeout=DEADLINE_S) == 500)

    assert text(board.ended()) == "heard"


def test_a_job_that_is_wanted_no_more_is_dropped_and_its_process_kept(tmp_path: Path) -> None:
    board = Board()
    with begun(board, tmp_path, "waits") as here:
        child = here.children[0]
        board.wanted = False
        wait_for(lambda: not here._busy)

        assert here.children == (child,)
        assert alive(child)
    assert board.endings.empty()


def test_a_process_that_does_not_drop_its_job_is_killed(tmp_path: Path) -> None:
    board = Board()
    gate = tmp_path / "gate"
    gate.touch()
    board.tasks.append(task("deaf"))
    with crew(board, Does(gate), patience=replace(HASTY, drop_s=0.1)) as here, at_work(here):
        wait_for((tmp_path / "gate.stretch.begun").exists)
        child = here.children[0]
        board.wanted = False
        wait_for(lambda: not alive(child))
    assert board.endings.empty()


def test_a_job_that_stands_still_is_killed_and_tried_again(tmp_path: Path) -> None:
    board = Board([task("holds")])
    patience = replace(HASTY, still_s=2.0)
    with crew(board, Does(tmp_path / "gate"), patience=patience) as here:
        here.work()

        assert code(board.ended()) is FailureCode.TIMEOUT
        assert here.children == ()


@pytest.mark.parametrize("what", ["waits", "deaf"])
def test_a_crew_that_stops_gives_its_job_back(tmp_path: Path, what: str) -> None:
    board = Board()
    with begun(board, tmp_path, what) as here:
        here.stop()
        assert board.ended() == Dropped()

    here.work()
    assert [each.language for each in board.tasks] == [what]


def test_a_child_that_was_stopped_with_its_crew_is_not_a_failure(tmp_path: Path) -> None:
    board = Board()
    with begun(board, tmp_path, "waits") as here:
        os.kill(here.children[0], signal.SIGTERM)
        here.stop()

        assert board.ended() == Dropped()


def test_a_database_that_is_away_for_a_moment_costs_nothing(tmp_path: Path) -> None:
    board = Board()
    with begun(board, tmp_path, "waits"):
        board.away = 3
        wait_for(lambda: board.away == 0)
        board.away = 2

    assert text(board.ended()) == "heard"


def test_a_database_that_is_away_takes_no_job() -> None:
    board = Board([task("")], away=1)
    with crew(board, Does()) as here:
        here.work()
        assert len(board.tasks) == 1
        here.work()
    assert text(board.ended()) == "heard"


def test_what_cannot_be_noted_is_given_up_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    board = Board([task("")])
    patience = replace(HASTY, end_s=0.0)

    def lose(each: Task) -> tuple[tuple[PassWord, ...], ...]:
        board.away = 1_000_000
        return knows_nothing(each)

    with crew(board, Does(), recall=lose, patience=patience) as here:
        here.work()

    assert board.endings.empty()
    assert "what became of a job is lost" in [record.message for record in caplog.records]


def test_what_people_wait_for_is_heard_while_a_file_is(tmp_path: Path) -> None:
    board = Board()
    with begun(board, tmp_path, "waits", JobKind.UPLOAD) as here:
        board.tasks += [task("", JobKind.RECORDING), task("pid", JobKind.STRETCH)]
        here.work()

        assert text(board.ended()) in map(str, here.children)
        assert [each.kind for each in board.tasks] == [JobKind.RECORDING]
        assert len(here.children) == 2
    assert text(board.ended()) == "heard"
    assert text(board.ended()) == "heard"
    assert board.tasks == []


def test_there_is_no_overtime_for_more_of_what_people_wait_for(tmp_path: Path) -> None:
    board = Board()
    with begun(board, tmp_path, "waits", JobKind.STRETCH) as here:
        board.tasks.append(task("pid", JobKind.STRETCH))
        here.work()

        assert len(board.tasks) == 1
    assert text(board.ended()) == "heard"
    assert text(board.ended())
