"""What passes heard around a span: as much of a meeting of three hours as of one of ten minutes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, false, func, or_, select

from offline.domain import PassId, PassWord
from server.storage.database import Database
from server.storage.passes import unpack
from server.storage.tables import jobs, passes, words
from server.storage.values import PassKind, Session

MARGIN_MS = 5_000
"""So far outside of the span of its job a word may lie."""

NEAR_WORDS = 256
"""So many words before a span may be read in vain: to find it more exactly takes longer."""

CHUNKS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What one pass heard in a span and, where it heard more, next to it.

    Attributes:
        kind: Of the pass.
        words: On the transcript's clock; the first begins before the span, if there is such a word,
            and the last ends behind it.
    """

    kind: PassKind
    words: tuple[PassWord, ...]


class Excerpts:
    """Excerpts from all passes; owned by its store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, session: Session, start_ms: int, end_ms: int | None) -> tuple[Excerpt, ...]:
        """Return what a session's passes heard in a span, the oldest first.

        Args:
            session: Whose passes.
            start_ms: On the session's clock.
            end_ms: Likewise, excluded; `None` for its end.
        """
        elsewhere = select(jobs.c["pass"]).where(
            jobs.c.transcript == session.transcript,
            jobs.c.session == session.id,
            jobs.c["pass"].is_not(None),
            or_(
                jobs.c.end_ms + MARGIN_MS <= start_ms,
                false() if end_ms is None else jobs.c.start_ms - MARGIN_MS >= end_ms,
            ),
        )
        theirs = (
            select(passes.c.id, passes.c.kind, passes.c.words)
            .where(passes.c.transcript == session.transcript, passes.c.session == session.id)
            .where(passes.c.words > 0, passes.c.id.not_in(elsewhere))
            .order_by(func.length(passes.c.id), passes.c.id)  # ids are numbers
        )
        end_ms = None if end_ms is None else session.offset_ms + end_ms
        with self._database.reading() as connection:
            return tuple(
                Excerpt(
                    PassKind(row.kind),
                    tuple(
                        _Heard(connection, session.transcript, row.id, row.words).around(
                            session.offset_ms + start_ms, end_ms
                        )
                    ),
                )
                for row in connection.execute(theirs).all()
            )


class _Heard:
    """The words of one pass, which are stored in chunks and begin one after the other."""

    def __init__(
        self, connection: Connection, transcript: str, pass_id: PassId, count: int
    ) -> None:
        self._connection = connection
        self._chunks = select(words.c.first, words.c.data).where(
            words.c.transcript == transcript, words.c["pass"] == pass_id
        )
        self._count = count

    def around(self, start_ms: int, end_ms: int | None) -> Iterator[PassWord]:
        """Yield the words of a span, and some next to it."""
        first: int | None = self._before(start_ms)
        while first is not None:
            first, found = self._from(first)
            for word in found:
                yield word
                if end_ms is not None and word.start_ms >= end_ms:
                    return

    def _before(self, start_ms: int) -> int:
        """Return where a chunk begins that begins before a moment, close to that moment."""
        low, high = 0, self._count
        while high - low > NEAR_WORDS:
            middle = (low + high) // 2
            first, heard = self._chunk(middle)
            if heard.start_ms < start_ms:
                low = middle
            else:
                high = first
        return self._chunk(low)[0]

    def _chunk(self, word: int) -> tuple[int, PassWord]:
        """Return where the chunk with a word begins, and with what."""
        query = self._chunks.where(words.c.first <= word).order_by(words.c.first.desc()).limit(1)
        first, packed = self._connection.execute(query).one()
        return first, next(iter(unpack(packed)))

    def _from(self, first: int) -> tuple[int | None, list[PassWord]]:
        """Return the words from a chunk on, and where it goes on, if it does."""
        query = self._chunks.where(words.c.first >= first).order_by(words.c.first)
        chunks = self._connection.execute(query.limit(CHUNKS_AT_ONCE)).all()
        found = [word for _, packed in chunks for word in unpack(packed)]
        return first + len(found) if len(chunks) == CHUNKS_AT_ONCE else None, found
