"""The sessions that speak into transcripts, and the voices that they hear."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from offline.domain import PassId, SpeakerId
from server.storage.database import Database
from server.storage.errors import Conflict
from server.storage.leases import hold
from server.storage.passes import insert_pass
from server.storage.tables import sessions, transcripts, voices
from server.storage.values import Lease, Pass, PassKind, PassState, Progress, Session, Voice


@dataclass(frozen=True, slots=True)
class NewSession:
    """What is said of a session when it joins a transcript; see `Session`.

    Attributes:
        over: Whether nobody will speak into it: its recording came as a file.
    """

    id: str
    offset_ms: int
    microphone: str | None = None
    person: str | None = None
    samples: int = 0
    over: bool = False


class Sessions:
    """The sessions of all transcripts; owned by its store."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms

    def add(self, lease: Lease, new: NewSession) -> Session:
        """Add a session to a transcript, with a live pass and an utterance pass of its own.

        Raises:
            UnknownTranscript: It was deleted.
            StaleWriter: There is a newer lease.
            Conflict: The session is in a transcript already.
        """
        with self._database.writing() as connection:
            number = hold(connection, lease).last_pass
            return insert_session(connection, lease.transcript, number, new, self._now_ms())

    def find(self, session: str) -> Session | None:
        """Return a session, whichever transcript it is in; `None` if it is in none."""
        query = select(sessions).where(sessions.c.id == session)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else Session(**row)

    def of(self, transcript: str) -> tuple[Session, ...]:
        """Return the sessions of a transcript, oldest first; none for an unknown one."""
        query = (
            select(sessions)
            .where(sessions.c.transcript == transcript)
            .order_by(sessions.c.created_ms, sessions.c.id)
        )
        with self._database.reading() as connection:
            return tuple(Session(**row) for row in connection.execute(query).mappings())

    def add_voice(
        self, lease: Lease, session: str, label: str, speaker: SpeakerId | None = None
    ) -> Voice:
        """Return who a session's label is in the transcript; decide it if it is new.

        Args:
            lease: On the session's transcript.
            session: Which session.
            label: The session's own name for the voice.
            speaker: Who it is, if that is known; otherwise the transcript's next speaker.

        Raises:
            UnknownTranscript: It was deleted.
            StaleWriter: There is a newer lease.
            Conflict: The session is not in this transcript.
        """
        with self._database.writing() as connection:
            number = hold(connection, lease).last_speaker + 1
            _check_session(connection, lease, session)
            row = connection.execute(
                select(voices).where(voices.c.session == session, voices.c.label == label)
            ).one_or_none()
            if row is not None:
                return _to_voice(row)
            if speaker is None:
                speaker = SpeakerId(f"s{number}")
                connection.execute(
                    update(transcripts)
                    .where(transcripts.c.id == lease.transcript)
                    .values(last_speaker=number)
                )
            connection.execute(
                insert(voices).values(
                    session=session, label=label, speaker=speaker, created_ms=self._now_ms()
                )
            )
        return Voice(session, label, speaker)

    def keep_print(self, lease: Lease, session: str, label: str, embedding: bytes) -> bool:
        """Keep what a voice sounds like; return whether there is such a voice.

        Raises:
            UnknownTranscript: It was deleted.
            StaleWriter: There is a newer lease.
            Conflict: The session is not in this transcript.
        """
        with self._database.writing() as connection:
            hold(connection, lease)
            _check_session(connection, lease, session)
            kept = connection.execute(
                update(voices)
                .where(voices.c.session == session, voices.c.label == label)
                .values(embedding=embedding)
            )
            return kept.rowcount > 0

    def measure(self, lease: Lease, session: str, samples: int) -> None:
        """Note how long a recording is: a file may have promised more, speech may end in silence.

        Raises:
            UnknownTranscript: It was deleted.
            StaleWriter: There is a newer lease.
        """
        mine = (sessions.c.id == session) & (sessions.c.transcript == lease.transcript)
        with self._database.writing() as connection:
            hold(connection, lease)
            connection.execute(update(sessions).where(mine).values(samples=samples))

    def unite(self, lease: Lease, speaker: SpeakerId, other: SpeakerId) -> None:
        """Note that all voices of a speaker are those of another one.

        Raises:
            UnknownTranscript: It was deleted.
            StaleWriter: There is a newer lease.
        """
        mine = select(sessions.c.id).where(sessions.c.transcript == lease.transcript)
        with self._database.writing() as connection:
            hold(connection, lease)
            connection.execute(
                update(voices)
                .where(voices.c.session.in_(mine), voices.c.speaker == speaker)
                .values(speaker=other)
            )

    def voices(self, transcript: str) -> tuple[Voice, ...]:
        """Return all voices of a transcript, oldest first; none for an unknown one."""
        query = (
            select(voices)
            .join(sessions)
            .where(sessions.c.transcript == transcript)
            .order_by(voices.c.created_ms, voices.c.session, voices.c.label)
        )
        with self._database.reading() as connection:
            return tuple(_to_voice(row) for row in connection.execute(query))


def insert_session(
    connection: Connection, transcript: str, last_pass: int, new: NewSession, now_ms: int
) -> Session:
    """Add a session and its two passes to a transcript that is locked.

    Args:
        connection: In a transaction.
        transcript: Which one.
        last_pass: Number of its last pass so far.
        new: The session.
        now_ms: The time.
    """
    live, utterance = PassId(str(last_pass + 1)), PassId(str(last_pass + 2))
    added = Session(
        id=new.id,
        transcript=transcript,
        live_pass=live,
        utterance_pass=utterance,
        offset_ms=new.offset_ms,
        samples=new.samples,
        applied_seq=0,
        microphone=new.microphone,
        person=new.person,
        created_ms=now_ms,
    )
    connection.execute(insert(sessions).values(asdict(added)))
    state = PassState.CLOSED if new.over else PassState.OPEN
    for pass_id, kind in ((live, PassKind.LIVE), (utterance, PassKind.UTTERANCE)):
        insert_pass(connection, transcript, Pass(pass_id, new.id, kind, state, 0, now_ms))
    connection.execute(
        update(transcripts).where(transcripts.c.id == transcript).values(last_pass=last_pass + 2)
    )
    return added


def advance(connection: Connection, transcript: str, progress: Iterable[Progress]) -> None:
    """Note how far sessions of a transcript that is locked are; never backwards.

    Raises:
        Conflict: A session is further already, or not in this transcript.
    """
    for step in progress:
        changed = connection.execute(
            update(sessions)
            .where(
                sessions.c.id == step.session,
                sessions.c.transcript == transcript,
                sessions.c.applied_seq <= step.applied_seq,
            )
            .values(applied_seq=step.applied_seq, samples=step.samples)
        )
        if changed.rowcount == 0:
            expected = f"a session of {transcript} that is not further"
            raise Conflict(step.session, expected, f"event {step.applied_seq}")


def _check_session(connection: Connection, lease: Lease, session: str) -> None:
    query = select(sessions.c.transcript).where(sessions.c.id == session)
    if connection.execute(query).scalar() != lease.transcript:
        raise Conflict(session, f"a session of {lease.transcript}", "another one")


def _to_voice(row: Row[Any]) -> Voice:
    return Voice(row.session, row.label, row.speaker, row.embedding)
