"""The child: one ending for each order, and no harm to whoever started it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline.child import (
    FIRST_TO_BE_KILLED,
    NICENESS,
    Child,
    ChildDied,
    Drop,
    Dropped,
    Ending,
    Failed,
    Heard,
    Hire,
    Order,
    Progress,
)
from offline.jobs import FailureCode
from offline.results import Hearing
from streaming.core.domain import Permille
from tests.offline import hands
from tests.offline.hands import DEADLINE_S, Does, alive, task, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    """A child that does what it is told."""
    made = Child(Does(tmp_path / "gate"))
    yield made
    made.end()


def ending(child: Child) -> Ending:
    """Return what became of the order."""
    while True:
        message = child.receive(DEADLINE_S)
        assert message is not None
        if not isinstance(message, Progress):
            return message


def said(child: Child, what: str) -> str:
    child.send(Order(task(what), ()))
    told = ending(child)
    assert isinstance(told, Heard)
    return Hearing.decode(told.result).words[0].word.text


def failed(child: Child, what: str) -> FailureCode:
    child.send(Order(task(what), ()))
    told = ending(child)
    assert isinstance(told, Failed)
    return told.failure.code


def test_each_order_has_one_ending_and_the_process_stays(child: Child) -> None:
    assert said(child, "pid") == said(child, "pid") == str(child.pid)
    assert child.receive(0.05) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills processes in an order")
def test_it_computes_at_low_priority_and_is_the_first_to_be_killed(child: Child) -> None:
    niceness = str(os.nice(0) + NICENESS)

    assert said(child, "nice") == f"{niceness} {FIRST_TO_BE_KILLED}"


def test_earlier_words_reach_it(child: Child) -> None:
    words = hands.heard(task("")).words[0].word
    child.send(Order(task("earlier"), ((words, words), (words,))))

    told = ending(child)

    assert isinstance(told, Heard)
    assert Hearing.decode(told.result).words[0].word.text == "heard heard heard"


def test_progress_is_told_before_the_end(child: Child) -> None:
    child.send(Order(task(""), ()))

    assert child.receive(DEADLINE_S) == Progress(Permille(0))


def test_failures_are_told_apart_and_end_no_process(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    child = Child(Does(tmp_path / "gate"))  # not the fixture, which begins before capfd does
    assert failed(child, "unheard") is FailureCode.NO_AUDIO
    assert failed(child, "foreign") is FailureCode.UNSUPPORTED
    assert failed(child, "stageless") is FailureCode.UNSUPPORTED
    assert failed(child, "modelless") is FailureCode.MODEL_MISSING
    assert failed(child, "crowded") is FailureCode.OUT_OF_MEMORY
    assert failed(child, "crammed") is FailureCode.OUT_OF_MEMORY
    assert failed(child, "lonely") is FailureCode.UNAVAILABLE
    assert failed(child, "wrong") is FailureCode.INTERNAL_ERROR

    assert said(child, "pid") == str(child.pid)
    child.end()
    assert "ArithmeticError" in capfd.readouterr().err


def test_an_order_is_dropped_and_the_next_one_done(child: Child, tmp_path: Path) -> None:
    (tmp_path / "gate").touch()
    child.send(Order(task("waits"), ()))
    wait_for((tmp_path / "gate.stretch.begun").exists)

    child.send(Drop())

    assert ending(child) == Dropped()
    assert said(child, "pid") == str(child.pid)


def test_a_drop_that_comes_too_late_concerns_nothing_else(child: Child) -> None:
    said(child, "pid")
    child.send(Drop())

    assert said(child, "pid") == str(child.pid)


def test_a_child_that_is_killed_is_told_as_such(child: Child) -> None:
    child.send(Order(task("dies"), ()))

    with pytest.raises(ChildDied, match="SIGKILL"):
        ending(child)
    with pytest.raises(ChildDied, match="SIGKILL"):
        child.send(Order(task(""), ()))


def test_a_child_that_cannot_be_hired_is_told_as_such() -> None:
    child = Child(hands.unpicklable)
    try:
        with pytest.raises(ChildDied, match="exit code 3"):
            said(child, "")
    finally:
        child.end()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts all private memory")
def test_a_child_that_needs_too_much_memory_fails_alone() -> None:
    child = Child(Does(), memory_bytes=500_000_000)
    try:
        assert failed(child, "eats") is FailureCode.OUT_OF_MEMORY
        assert said(child, "pid") == str(child.pid)
    finally:
        child.end()


def _abandon(hire: Hire, report: str) -> None:
    """Start a child that computes, and die as by `kill -9`."""
    child = Child(hire)
    child.send(Order(task("deaf"), ()))
    wait_for(Path(report).exists)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_child_ends_with_its_parent_however_that_dies(tmp_path: Path) -> None:
    gate, report = tmp_path / "gate", tmp_path / "gate.stretch.begun"
    gate.touch()
    spawn = multiprocessing.get_context("spawn")
    parent = spawn.Process(target=_abandon, args=(Does(gate), str(report)))
    parent.start()
    parent.join(DEADLINE_S)
    assert parent.exitcode == -signal.SIGKILL

    pid = int(report.read_text(encoding="ascii"))
    wait_for(lambda: not alive(pid))
