"""Several processes on one database, and processes that die in the middle of a write."""

from __future__ import annotations

import random
import subprocess

import pytest

from server.storage.store import Store
from server.storage.values import Document
from tests.server.storage.writers import PASS, SESSION, start
from tests.server.storage.writing import TRANSCRIPT, joined, opened

DEADLINE_S = 60


def told(process: subprocess.Popen[str]) -> list[int]:
    """What a writer still has to say, until its end."""
    assert process.stdin is not None
    assert process.stdout is not None
    # `communicate` leaves out what was read ahead with the lines that were asked for.
    output = process.stdout.read()
    process.stdin.close()
    process.wait(DEADLINE_S)
    process.stdout.close()
    return [int(line) for line in output.split()]


def expected(document: Document) -> tuple[bytes, ...]:
    first = document.snapshot_seq + 1
    return tuple(str(seq).encode() for seq in range(first, document.last_seq + 1))


@pytest.mark.slow
def test_what_was_appended_survives_the_death_of_its_writer(store: Store, url: str) -> None:
    joined(store, opened(store))
    moments = random.Random(3)
    for _ in range(5):
        process = start("append", url)
        assert process.stdout is not None
        for _ in range(moments.randrange(1, 120)):
            newest = int(process.stdout.readline())
        process.kill()
        newest = max([newest, *told(process)])

        document = store.documents.read(TRANSCRIPT)
        session = store.sessions.find(SESSION)
        heard = store.passes.words(TRANSCRIPT, [PASS])[PASS]
        # One may have been stored without that its writer lived to say so.
        assert document.last_seq in {newest, newest + 1}
        assert document.updates == expected(document)
        assert document.snapshot_seq == 0 or document.snapshot == b"%d" % document.snapshot_seq
        assert session is not None
        assert session.applied_seq == document.last_seq
        assert [int(word.text) for word in heard] == list(range(1, document.last_seq + 1))


@pytest.mark.slow
def test_two_processes_that_take_turns_leave_no_gap_and_no_double(store: Store, url: str) -> None:
    opened(store)

    processes = {name: start("take-turns", url, name, "200") for name in ("a", "b")}
    seqs = {name: told(process) for name, process in processes.items()}

    assert [process.returncode for process in processes.values()] == [0, 0]
    assert sorted(seqs["a"] + seqs["b"]) == list(range(1, 401))
    updates = store.documents.read(TRANSCRIPT).updates
    for name, mine in seqs.items():
        assert {updates[seq - 1] for seq in mine} == {name.encode()}
    assert store.documents.lease(TRANSCRIPT).number > 3  # they did meet
