"""The transcripts as a whole: made, found, changed and deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from sqlalchemy import RowMapping, delete, insert, select

from server.storage.database import Database
from server.storage.errors import UnknownTranscript
from server.storage.tables import transcripts
from server.storage.values import Transcript, TranscriptState


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
        with self._database.writing() as connection:
            connection.execute(insert(transcripts).values(columns))
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

    def delete(self, transcript: str) -> None:
        """Remove a transcript and all that hangs on it; who writes to it learns it.

        Raises:
            UnknownTranscript: There is none.
        """
        with self._database.writing() as connection:
            gone = connection.execute(delete(transcripts).where(transcripts.c.id == transcript))
            if gone.rowcount == 0:
                raise UnknownTranscript(transcript)


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


def _to_transcript(row: RowMapping) -> Transcript:
    return Transcript(**{**row, "state": TranscriptState(row["state"])})
