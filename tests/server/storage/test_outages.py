"""Full disks and servers that go away: nothing that was written is lost, and it goes on after."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from server.storage.database import Database
from server.storage.errors import StorageUnavailable, Trouble
from server.storage.store import Store
from server.storage.values import Batch
from tests.server.storage.postgres import Postgres
from tests.server.storage.writing import TRANSCRIPT, opened

DISK_BYTES = 24_000_000
"""An empty database of PostgreSQL has 8 MB."""

PIECE = bytes(500_000)


class SmallDisk:
    """A file system of memory, mounted where a database is going to be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mount(f"size={DISK_BYTES}")

    def grow(self) -> None:
        self._mount(f"remount,size={2 * DISK_BYTES}")

    def _mount(self, options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        subprocess.run(command, check=True)


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SmallDisk]:
    """A disk that is soon full; where the server of PostgreSQL may write."""
    if os.getuid() != 0:
        pytest.skip("only root may mount a file system")
    postgres: Postgres = request.getfixturevalue("postgres")
    folder = postgres.folder / tmp_path.name
    folder.mkdir()
    disk = SmallDisk(folder)
    if postgres.user is not None:
        shutil.chown(folder, postgres.user)
    yield disk
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture(params=["sqlite", "postgresql"])
def url_on_small_disk(
    small_disk: SmallDisk, postgres: Postgres, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The URL of an empty database on that disk."""
    if request.param == "sqlite":
        yield f"sqlite:///{small_disk.folder / 'trax.db'}"
        return
    postgres.run(f"CREATE TABLESPACE small LOCATION '{small_disk.folder}'")
    url = postgres.create("small")
    yield url
    postgres.run(f"DROP DATABASE {url.partition('@/')[2].partition('?')[0]}")
    postgres.run("DROP TABLESPACE small")


@pytest.mark.slow
def test_a_full_disk_loses_nothing_that_was_written(
    url_on_small_disk: str, small_disk: SmallDisk
) -> None:
    with Store(url_on_small_disk) as store:
        lease = opened(store)
        seq = 0

        def fill() -> None:
            nonlocal seq
            while seq * len(PIECE) < DISK_BYTES:
                seq = store.documents.append(lease, Batch(seq, (os.urandom(len(PIECE)),)))

        with pytest.raises(StorageUnavailable, match="its disk is full") as refused:
            fill()

        assert refused.value.trouble is Trouble.FULL
        assert seq > 0
        assert len(store.documents.read(TRANSCRIPT).updates) == seq

        small_disk.grow()
        assert store.documents.append(lease, Batch(seq, (PIECE,))) == seq + 1
        assert store.documents.read(TRANSCRIPT).updates[-1] == PIECE


# Anybody can run this one; SQLite says the same when it may not have another page.
def test_a_file_that_may_not_grow_loses_nothing_that_was_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'trax.db'}"
    with Store(url) as store:
        lease = opened(store)
        store.documents.append(lease, Batch(0, (b"a",)))
    database = Database(url, wait_ms=0)
    insert = text("INSERT INTO updates VALUES (:transcript, 2, :data, 0)")

    def fill() -> None:
        with database.writing() as connection:
            connection.execute(text("PRAGMA max_page_count=1"))  # SQLite takes the present size
            connection.execute(insert, {"transcript": TRANSCRIPT, "data": PIECE})

    with pytest.raises(StorageUnavailable) as refused:
        fill()
    database.close()

    assert (refused.value.trouble, refused.value.code) == (Trouble.FULL, "SQLITE_FULL")
    with Store(url) as store:
        assert store.documents.read(TRANSCRIPT).updates == (b"a",)


@pytest.mark.slow
def test_a_server_that_was_killed_is_met_again(postgres: Postgres, postgres_url: str) -> None:
    with Store(postgres_url, wait_ms=2000) as store:
        transcript = "transcript-of-an-outage"
        lease = opened(store, transcript)
        store.documents.append(lease, Batch(0, (b"a",)))

        postgres.kill()
        try:
            with pytest.raises(StorageUnavailable) as of_writer:
                store.documents.append(lease, Batch(1, (b"b",)))
            with pytest.raises(StorageUnavailable) as of_reader:
                store.documents.read(transcript)
        finally:
            postgres.start()

        assert of_writer.value.trouble is of_reader.value.trouble is Trouble.UNREACHABLE
        assert store.documents.append(lease, Batch(1, (b"b",))) == 2
        assert store.documents.read(transcript).updates == (b"a", b"b")


@pytest.mark.slow
def test_a_transaction_that_lost_its_server_is_undone(
    postgres: Postgres, postgres_url: str
) -> None:
    database = Database(postgres_url, wait_ms=2000)

    def interrupted() -> None:
        with database.writing() as connection:
            connection.execute(text("UPDATE transcripts SET title = 'half'"))
            postgres.kill()
            postgres.start()
            connection.execute(text("UPDATE transcripts SET title = 'whole'"))

    with Store(postgres_url) as store:
        transcript = "transcript-of-another-outage"
        store.library.create(transcript, started_ms=0, title="before")
        with pytest.raises(StorageUnavailable) as refused:
            interrupted()
        database.close()

        assert refused.value.trouble is Trouble.UNREACHABLE
        assert store.library.get(transcript).title == "before"
