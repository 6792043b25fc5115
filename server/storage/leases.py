"""Who may write to a transcript: the newest lease, and nobody else.

Every write locks the transcript's row, looks at the number of its lease, and goes on only if it
holds that number. Two writers never interleave, and one that was replaced, however late it wakes
up, changes nothing. (M. Kleppmann, "How to do distributed locking", 2016: fencing tokens.)
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from server.storage.errors import StaleWriter, UnknownTranscript
from server.storage.tables import transcripts
from server.storage.values import Lease


def lock(connection: Connection, transcript: str) -> Row[Any]:
    """Lock a transcript until the transaction ends; return its row.

    Raises:
        UnknownTranscript: There is none.
    """
    # SQLite knows no FOR UPDATE and needs none: the whole database is locked.
    query = select(transcripts).where(transcripts.c.id == transcript).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownTranscript(transcript)
    return row


def hold(connection: Connection, lease: Lease) -> Row[Any]:
    """Lock a transcript for the holder of its newest lease; return its row.

    Raises:
        UnknownTranscript: It was deleted.
        StaleWriter: There is a newer lease.
    """
    row = lock(connection, lease.transcript)
    if row.lease != lease.number:
        raise StaleWriter(lease.transcript, lease.number, row.lease)
    return row
