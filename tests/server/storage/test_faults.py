"""Whatever a database says becomes an error of ours that tells no secrets."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import exc, text

from server.storage.database import Database
from server.storage.errors import (
    Conflict,
    StorageError,
    StorageFault,
    StorageUnavailable,
    Trouble,
    UnsupportedDatabase,
)
from server.storage.faults import translate
from server.storage.store import Store
from tests.server.storage.writing import TRANSCRIPT, opened

SECRET = "what nobody else may read"


@pytest.fixture
def database(url: str, store: Store) -> Iterator[Database]:
    """A way to send statements to the store's database, which has one transcript."""
    opened(store)
    database = Database(url, wait_ms=200)
    yield database
    database.close()


def failure(database: Database, *statements: str, **values: object) -> StorageError:
    """Carry out statements, of which the last one fails."""

    def run() -> None:
        with database.writing() as connection:
            for statement in statements:
                connection.execute(text(statement), values)

    with pytest.raises(StorageError) as failed:
        run()
    return failed.value


def is_sqlite(database: Database) -> bool:
    return database.place.endswith("trax.db")


def logged(error: BaseException) -> str:
    """What a log shows of an error and all its causes."""
    return logging.Formatter().formatException((type(error), error, error.__traceback__))


def test_a_mistaken_statement_is_a_fault(database: Database) -> None:
    error = failure(database, "SELECT nothing FROM nowhere")

    assert isinstance(error, StorageFault)
    assert error.code == ("SQLITE_ERROR" if is_sqlite(database) else "42P01")
    assert error.place == database.place


def test_a_value_that_the_driver_cannot_send_is_a_fault(database: Database) -> None:
    error = failure(database, "SELECT :value", value=object())

    assert isinstance(error, StorageFault)
    assert error.code == "ProgrammingError"


def test_a_key_that_is_there_already_is_a_conflict(database: Database) -> None:
    error = failure(database, "INSERT INTO clients VALUES (:id, 1, 1), (:id, 1, 1)", id=TRANSCRIPT)

    assert isinstance(error, Conflict)
    assert error.subject == database.place


def test_a_database_that_is_not_to_be_written_says_so(database: Database) -> None:
    forbid = "PRAGMA query_only=ON" if is_sqlite(database) else "SET TRANSACTION READ ONLY"

    error = failure(database, forbid, "DELETE FROM transcripts")

    assert isinstance(error, StorageUnavailable)
    assert error.trouble is Trouble.READ_ONLY


def test_a_missing_module_of_sqlite_is_named(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'trax.db'}", wait_ms=0)

    error = failure(database, "CREATE VIRTUAL TABLE a USING unheard_of(b)")
    database.close()

    assert isinstance(error, UnsupportedDatabase)
    assert error.expected == "an SQLite that has FTS5"


def test_a_file_of_something_else_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "trax.db").write_bytes(b"no database" * 100)

    with pytest.raises(StorageFault, match="got SQLITE_NOTADB"):
        Store(f"sqlite:///{tmp_path / 'trax.db'}")


def test_a_folder_that_went_away_cannot_be_reached(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    database = Database(f"sqlite:///{folder / 'trax.db'}", wait_ms=0)
    shutil.rmtree(folder)

    error = failure(database, "SELECT 1")

    assert isinstance(error, StorageUnavailable)
    assert (error.trouble, error.code) == (Trouble.UNREACHABLE, "SQLITE_CANTOPEN")


def test_a_server_that_is_not_there_cannot_be_reached(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://ada:se{'cret'}@/trax?host={tmp_path}"

    with pytest.raises(StorageUnavailable) as refused:
        Store(url)

    assert refused.value.trouble is Trouble.UNREACHABLE
    assert refused.value.place == "local/trax"
    assert "secret" not in logged(refused.value)


@pytest.mark.parametrize(
    ("cause", "trouble"),
    [
        (psycopg.errors.TooManyConnections, Trouble.BUSY),
        (psycopg.errors.OutOfMemory, Trouble.UNREACHABLE),
        (psycopg.errors.CannotConnectNow, Trouble.UNREACHABLE),
        (psycopg.errors.DeadlockDetected, Trouble.LOCKED),
        (psycopg.errors.DiskFull, Trouble.FULL),
    ],
)
def test_what_a_server_says_when_it_has_trouble_is_understood(
    cause: type[psycopg.Error], trouble: Trouble
) -> None:
    error = translate(exc.DBAPIError("SELECT", {}, cause(SECRET)), "place")

    assert isinstance(error, StorageUnavailable)
    assert error.trouble is trouble
    assert error.code == cause.sqlstate
    assert SECRET not in str(error)


def test_an_error_of_sqlalchemy_itself_is_a_fault() -> None:
    error = translate(exc.InvalidRequestError(SECRET), "place")

    assert isinstance(error, StorageFault)
    assert str(error) == "place: expected a statement to be carried out, got InvalidRequestError"


# The database quotes the row that it refuses in a message of its own: "Failing row contains".
def test_no_error_shows_what_was_to_be_stored(store: Store, database: Database) -> None:
    row = "INSERT INTO transcripts (id, title, state) VALUES ('x', :title, NULL)"
    refused = failure(database, row, title=SECRET)
    twice = failure(database, "INSERT INTO clients VALUES (:id, 1, 1), (:id, 1, 1)", id=TRANSCRIPT)
    with pytest.raises(StorageFault) as mistaken:
        store.library.create("y" * 16, started_ms=object(), title=SECRET)  # type: ignore[arg-type]  # to be refused

    assert isinstance(refused, StorageFault)
    for error in (refused, twice, mistaken.value):
        assert error.__cause__ is None
        shown = logged(error)
        assert "Traceback" in shown
        assert SECRET not in shown
        assert TRANSCRIPT not in shown


def test_the_line_that_failed_is_shown(store: Store) -> None:
    opened(store)

    with pytest.raises(Conflict) as twice:
        opened(store)

    assert "connection.execute(insert(transcripts).values(columns))" in logged(twice.value)
