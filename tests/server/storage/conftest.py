"""Stores to test with: each test that asks for `store` or `url` runs on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from server.storage.database import Database
from server.storage.store import Store
from server.storage.tables import removals, transcripts
from tests.server.storage.postgres import Postgres
from tests.server.storage.writing import Clock


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests."""
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """A database that has its tables: to make a new one for each test takes a quarter second."""
    url = postgres.create()
    Store(url).close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without transcripts."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'trax.db'}"
    url: str = request.getfixturevalue("postgres_url")
    database = Database(url, wait_ms=2000)
    with database.writing() as connection:
        connection.execute(delete(transcripts))
        connection.execute(delete(removals))
    database.close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'trax.db'}"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.create()


@pytest.fixture
def clock() -> Clock:
    """What time it is for `store`."""
    return Clock()


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    """A store without transcripts."""
    with Store(url, wait_ms=2000, now_ms=clock) as store:
        yield store
