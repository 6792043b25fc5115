"""From the errors of SQLAlchemy and its drivers to ours.

A driver's message may quote what was to be stored (PostgreSQL prints whole rows), so none of it is
passed on: only the database's code for what happened.
"""

from __future__ import annotations

import sqlite3

import psycopg
from sqlalchemy import exc

from server.storage.errors import (
    Conflict,
    StorageError,
    StorageFault,
    StorageUnavailable,
    Trouble,
    UnsupportedDatabase,
)

_PRIMARY = 0xFF
"""The low byte of SQLite's codes; the rest tells variants apart. https://sqlite.org/rescode.html"""

_SQLITE = {
    sqlite3.SQLITE_BUSY: Trouble.LOCKED,
    sqlite3.SQLITE_LOCKED: Trouble.LOCKED,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_CANTOPEN: Trouble.UNREACHABLE,
    sqlite3.SQLITE_IOERR: Trouble.UNREACHABLE,
    sqlite3.SQLITE_PERM: Trouble.READ_ONLY,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
}
_SQLITE_TWICE = {sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE}

# Whole codes, then classes of them. https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "25006": Trouble.READ_ONLY,  # a standby
    "40P01": Trouble.LOCKED,  # a deadlock
    "53100": Trouble.FULL,
    "53300": Trouble.BUSY,
    "55P03": Trouble.LOCKED,  # lock_timeout
    "08": Trouble.UNREACHABLE,  # connections
    "53": Trouble.UNREACHABLE,  # no memory
    "57P": Trouble.UNREACHABLE,  # it stops, crashed or starts
}
_POSTGRESQL_TWICE = "23505"


def translate(error: exc.SQLAlchemyError, place: str) -> StorageError:
    """Return our error for one of SQLAlchemy's.

    Args:
        error: What a statement or a connection raised.
        place: The database's file or address, without user and password.
    """
    match error:
        case exc.TimeoutError():
            return StorageUnavailable(place, Trouble.BUSY, "no free connection")
        case exc.StatementError(orig=sqlite3.Error() as cause):
            return _from_sqlite(cause, place)
        case exc.StatementError(orig=psycopg.Error() as cause):
            return _from_postgresql(cause, place)
        case _:
            return StorageFault(place, type(error).__name__)


def _from_sqlite(cause: sqlite3.Error, place: str) -> StorageError:
    try:
        name, code = cause.sqlite_errorname, cause.sqlite_errorcode
    except AttributeError:  # it comes from Python's module, and not from SQLite
        return StorageFault(place, type(cause).__name__)
    if trouble := _SQLITE.get(code & _PRIMARY):
        return StorageUnavailable(place, trouble, name)
    if code in _SQLITE_TWICE:
        return _twice(place, name)
    if "no such module" in str(cause):
        return UnsupportedDatabase(place, "an SQLite that has FTS5", "one without it")
    return StorageFault(place, name)


def _from_postgresql(cause: psycopg.Error, place: str) -> StorageError:
    code = cause.sqlstate
    if code is None:  # refused, or cut off before the server could say anything
        if isinstance(cause, psycopg.OperationalError):
            return StorageUnavailable(place, Trouble.UNREACHABLE, "no connection")
        return StorageFault(place, type(cause).__name__)
    for known in (code, code[:3], code[:2]):
        if trouble := _POSTGRESQL.get(known):
            return StorageUnavailable(place, trouble, code)
    return _twice(place, code) if code == _POSTGRESQL_TWICE else StorageFault(place, code)


def _twice(place: str, code: str) -> Conflict:
    return Conflict(place, "a new key", f"one that is there already ({code})")
