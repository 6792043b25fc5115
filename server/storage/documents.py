"""The shared documents: logs of updates, shortened by snapshots."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, delete, insert, select, update

from server.storage.database import Database
from server.storage.errors import Conflict, UnknownTranscript
from server.storage.leases import hold, lock
from server.storage.merges import put_aliases, put_decisions
from server.storage.passes import append_words
from server.storage.sessions import advance
from server.storage.tables import clients, snapshots, transcripts, updates
from server.storage.values import Batch, Document, Lease


class Documents:
    """The documents of all transcripts; owned by its store."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms

    def lease(self, transcript: str) -> Lease:
        """Take the right to write to a transcript away from whoever has it.

        What was appended before is visible to the new holder; nothing is appended by an old one
        afterwards.

        Raises:
            UnknownTranscript: There is none.
        """
        with self._database.writing() as connection:
            number = lock(connection, transcript).lease + 1
            _change(connection, transcript, lease=number)
            return Lease(transcript, number)

    def is_newest(self, lease: Lease) -> bool:
        """Whether nobody took the right to write away since; number 0 is before the first."""
        query = select(transcripts.c.lease).where(transcripts.c.id == lease.transcript)
        with self._database.reading() as connection:
            return bool(connection.execute(query).scalar() == lease.number)

    def read(self, transcript: str) -> Document:
        """Return a document as it is at this moment.

        Raises:
            UnknownTranscript: There is none.
        """
        of_snapshot = (
            select(snapshots.c.seq, snapshots.c.data, transcripts.c.schema)
            .select_from(transcripts.outerjoin(snapshots))
            .where(transcripts.c.id == transcript)
        )
        of_updates = (
            select(updates.c.data).where(updates.c.transcript == transcript).order_by(updates.c.seq)
        )
        with self._database.reading() as connection:
            row = connection.execute(of_snapshot).one_or_none()
            if row is None:
                raise UnknownTranscript(transcript)
            log = connection.execute(of_updates).scalars().all()
        return Document(row.data, row.seq or 0, tuple(log), row.schema)

    def append(self, lease: Lease, batch: Batch) -> int:
        """Write a batch in one step; return the number of the newest update.

        May be repeated after `StorageUnavailable`, which leaves open whether it was written: what
        was is not written twice.

        Raises:
            UnknownTranscript: It was deleted.
            StaleWriter: There is a newer lease; nothing was written.
            Conflict: Updates, words or progress do not follow what is stored; nothing was written.
        """
        now_ms = self._now_ms()
        with self._database.writing() as connection:
            row = hold(connection, lease)
            last_seq = batch.after + len(batch.updates)
            if row.last_seq == batch.after:
                _insert_updates(connection, lease.transcript, batch, now_ms)
            elif row.last_seq != last_seq or not _is_written(connection, lease.transcript, batch):
                expected = f"updates after {row.last_seq}"
                raise Conflict(lease.transcript, expected, f"updates after {batch.after}")
            append_words(connection, lease.transcript, batch.words)
            put_aliases(connection, lease.transcript, batch.aliases)
            put_decisions(connection, lease.transcript, batch.decisions, now_ms)
            advance(connection, lease.transcript, batch.progress)
            schema = row.schema if batch.schema is None else batch.schema
            _change(
                connection,
                lease.transcript,
                last_seq=last_seq,
                updated_ms=now_ms,
                schema=schema,
            )
        return last_seq

    def compact(self, lease: Lease, snapshot: bytes, seq: int) -> None:
        """Replace all updates up to number `seq` by one that contains them.

        Later ones stay, so that what is appended while a snapshot is made is never lost.

        Raises:
            UnknownTranscript: It was deleted.
            StaleWriter: There is a newer lease.
            Conflict: There is no update `seq`, or a snapshot that contains it already.
        """
        mine = snapshots.c.transcript == lease.transcript
        with self._database.writing() as connection:
            last_seq = hold(connection, lease).last_seq
            first = connection.execute(select(snapshots.c.seq).where(mine)).scalar() or 0
            if not first < seq <= last_seq:
                expected = f"a snapshot of {first + 1}..{last_seq}"
                raise Conflict(lease.transcript, expected, f"one of {seq}")
            connection.execute(delete(snapshots).where(mine))
            connection.execute(
                insert(snapshots).values(
                    transcript=lease.transcript, seq=seq, data=snapshot, created_ms=self._now_ms()
                )
            )
            connection.execute(
                delete(updates).where(
                    updates.c.transcript == lease.transcript, updates.c.seq <= seq
                )
            )

    def add_client(self, lease: Lease, client: int) -> None:
        """Remember that a server writes into the document under this client id of Yjs.

        Raises:
            UnknownTranscript: It was deleted.
            StaleWriter: There is a newer lease.
            Conflict: The id is remembered already.
        """
        with self._database.writing() as connection:
            hold(connection, lease)
            connection.execute(
                insert(clients).values(
                    transcript=lease.transcript, client=client, created_ms=self._now_ms()
                )
            )

    def clients(self, transcript: str) -> frozenset[int]:
        """Return the client ids under which servers wrote; none for an unknown transcript."""
        query = select(clients.c.client).where(clients.c.transcript == transcript)
        with self._database.reading() as connection:
            return frozenset(connection.execute(query).scalars())


def _change(connection: Connection, transcript: str, **columns: int) -> None:
    connection.execute(update(transcripts).where(transcripts.c.id == transcript).values(columns))


def _is_written(connection: Connection, transcript: str, batch: Batch) -> bool:
    newest = (
        select(updates.c.data)
        .where(updates.c.transcript == transcript, updates.c.seq > batch.after)
        .order_by(updates.c.seq)
    )
    return tuple(connection.execute(newest).scalars()) == batch.updates


def _insert_updates(connection: Connection, transcript: str, batch: Batch, now_ms: int) -> None:
    if batch.updates:
        rows = [
            {"transcript": transcript, "seq": seq, "data": data, "created_ms": now_ms}
            for seq, data in enumerate(batch.updates, start=batch.after + 1)
        ]
        connection.execute(insert(updates), rows)
