"""Links that let people into one transcript, without an account."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict

from sqlalchemy import RowMapping, insert, select, update

from server.storage.database import Database
from server.storage.leases import lock
from server.storage.tables import links
from server.storage.values import Link, Role


class Links:
    """The access links of all transcripts; owned by its store.

    Only fingerprints of tokens are stored: who reads the database cannot enter by it.
    """

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms

    def add(
        self,
        transcript: str,
        fingerprint: str,
        role: Role,
        *,
        label: str = "",
        expires_ms: int | None = None,
    ) -> Link:
        """Add a link to a transcript.

        Args:
            transcript: Where it leads.
            fingerprint: SHA-256 of its token, in hexadecimal digits.
            role: What it lets people do.
            label: For whom it is, as its maker calls it.
            expires_ms: Until when it is valid, in Unix time; `None` for ever.

        Raises:
            UnknownTranscript: There is none.
            Conflict: There is a link with this token.
        """
        link = Link(
            fingerprint=fingerprint,
            transcript=transcript,
            role=role,
            label=label,
            created_ms=self._now_ms(),
            expires_ms=expires_ms,
            revoked_ms=None,
        )
        with self._database.writing() as connection:
            lock(connection, transcript)
            connection.execute(insert(links).values(asdict(link) | {"role": role.value}))
        return link

    def find(self, fingerprint: str) -> Link | None:
        """Return the link of a token, valid or not; `None` if there is none."""
        query = select(links).where(links.c.fingerprint == fingerprint)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _to_link(row)

    def among(self, fingerprints: Collection[str]) -> tuple[Link, ...]:
        """Return the links of some tokens, valid or not; unknown ones are left out."""
        query = select(links).where(links.c.fingerprint.in_(fingerprints))
        with self._database.reading() as connection:
            return tuple(_to_link(row) for row in connection.execute(query).mappings())

    def of(self, transcript: str) -> tuple[Link, ...]:
        """Return all links to a transcript, oldest first; none for an unknown one."""
        query = (
            select(links)
            .where(links.c.transcript == transcript)
            .order_by(links.c.created_ms, links.c.fingerprint)
        )
        with self._database.reading() as connection:
            return tuple(_to_link(row) for row in connection.execute(query).mappings())

    def revoke(self, transcript: str, fingerprint: str) -> bool:
        """End a link now, if it was not ended before; return whether there is such a link."""
        this_link = (links.c.transcript == transcript) & (links.c.fingerprint == fingerprint)
        with self._database.writing() as connection:
            connection.execute(
                update(links)
                .where(this_link, links.c.revoked_ms.is_(None))
                .values(revoked_ms=self._now_ms())
            )
            return connection.execute(select(links.c.role).where(this_link)).first() is not None


def _to_link(row: RowMapping) -> Link:
    return Link(**{**row, "role": Role(row["role"])})
