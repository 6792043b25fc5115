"""Tests of `server.defaults`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from server.defaults import _quota, usable_cores


@pytest.mark.parametrize(
    ("told", "cores"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("10000 100000\n", 1),
        ("max 100000\n", sys.maxsize),
        ("", sys.maxsize),
        ("nonsense", sys.maxsize),
        (None, sys.maxsize),
    ],
)
def test_a_container_has_as_many_cores_as_it_is_given_time_of(
    tmp_path: Path, told: str | None, cores: int
) -> None:
    file = tmp_path / "cpu.max"
    if told is not None:
        file.write_text(told, encoding="ascii")

    assert _quota(file) == cores


def test_there_is_a_core() -> None:
    assert 1 <= usable_cores() < 10_000
