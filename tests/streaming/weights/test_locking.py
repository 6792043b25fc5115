"""One holder at a time, and no lock outlives its holder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from streaming.weights.locking import exclusive_lock

HOLD = """
import sys, pathlib
from streaming.weights.locking import exclusive_lock
with exclusive_lock(pathlib.Path(sys.argv[1]), 0):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_holder_gives_up_in_time(tmp_path: Path) -> None:
    with (
        exclusive_lock(tmp_path / "lock", 0),
        pytest.raises(TimeoutError),
        exclusive_lock(tmp_path / "lock", 0.15),
    ):
        pytest.fail("both hold the lock")


def test_a_lock_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with exclusive_lock(tmp_path / "lock", 0):
            pass


@pytest.mark.slow
def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(TimeoutError), exclusive_lock(tmp_path / "lock", 0):
            pytest.fail("both hold the lock")
        holder.kill()
    with exclusive_lock(tmp_path / "lock", 0):
        pass
