"""What every board of jobs does for workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from offline.child import Dropped, Failed, Heard
from offline.jobs import Claim, Failure, FailureCode, JobKind, Task
from offline.worker import JobBoard
from server.storage.jobs import Bounds, NewJob
from server.storage.store import Store
from server.worker import StoreBoard
from streaming.core.domain import Permille
from tests.offline.board import Board

TASK = Task(JobKind.STRETCH, "transcript-aaaaaaaaaa", "session1", 0, 30_000)
LENGTHY = replace(TASK, kind=JobKind.RECORDING)
LONG_PASSAGE = replace(TASK, kind=JobKind.PASSAGE, end_ms=3_600_000)
HOPELESS = Failure(FailureCode.MODEL_MISSING, "a model expected, got none", retry=False)

MakeBoard = Callable[[Sequence[Task]], JobBoard]


@pytest.fixture(params=["in memory", "in a store"])
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeBoard]:
    """Makes a board on which tasks wait."""
    if request.param == "in memory":
        yield lambda tasks: Board(list(tasks))
        return
    with Store(f"sqlite:///{tmp_path / 'trax.db'}") as store:
        store.library.create(TASK.transcript, started_ms=0)

        def make(tasks: Sequence[Task]) -> JobBoard:
            for task in tasks:
                store.jobs.submit(NewJob(task), Bounds(100, 100))
            return StoreBoard(store, lambda _session: True)

        yield make


def claimed(board: JobBoard) -> Claim:
    claim = board.claim(urgent=False)
    assert claim is not None
    return claim


def test_nothing_is_claimed_where_nothing_waits(board: MakeBoard) -> None:
    assert board([]).claim(urgent=False) is None


def test_each_job_is_claimed_once(board: MakeBoard) -> None:
    made = board([TASK, TASK])

    first, second = claimed(made), claimed(made)

    assert first.job != second.job
    assert first.task == second.task == TASK
    assert made.claim(urgent=False) is None


@pytest.mark.parametrize("lengthy", [LENGTHY, LONG_PASSAGE])
def test_only_what_people_wait_for_is_urgent(board: MakeBoard, lengthy: Task) -> None:
    made = board([TASK, lengthy])

    assert claimed(made).task == TASK
    assert made.claim(urgent=True) is None
    assert claimed(made).task == lengthy


def test_a_claim_is_renewed_until_its_job_ends(board: MakeBoard) -> None:
    made = board([TASK])
    claim = claimed(made)

    assert made.renew(claim, Permille(500))
    made.end(claim, Heard(b"heard"))

    assert not made.renew(claim, Permille(600))
    assert made.claim(urgent=False) is None


def test_a_job_that_is_dropped_can_be_claimed_again_and_a_hopeless_one_not(
    board: MakeBoard,
) -> None:
    made = board([TASK])

    made.end(claimed(made), Dropped())
    again = claimed(made)
    made.end(again, Failed(HOPELESS))

    assert again.task == TASK
    assert made.claim(urgent=False) is None


def test_an_end_that_comes_twice_changes_nothing(board: MakeBoard) -> None:
    made = board([TASK])
    claim = claimed(made)

    made.end(claim, Heard(b"heard"))
    made.end(claim, Dropped())

    assert made.claim(urgent=False) is None
