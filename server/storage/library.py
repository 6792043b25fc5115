"""The transcripts as a whole: made, listed, found, changed and deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict

from sqlalchemy import Connection, RowMapping, column, delete, insert, select, text, tuple_, update
from sqlalchemy.sql.selectable import TextualSelect

from server.storage.database import Database
from server.storage.errors import UnknownTranscript
from server.storage.leases import lock
from server.storage.removals import note_removals
from server.storage.searching import as_column, as_fts5, as_tsquery
from server.storage.tables import terms, transcripts
from server.storage.values import (
    Cursor,
    Description,
    Page,
    Transcript,
    TranscriptState,
)

LARGEST_PAGE = 100
"""So many transcripts are listed at once."""


class Library:
    """All transcripts; owned by its store."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms

    def create(
        self, transcript: str, *, started_ms: int, title: str = "", language: str | None = None
    ) -> Transcript:
        """Make an empty, live transcript.

        Args:
            transcript: Its id: random, at least 16 characters that URLs may contain.
            started_ms: Zero of its clock, in Unix time.
            title: May be empty.
            language: Code of the language, if it is known.

        Raises:
            Conflict: There is one with this id.
        """
        now_ms = self._now_ms()
        made = Transcript(
            id=transcript,
            title=title,
            language=language,
            state=TranscriptState.LIVE,
            created_ms=now_ms,
            updated_ms=now_ms,
            started_ms=started_ms,
            duration_ms=0,
            speakers=0,
        )
        columns = asdict(made) | {"state": made.state.value}
        found_by = {"transcript": transcript, "title": as_column(title)}
        with self._database.writing() as connection:
            connection.execute(insert(transcripts).values(columns))
            connection.execute(insert(terms).values(found_by))
        return made

    def get(self, transcript: str) -> Transcript:
        """Return what is known about a transcript.

        Raises:
            UnknownTranscript: There is none.
        """
        query = select(*_COLUMNS).where(transcripts.c.id == transcript)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise UnknownTranscript(transcript)
        return _to_transcript(row)

    def page(
        self, *, query: str | None = None, after: Cursor | None = None, limit: int = 50
    ) -> Page:
        """Return a stretch of the list of transcripts, the one that changed last first.

        A transcript that changes while somebody turns pages moves to the front: it may come twice,
        but none that stays as it is is left out.

        Args:
            query: Only those whose title or text have words that begin with each word of it; a
                query without words finds none.
            after: `Page.following` of the page before.
            limit: At most so many, 1..100.

        Raises:
            ValueError: The limit is none of those.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"limit: expected 1..{LARGEST_PAGE}, got {limit}")
        listed = (
            select(*_COLUMNS)
            .order_by(transcripts.c.updated_ms.desc(), transcripts.c.id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            place = tuple_(transcripts.c.updated_ms, transcripts.c.id)
            listed = listed.where(place < (after.updated_ms, after.transcript))
        with self._database.reading() as connection:
            if query is not None:
                found = _search(query, connection.dialect.name)
                listed = listed.where(transcripts.c.id.in_(found))
            rows = connection.execute(listed).mappings().all()
        page = tuple(_to_transcript(row) for row in rows[:limit])
        more = len(rows) > limit
        return Page(page, Cursor(page[-1].updated_ms, page[-1].id) if more else None)

    def change(
        self,
        transcript: str,
        *,
        title: str | None = None,
        language: str | None = None,
        state: TranscriptState | None = None,
    ) -> Transcript:
        """Change what is not `None`; return the transcript as it is then.

        Raises:
            UnknownTranscript: There is none.
        """
        columns: dict[str, object] = {"updated_ms": self._now_ms()}
        if language is not None:
            columns["language"] = language
        if state is not None:
            columns["state"] = state.value
        with self._database.writing() as connection:
            lock(connection, transcript)
            if title is not None:
                columns["title"] = title
                _find_by(connection, transcript, {"title": as_column(title)})
            _write(connection, transcript, columns)
        return self.get(transcript)

    def describe(self, transcript: str, description: Description, seq: int) -> None:
        """Note what lists and searches are to know of a document; no change of the transcript.

        Takes some milliseconds for an hour of speech: once in a while, and not with every word.
        Needs no lease: what is known of a later update, or of the same, stays.

        Args:
            transcript: Whose document it is.
            description: Of the document.
            seq: Number of the last update that it takes into account.

        Raises:
            UnknownTranscript: It was deleted.
        """
        columns: dict[str, object] = {
            "title": description.title,
            "language": description.language,
            "speakers": description.speakers,
            "duration_ms": description.duration_ms,
            "described_seq": seq,
        }
        found_by = {"title": as_column(description.title), "text": as_column(description.text)}
        with self._database.writing() as connection:
            if lock(connection, transcript).described_seq < seq:
                _write(connection, transcript, columns)
                _find_by(connection, transcript, found_by)

    def described(self, transcript: str) -> int:
        """Return the number of the last update of which lists and searches know; 0 is none."""
        query = select(transcripts.c.described_seq).where(transcripts.c.id == transcript)
        with self._database.reading() as connection:
            return connection.execute(query).scalar() or 0

    def next_undescribed(self, after: str = "") -> str | None:
        """Return a transcript of whose newest update lists and searches do not know.

        It may be open, and be described soon.

        Args:
            after: Id of one; the one that follows it in the order of ids is returned.
        """
        query = (
            select(transcripts.c.id)
            .where(transcripts.c.id > after, transcripts.c.described_seq < transcripts.c.last_seq)
            .order_by(transcripts.c.id)
            .limit(1)
        )
        with self._database.reading() as connection:
            return connection.execute(query).scalar()

    def delete(self, transcript: str) -> tuple[str, ...]:
        """Remove a transcript and all that hangs on it; who writes to it learns it.

        Returns:
            Its sessions, whose recordings are to be removed; `Removals` knows them too.

        Raises:
            UnknownTranscript: There is none.
        """
        with self._database.writing() as connection:
            lock(connection, transcript)
            gone = note_removals(connection, transcript, self._now_ms())
            connection.execute(delete(transcripts).where(transcripts.c.id == transcript))
        return gone


_COLUMNS = tuple(
    transcripts.c[name]
    for name in (
        "id",
        "title",
        "language",
        "state",
        "created_ms",
        "updated_ms",
        "started_ms",
        "duration_ms",
        "speakers",
    )
)


_IN_SQLITE = """
    SELECT transcript FROM terms
    WHERE id IN (SELECT rowid FROM terms_index WHERE terms_index MATCH :query)
"""
_IN_POSTGRESQL = "SELECT transcript FROM terms WHERE vector @@ CAST(:query AS tsquery)"


def _search(query: str, dialect: str) -> TextualSelect:
    """Return a statement for the ids of the transcripts that a query finds."""
    if dialect == "sqlite":
        found = text(_IN_SQLITE).bindparams(query=as_fts5(query))
    else:
        found = text(_IN_POSTGRESQL).bindparams(query=as_tsquery(query))
    return found.columns(column("transcript"))


def _write(connection: Connection, transcript: str, columns: Mapping[str, object]) -> None:
    connection.execute(update(transcripts).where(transcripts.c.id == transcript).values(columns))


def _find_by(connection: Connection, transcript: str, columns: Mapping[str, str]) -> None:
    connection.execute(update(terms).where(terms.c.transcript == transcript).values(columns))


def _to_transcript(row: RowMapping) -> Transcript:
    return Transcript(**{**row, "state": TranscriptState(row["state"])})
