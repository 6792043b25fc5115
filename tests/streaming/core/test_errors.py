"""Tests of `streaming.core.errors`."""

from __future__ import annotations

from streaming.core.domain import Samples
from streaming.core.errors import BacklogFull, CoreError, SessionFinished


def test_a_full_backlog_says_how_much_there_was_room_for() -> None:
    error = BacklogFull(Samples(7), 9)

    assert (error.room, error.fed) == (7, 9)
    assert str(error) == "at most 7 samples expected, got 9"


def test_all_errors_of_the_core_have_one_base() -> None:
    assert issubclass(BacklogFull, CoreError)
    assert issubclass(SessionFinished, CoreError)
