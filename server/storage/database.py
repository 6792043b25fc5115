"""One database: its connections, its transactions, and its errors made ours.

SQLite, the default, is a file. It runs with a write-ahead log, so that readers and the one writer
that there can be do not wait for each other. `synchronous=NORMAL` means that whatever was committed
survives the death of this process; a power cut may take the last transactions, but not damage the
file (https://sqlite.org/pragma.html#pragma_synchronous). PostgreSQL keeps both.
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
"""At most so many are open: the writer's, the reader's, and room for a command."""

LOG_BYTES = 64 * 1024 * 1024
"""To this size SQLite's write-ahead log is cut back after it had to grow beyond."""

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
        else:
            self.place = f"{parsed.host or 'local'}/{parsed.database}"
            self._engine = _postgresql(parsed, wait_ms)
            self._writers = self._engine.execution_options()
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
    try:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
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
        connection.execute(f"PRAGMA journal_size_limit={LOG_BYTES}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options()["begin"])

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
