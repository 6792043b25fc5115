"""The garbage collector stands still as long as anybody wants it to."""

from __future__ import annotations

import gc

import pytest

from server.collector import Collector


def test_the_last_who_asked_for_a_pause_ends_it() -> None:
    collector = Collector()
    with collector.paused():
        with collector.paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_pause_ends_with_what_fails() -> None:
    with pytest.raises(ZeroDivisionError), Collector().paused():
        _ = 1 / 0
    assert gc.isenabled()
