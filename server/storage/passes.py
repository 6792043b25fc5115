"""Passes over the audio of transcripts, and the words that they heard."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgpack
from sqlalchemy import Connection, Row, func, insert, select, update

from offline.domain import PassId, PassWord
from offline.jobs import JobKind
from server.storage.database import Database
from server.storage.errors import Conflict, UnknownJob
from server.storage.leases import hold
from server.storage.tables import jobs, passes, transcripts, words
from server.storage.values import Lease, Pass, PassKind, PassState, WordChunk
from streaming.core.domain import Permille


class Passes:
    """The passes of all transcripts; owned by its store.

    The two live passes of a session come with the session; words come with `Documents.append`.
    """

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms

    def begin(self, lease: Lease, kind: PassKind, session: str | None = None) -> Pass:
        """Begin a pass under a name of its own.

        Raises:
            UnknownTranscript: It was deleted.
            StaleWriter: There is a newer lease.
        """
        with self._database.writing() as connection:
            number = hold(connection, lease).last_pass + 1
            _count(connection, lease, number)
            begun = Pass(PassId(str(number)), session, kind, PassState.OPEN, 0, self._now_ms())
            insert_pass(connection, lease.transcript, begun)
        return begun

    def begin_for(self, lease: Lease, job: str, *, afresh: bool = False) -> Pass:
        """Return the pass of what a job heard, which is begun the first time.

        Args:
            lease: On the job's transcript.
            job: Which job.
            afresh: Whether to begin another one, because it heard something else this time.

        Raises:
            UnknownTranscript: It was deleted.
            StaleWriter: There is a newer lease.
            UnknownJob: It is gone, or of another transcript.
        """
        this_job = (jobs.c.id == job) & (jobs.c.transcript == lease.transcript)
        with self._database.writing() as connection:
            number = hold(connection, lease).last_pass + 1
            query = select(jobs.c.kind, jobs.c.session, jobs.c["pass"]).where(this_job)
            row = connection.execute(query).one_or_none()
            if row is None:
                raise UnknownJob(job)
            mine = (passes.c.transcript == lease.transcript) & (passes.c.id == row[2])
            before = connection.execute(select(passes).where(mine)).one_or_none()
            if before is not None and not afresh:
                return _to_pass(before)
            asked_for = JobKind(row.kind) is JobKind.PASSAGE
            kind = PassKind.PASSAGE if asked_for else PassKind.ACCURATE
            begun = Pass(PassId(str(number)), row.session, kind, PassState.OPEN, 0, self._now_ms())
            _count(connection, lease, number)
            insert_pass(connection, lease.transcript, begun)
            connection.execute(update(jobs).where(this_job).values({"pass": begun.id}))
        return begun

    def close(self, lease: Lease, pass_id: PassId) -> None:
        """Note that a pass will have no more words; harmless when it is noted already.

        Raises:
            UnknownTranscript: The transcript was deleted.
            StaleWriter: There is a newer lease.
        """
        this_pass = (passes.c.transcript == lease.transcript) & (passes.c.id == pass_id)
        with self._database.writing() as connection:
            hold(connection, lease)
            connection.execute(update(passes).where(this_pass).values(state=PassState.CLOSED.value))

    def of(self, transcript: str) -> tuple[Pass, ...]:
        """Return the passes of a transcript, oldest first; none for an unknown one."""
        query = (
            select(passes)
            .where(passes.c.transcript == transcript)
            .order_by(func.length(passes.c.id), passes.c.id)  # ids are numbers
        )
        with self._database.reading() as connection:
            return tuple(_to_pass(row) for row in connection.execute(query))

    def words(
        self, transcript: str, pass_ids: Iterable[PassId]
    ) -> dict[PassId, tuple[PassWord, ...]]:
        """Return all words of some passes; an unknown pass has none.

        A pass of three hours has about 27,000, which take some 0.1 s.
        """
        found: dict[PassId, list[PassWord]] = {pass_id: [] for pass_id in pass_ids}
        query = (
            select(words.c["pass"], words.c.data)
            .where(words.c.transcript == transcript, words.c["pass"].in_(list(found)))
            .order_by(words.c["pass"], words.c.first)
        )
        with self._database.reading() as connection:
            chunks = connection.execute(query).all()
        for pass_id, packed in chunks:
            found[pass_id].extend(unpack(packed))
        return {pass_id: tuple(heard) for pass_id, heard in found.items()}


def _count(connection: Connection, lease: Lease, number: int) -> None:
    mine = transcripts.c.id == lease.transcript
    connection.execute(update(transcripts).where(mine).values(last_pass=number))


def insert_pass(connection: Connection, transcript: str, begun: Pass) -> None:
    """Write a new pass into a transcript that is locked."""
    connection.execute(
        insert(passes).values(
            transcript=transcript,
            id=begun.id,
            session=begun.session,
            kind=begun.kind.value,
            state=begun.state.value,
            created_ms=begun.created_ms,
        )
    )


def append_words(connection: Connection, transcript: str, chunks: Iterable[WordChunk]) -> None:
    """Write words into a transcript that is locked, unless they stand there already.

    Raises:
        Conflict: They do not continue their pass, or it was never begun.
    """
    for chunk in chunks:
        this_pass = (passes.c.transcript == transcript) & (passes.c.id == chunk.pass_id)
        known = connection.execute(select(passes.c.words).where(this_pass)).scalar()
        if known == chunk.first:
            end = chunk.first + len(chunk.words)
            row = {
                "transcript": transcript,
                "pass": chunk.pass_id,
                "first": chunk.first,
                "count": len(chunk.words),
                "data": _pack(chunk.words),
            }
            connection.execute(insert(words).values(row))
            connection.execute(update(passes).where(this_pass).values(words=end))
        elif not _is_written(connection, transcript, chunk):
            expected = "words of a pass that was begun" if known is None else f"word {known}"
            raise Conflict(f"pass {chunk.pass_id}", expected, f"word {chunk.first}")


def _is_written(connection: Connection, transcript: str, chunk: WordChunk) -> bool:
    query = select(words.c.data).where(
        words.c.transcript == transcript,
        words.c["pass"] == chunk.pass_id,
        words.c.first == chunk.first,
    )
    return connection.execute(query).scalar() == _pack(chunk.words)


def _pack(heard: Iterable[PassWord]) -> bytes:
    packed: bytes = msgpack.packb(
        [[word.text, word.start_ms, word.end_ms, word.confidence] for word in heard]
    )
    return packed


def unpack(packed: bytes) -> Iterable[PassWord]:
    """Return the words of a chunk, as `append_words` stored them."""
    for text, start_ms, end_ms, confidence in msgpack.unpackb(packed):
        yield PassWord(text, start_ms, end_ms, Permille(confidence))


def _to_pass(row: Row[Any]) -> Pass:
    return Pass(
        row.id, row.session, PassKind(row.kind), PassState(row.state), row.words, row.created_ms
    )
