"""Connections and transactions: private, patient, and consistent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from server.storage.database import CONNECTIONS, Database
from server.storage.errors import StorageUnavailable, Trouble, UnsupportedDatabase
from server.storage.leases import lock
from server.storage.store import Store
from server.storage.values import Batch
from tests.server.storage.writers import start
from tests.server.storage.writing import OTHER, TRANSCRIPT, opened


@pytest.fixture
def database(url: str, store: Store) -> Iterator[Database]:
    """A second way into the store's database, with little patience."""
    opened(store)
    database = Database(url, wait_ms=200)
    yield database
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "trax.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file:trax.db?uri=true",
        "postgresql://ada:secret@host/trax",
        "mysql://ada:secret@host/trax",
    ],
)
def test_other_databases_are_refused_without_a_word_of_their_address(url: str) -> None:
    with pytest.raises(UnsupportedDatabase, match="expected sqlite:///FILE or postgres") as refused:
        Store(url)

    assert "secret" not in str(refused.value)


def test_a_password_is_no_part_of_a_database_s_name() -> None:
    database = Database("postgresql+psycopg://ada:secret@db.example:5433/trax", wait_ms=1000)

    assert database.place == "db.example/trax"


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'trax.db'}") as store:
        opened(store)
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    assert modes == {"trax.db": 0o600, "trax.db-wal": 0o600, "trax.db-shm": 0o600}


def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="it cannot be reached") as refused:
        Store(f"sqlite:///{tmp_path / 'nothing' / 'trax.db'}")

    assert refused.value.place == str(tmp_path / "nothing" / "trax.db")
    assert refused.value.code == "No such file or directory"


def test_a_store_may_be_closed_twice(store: Store) -> None:
    store.close()
    store.close()


def test_readers_see_one_moment_while_others_write(database: Database, store: Store) -> None:
    count = text("SELECT count(*) FROM transcripts")
    with database.reading() as connection:
        before = connection.execute(count).scalar()
        opened(store, OTHER)
        after = connection.execute(count).scalar()

    assert before == after == 1


def test_a_transaction_that_fails_leaves_nothing_behind(database: Database) -> None:
    class Interruption(BaseException):
        pass

    def interrupted() -> None:
        with database.writing() as connection:
            connection.execute(text("DELETE FROM transcripts"))
            raise Interruption

    with pytest.raises(Interruption):
        interrupted()

    with database.reading() as connection:
        assert connection.execute(text("SELECT id FROM transcripts")).scalar() == TRANSCRIPT


def test_a_writer_waits_for_another(database: Database, store: Store) -> None:
    entered = threading.Event()

    def hold() -> None:
        with database.writing() as connection:
            lock(connection, TRANSCRIPT)
            entered.set()
            time.sleep(0.05)  # what the other one waits for is time
            connection.execute(text("UPDATE transcripts SET title = 'mine'"))

    with ThreadPoolExecutor() as threads:
        holding = threads.submit(hold)
        assert entered.wait(10)
        changed = store.library.change(TRANSCRIPT, language="de")
        holding.result()

    assert (changed.title, changed.language) == ("mine", "de")


def test_a_writer_does_not_wait_for_ever(database: Database, store: Store, url: str) -> None:
    lease = store.documents.lease(TRANSCRIPT)
    with Store(url, wait_ms=50) as impatient, database.writing() as connection:
        lock(connection, TRANSCRIPT)

        with pytest.raises(StorageUnavailable, match="another process kept it locked") as refused:
            impatient.documents.append(lease, Batch(0, (b"a",)))

    assert refused.value.trouble is Trouble.LOCKED
    assert store.documents.append(lease, Batch(0, (b"a",))) == 1


@pytest.mark.slow
def test_a_file_locked_by_another_process_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "trax.db"
    with Store(f"sqlite:///{path}", wait_ms=100) as store:
        lease = opened(store)
        process = start("lock", str(path))
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"

        with pytest.raises(StorageUnavailable) as refused:
            store.documents.append(lease, Batch(0, (b"a",)))
        with pytest.raises(StorageUnavailable), Store(f"sqlite:///{path}", wait_ms=100):
            pass
        assert store.documents.read(TRANSCRIPT).last_seq == 0  # who reads does not wait

        with ThreadPoolExecutor() as threads:
            patient = threads.submit(append_patiently, path)
            process.communicate("\n", timeout=10)
            assert patient.result() == 1

    assert refused.value.trouble is Trouble.LOCKED
    assert refused.value.code == "SQLITE_BUSY"


def append_patiently(path: Path) -> int:
    with Store(f"sqlite:///{path}", wait_ms=10_000) as store:
        return store.documents.append(store.documents.lease(TRANSCRIPT), Batch(0, (b"a",)))


def test_connections_are_bounded(database: Database) -> None:
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(database.reading())

        with pytest.raises(StorageUnavailable) as refused, database.reading():
            pass

    assert refused.value.trouble is Trouble.BUSY
    with database.reading():
        pass


def test_any_thread_may_write(store: Store) -> None:
    def write(number: int) -> tuple[bytes, ...]:
        transcript = f"transcript-of-thread-{number}"
        lease = opened(store, transcript)
        for after in range(20):
            store.documents.append(lease, Batch(after, (b"%d" % after,)))
        return store.documents.read(transcript).updates

    with ThreadPoolExecutor(4) as threads:
        written = list(threads.map(write, range(4)))

    assert written == [tuple(b"%d" % after for after in range(20))] * 4


@pytest.mark.slow
def test_a_process_that_ends_does_not_take_the_log_of_those_that_stay(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'trax.db'}"
    # Two in one process, as a server with a worker of its own has them.
    with Store(url) as store, Store(url) as second:
        opened(store)
        other = start("open", url)
        assert other.communicate("\n", timeout=60)[0] == "ready\n1\n"

        assert (tmp_path / "trax.db-wal").exists()
        lease = second.documents.lease(TRANSCRIPT)
        seq = second.documents.append(
            lease, Batch(store.documents.read(TRANSCRIPT).last_seq, (b"x",))
        )
        other = start("take-turns", url, "y", "1")
        assert other.communicate(timeout=60)[0] == f"{seq + 1}\n"
        assert store.documents.read(TRANSCRIPT).updates[-2:] == (b"x", b"y")
