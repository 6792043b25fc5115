"""Sessions whose transcripts were deleted, so that their recordings can be removed."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, literal, select

from server.storage.database import Database
from server.storage.tables import removals, sessions


class Removals:
    """What is left to be removed elsewhere; owned by its store.

    Written in the same step that deletes a transcript. That a session is unknown is no reason to
    remove its recording: somebody may have started the server with another database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[str, ...]:
        """Return the sessions that were deleted, the last one last."""
        query = select(removals.c.session).order_by(removals.c.deleted_ms, removals.c.session)
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def forget(self, removed: Collection[str], before_ms: int) -> None:
        """Forget sessions of which nothing is left, if they were deleted before this moment."""
        done = removals.c.session.in_(removed) & (removals.c.deleted_ms < before_ms)
        with self._database.writing() as connection:
            connection.execute(delete(removals).where(done))

    def scrub(self) -> None:
        """Have the database itself forget for good what was deleted; see `Database.scrub`.

        Raises:
            StorageError: It cannot now; what was deleted stays deleted.
        """
        self._database.scrub("terms_index")


def note_removals(connection: Connection, transcript: str, now_ms: int) -> tuple[str, ...]:
    """Note the sessions of a transcript that is locked, and about to be deleted; return them."""
    mine = sessions.c.transcript == transcript
    found = tuple(connection.execute(select(sessions.c.id).where(mine)).scalars())
    noted = select(sessions.c.id, literal(now_ms)).where(mine)
    connection.execute(insert(removals).from_select(["session", "deleted_ms"], noted))
    return found
