"""Databases of every version become one of this version, and newer ones are left alone."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from server.storage.database import Database
from server.storage.errors import UnsupportedDatabase
from server.storage.store import Store
from server.storage.tables import metadata
from tests.server.storage.writing import TRANSCRIPT, opened

NEWEST = "0001"


def differences(connection: Connection) -> list[object]:
    """What alembic would still change, types included."""
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def test_the_steps_lead_to_the_tables_that_we_use(url: str) -> None:
    Store(url).close()
    database = Database(url, wait_ms=2000)
    with database.writing() as connection:
        assert differences(connection) == []
        connection.execute(text("DROP TABLE words"))
        assert len(differences(connection)) == 1  # it does find what is missing
    database.close()


def test_opening_again_changes_nothing(store: Store, url: str) -> None:
    opened(store)

    with Store(url, wait_ms=2000) as again:
        assert again.library.get(TRANSCRIPT) == store.library.get(TRANSCRIPT)


def test_a_database_of_a_newer_version_is_refused_and_left_alone(url: str) -> None:
    Store(url).close()
    database = Database(url, wait_ms=2000)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    expected = f"expected a database of version {NEWEST} or older, got 9999"
    with pytest.raises(UnsupportedDatabase, match=expected):
        Store(url)

    with database.reading() as connection:
        assert connection.execute(text("SELECT * FROM alembic_version")).scalar() == "9999"
        assert differences(connection) == []
    database.close()
