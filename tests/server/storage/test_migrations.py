"""Databases of every version become one of this version, and newer ones are left alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from server.storage.database import Database
from server.storage.errors import UnsupportedDatabase
from server.storage.migrations import upgrade
from server.storage.store import Store
from server.storage.tables import metadata
from server.storage.uploads import KeyedRequest
from server.storage.values import Batch
from tests.server.storage.writers import start
from tests.server.storage.writing import OTHER, TRANSCRIPT, opened

NEWEST = "0009"

# What a store wrote when this was the newest version.
OF_VERSION = {
    "0001": """
        INSERT INTO transcripts VALUES
            ('transcript-aaaaaaaaaa', 'Über alles', 'de', 'live', 1, 2, 3, 0, 0, 4, 1, 2, 0);
        INSERT INTO updates VALUES ('transcript-aaaaaaaaaa', 1, 'abc', 2);
        UPDATE updates SET data = CAST(data AS {bytes})
    """,
    "0002": """
        INSERT INTO transcripts VALUES
            ('transcript-aaaaaaaaaa', 'Über alles', 'de', 'live', 1, 2, 3, 0, 0, 4, 1, 2, 0);
        INSERT INTO terms VALUES (1, 'transcript-aaaaaaaaaa', 'uber alles', '');
        INSERT INTO updates VALUES ('transcript-aaaaaaaaaa', 1, 'abc', 2);
        UPDATE updates SET data = CAST(data AS {bytes})
    """,
}

UPLOADS = (
    """
    INSERT INTO sessions
        (id, transcript, live_pass, utterance_pass, offset_ms, samples, applied_seq, created_ms)
    VALUES
        ('s1', 'transcript-aaaaaaaaaa', 'p1', 'p2', 0, 0, 0, 1),
        ('s2', 'transcript-aaaaaaaaaa', 'p3', 'p4', 0, 0, 0, 1)
    """,
    """
    INSERT INTO uploads (session, transcript, digest, key, size_bytes, job, created_ms) VALUES
        ('s1', 'transcript-aaaaaaaaaa', 'd1', 'monday', 1, 'job1', 1),
        ('s2', 'transcript-aaaaaaaaaa', 'd2', NULL, 1, 'job2', 2)
    """,
)
"""Of version 0007, in the transcript above."""


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    """An empty database, without a store."""
    database = Database(empty_url, wait_ms=2000)
    yield database
    database.close()


def differences(connection: Connection) -> list[object]:
    """What alembic would still change, types included; without the index that is SQL of our own."""

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        if kind == "table" and name is not None:
            return not name.startswith("terms_index")
        return (kind, name) not in {("column", "vector"), ("index", "ix_terms_vector")}

    context = MigrationContext.configure(connection, opts={"include_name": ours})
    return list(compare_metadata(context, metadata))


def test_the_steps_lead_to_the_tables_that_we_use(database: Database) -> None:
    with database.writing() as connection:
        upgrade(connection, database.place)
        assert differences(connection) == []

        connection.execute(text("ALTER TABLE words DROP COLUMN count"))
        assert len(differences(connection)) == 1  # it does find what is missing


@pytest.mark.parametrize("version", OF_VERSION)
def test_a_database_of_an_earlier_version_is_taken_over(
    database: Database, empty_url: str, version: str
) -> None:
    with database.writing() as connection:
        upgrade(connection, database.place, version)
        kind = "bytea" if connection.dialect.name == "postgresql" else "blob"
        for statement in OF_VERSION[version].split(";"):
            connection.execute(text(statement.format(bytes=kind)))

    with Store(empty_url) as store:
        lease = store.documents.lease(TRANSCRIPT)
        assert store.documents.append(lease, Batch(1, (b"def",))) == 2
        assert store.documents.read(TRANSCRIPT).updates == (b"abc", b"def")
        (found,) = store.library.page(query="uber").transcripts
        assert (found.id, found.title) == (TRANSCRIPT, "Über alles")

    with database.reading() as connection:
        assert differences(connection) == []


def test_keys_of_files_stay_known(database: Database, empty_url: str) -> None:
    with database.writing() as connection:
        upgrade(connection, database.place, "0001")
        connection.execute(text(OF_VERSION["0001"].split(";", maxsplit=1)[0]))
        upgrade(connection, database.place, "0007")
        for statement in UPLOADS:
            connection.execute(text(statement))

    with Store(empty_url) as store:
        assert store.uploads.under(TRANSCRIPT, "monday") == KeyedRequest("d1", "job1")
        assert [upload.session for upload in store.uploads.of(TRANSCRIPT)] == ["s1", "s2"]


def test_opening_again_changes_nothing(store: Store, url: str) -> None:
    opened(store)

    with Store(url) as again:
        assert again.library.get(TRANSCRIPT) == store.library.get(TRANSCRIPT)
        opened(again, OTHER)


@pytest.mark.slow
def test_servers_that_start_at_once_make_the_tables_once(empty_url: str) -> None:
    processes = [start("open", empty_url) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()

    assert [process.communicate(timeout=60)[0] for process in processes] == ["0\n"] * 3


@pytest.mark.slow
def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    database: Database, empty_url: str
) -> None:
    Store(empty_url).close()
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    expected = f"expected a database of version {NEWEST} or older, got 9999"
    with pytest.raises(UnsupportedDatabase, match=expected):
        Store(empty_url)

    with database.reading() as connection:
        assert connection.execute(text("SELECT * FROM alembic_version")).scalar() == "9999"
        assert differences(connection) == []
