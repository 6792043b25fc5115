"""What became of the hunks of accurate passes, and which words took the place of which.

Written with the document's update that they belong to, by `Documents.append`: a hunk that was
applied but not remembered would be taken for somebody's edit when it is looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from offline.decisions import Alias, Decision, Outcome
from offline.domain import PassId, WordRef
from server.storage.database import Database
from server.storage.tables import aliases, decisions


class Merges:
    """The merged passes of all transcripts; owned by its store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def aliases(self, transcript: str) -> dict[WordRef, WordRef]:
        """Return, for words in the text, the later words that tell their times."""
        query = select(
            aliases.c["pass"], aliases.c.word, aliases.c.new_pass, aliases.c.new_word
        ).where(aliases.c.transcript == transcript)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return {WordRef(old, word): WordRef(new, new_word) for old, word, new, new_word in rows}

    def decisions(self, transcript: str, pass_id: PassId) -> dict[str, Outcome]:
        """Return what became of the hunks of a pass, by the names of the hunks."""
        query = select(decisions.c.hunk, decisions.c.outcome).where(
            decisions.c.transcript == transcript, decisions.c["pass"] == pass_id
        )
        with self._database.reading() as connection:
            return {hunk: Outcome(outcome) for hunk, outcome in connection.execute(query)}

    def all_decisions(self, transcript: str) -> list[Decision]:
        """Return what became of all hunks of a transcript, in the order in which it was decided."""
        query = (
            select(decisions.c["pass"], decisions.c.hunk, decisions.c.outcome)
            .where(decisions.c.transcript == transcript)
            .order_by(decisions.c.created_ms)
        )
        with self._database.reading() as connection:
            return [
                Decision(PassId(pass_id), hunk, Outcome(outcome))
                for pass_id, hunk, outcome in connection.execute(query)
            ]


def put_aliases(connection: Connection, transcript: str, new: Sequence[Alias]) -> None:
    """Write aliases into a transcript that is locked; the newest of a word counts."""
    if not new:
        return
    rows = {
        alias.old: {
            "transcript": transcript,
            "pass": alias.old.pass_id,
            "word": alias.old.word,
            "new_pass": alias.new.pass_id,
            "new_word": alias.new.word,
        }
        for alias in new
    }
    same = (
        (aliases.c.transcript == transcript)
        & (aliases.c["pass"] == bindparam("old_pass"))
        & (aliases.c.word == bindparam("old_word"))
    )
    keys = [{"old_pass": old.pass_id, "old_word": old.word} for old in rows]
    connection.execute(delete(aliases).where(same), keys)
    connection.execute(insert(aliases), list(rows.values()))


def put_decisions(
    connection: Connection, transcript: str, new: Sequence[Decision], now_ms: int
) -> None:
    """Write decisions into a transcript that is locked; the first one about a hunk stands.

    Each gets a later time than the one before it, even if the clock says otherwise: they are read
    in this order.
    """
    if not new:
        return
    newest = select(func.max(decisions.c.created_ms)).where(decisions.c.transcript == transcript)
    first_ms = max(now_ms, (connection.execute(newest).scalar() or 0) + 1)
    for created_ms, decision in enumerate(new, start=first_ms):
        this_hunk = (
            (decisions.c.transcript == transcript)
            & (decisions.c["pass"] == decision.pass_id)
            & (decisions.c.hunk == decision.hunk)
        )
        if connection.execute(select(decisions.c.outcome).where(this_hunk)).first() is None:
            row = {
                "transcript": transcript,
                "pass": decision.pass_id,
                "hunk": decision.hunk,
                "outcome": decision.outcome.value,
                "created_ms": created_ms,
            }
            connection.execute(insert(decisions).values(row))
