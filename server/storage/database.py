"""One database: its connections, its transactions, and its errors made ours.

SQLite, the default, is a file. It runs with a write-ahead log, so that readers and the one writer
that there can be do not wait for each other. `synchronous=NORMAL` means that whatever was committed
survives the death of this process; a power cut may take the last transactions, but not damage the
file (https://sqlite.org/pragma.html#pragma_synchronous). PostgreSQL keeps both.

What is deleted in SQLite is overwritten (`secure_delete`), which costs nothing that we could
measure: 11 us for each of 6,000 updates, and 4 ms for a compaction to 400 kB, with it as without.
`FAST` would leave whole pages as they are. PostgreSQL keeps deleted rows until it vacuums.
"""

from __future__ import annotations

import math
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from server.storage.errors import StorageUnavailable, Trouble, UnsupportedDatabase
from server.storage.faults import translate

RETRY_S = 0.02
"""How soon to try again what SQLite refuses instead of waiting."""

CONNECTIONS = 4
"""At most so many are open: the writer's, the two readers', and room for a request's own."""

LOG_BYTES = 64 * 1024 * 1024
"""To this size SQLite's write-ahead log is cut back after it had to grow beyond."""

MERGED_PAGES = 64
"""Of a full-text index, in one transaction: some milliseconds."""

_EXPECTED = "sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"


class Database:
    """Connections to one database; owned by its store. Any thread may use it.

    Attributes:
        place: The file or address, without user and password.
    """

    def __init__(self, url: str, *, wait_ms: int) -> None:
        """Prepare to connect; the first transaction does.

        Args:
            url: Where it is.
            wait_ms: How long to wait for a lock, a connection, or an answer of the network.

        Raises:
            UnsupportedDatabase: The URL names neither a file of SQLite nor a PostgreSQL.
            StorageUnavailable: The file cannot be made.
        """
        parsed = _parse(url)
        if parsed.drivername == "sqlite":
            self.place = parsed.database or ""
            _create(self.place)
            self._engine = _sqlite(parsed, wait_ms)
            self._writers = self._engine.execution_options(begin="BEGIN IMMEDIATE")
            self._readers = self._engine.execution_options(begin="BEGIN")
            self._alone: Engine | None = self._engine.execution_options(begin=None)
        else:
            self.place = f"{parsed.host or 'local'}/{parsed.database}"
            self._engine = _postgresql(parsed, wait_ms)
            self._writers = self._engine.execution_options()
            self._alone = None
            # One snapshot for all statements, as SQLite gives it.
            self._readers = self._engine.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Enter a transaction that may write; it is rolled back if anything is raised inside.

        On SQLite only one is open at a time, over all processes; others wait.

        Raises:
            StorageError: The database refuses; see `translate`.
        """
        with self._translated(), self._writers.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Enter a transaction whose statements all see the same moment.

        Raises:
            StorageError: The database refuses; see `translate`.
        """
        with self._translated(), self._readers.begin() as connection:
            yield connection

    def scrub(self, index: str) -> None:
        """Leave nothing of what was deleted in the files of SQLite.

        Others read and write meanwhile: it takes many small transactions, a second or two for a
        thousand transcripts. While somebody reads, the log is not cut; the next time does it.

        Args:
            index: The table of a full-text index. FTS5 notes that something was deleted, and
                removes it with its next merge (https://sqlite.org/fts5.html#the_merge_command).

        Raises:
            StorageError: The database refuses; see `translate`.
        """
        if self._alone is None:
            return
        with self._translated(), self._alone.connect() as connection:
            pages = -MERGED_PAGES  # The first time, everything becomes part of the merge.
            before, now = -2, 0
            while now - before >= 2:  # fewer: nothing was merged
                before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
                merge = f"INSERT INTO {index} ({index}, rank) VALUES ('merge', {pages})"  # noqa: S608
                connection.exec_driver_sql(merge)
                now = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
                pages = MERGED_PAGES
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()

    def close(self) -> None:
        """Close all connections; harmless when called twice."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            ours = translate(error, self.place)
            # The line that failed stays visible; the driver's message, which may quote it, not.
            raise ours.with_traceback(error.__traceback__) from None


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UnsupportedDatabase("database", _EXPECTED, "something else") from None
    name = parsed.drivername
    in_file = parsed.database not in {None, "", ":memory:"} and not parsed.query
    if name == "postgresql+psycopg" or (name == "sqlite" and in_file):
        return parsed
    raise UnsupportedDatabase("database", _EXPECTED, f"another form of {name}")


def _create(file: str) -> None:
    # What is said in a room is not for other users of the machine. The log inherits the mode.
    # A file that is there is left alone: to close it would free all locks that this process has
    # on it, SQLite's included, and whoever ends next would remove the log as if nobody used it
    # (https://sqlite.org/howtocorrupt.html, section 2.2).
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        code = error.strerror or type(error).__name__
        raise StorageUnavailable(file, Trouble.UNREACHABLE, code) from error


def _sqlite(url: URL, wait_ms: int) -> Engine:
    # SQLAlchemy's events give the transactions back into our hands: the driver would begin them
    # late, and so let a writer fail that read before (SQLITE_BUSY_SNAPSHOT), without waiting.
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=wait_ms / 1000,
        connect_args={"timeout": wait_ms / 1000, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        _use_log(connection, wait_ms / 1000)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute(f"PRAGMA journal_size_limit={LOG_BYTES}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        statement = connection.get_execution_options()["begin"]
        if statement is not None:
            connection.exec_driver_sql(statement)

    return engine


def _use_log(connection: sqlite3.Connection, wait_s: float) -> None:
    """Use write-ahead logging; where several begin to at once, SQLite does not wait by itself."""
    give_up_s = time.monotonic() + wait_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() >= give_up_s:
                raise
            time.sleep(RETRY_S)
        else:
            return


def _postgresql(url: URL, wait_ms: int) -> Engine:
    return create_engine(
        url,
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=wait_ms / 1000,
        pool_pre_ping=True,  # a restarted server is met with a new connection
        connect_args={
            "connect_timeout": max(2, math.ceil(wait_ms / 1000)),  # libpq takes 1 for 2
            # A network that swallows everything is noticed, not waited for.
            "tcp_user_timeout": wait_ms,
            "keepalives_idle": max(1, wait_ms // 1000),
            "options": f"-c lock_timeout={wait_ms}",
        },
    )
