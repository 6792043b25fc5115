"""Transcripts, their documents, and who is heard in them.

Names of keys and indexes come from the naming convention in `tables.py`.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
)

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    _transcripts()
    _documents()
    _sessions()
    _passes()


def _required(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _small(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _data() -> Column[bytes]:
    return Column("data", LargeBinary, nullable=False)


def _transcript() -> Column[str]:
    goes_along = ForeignKey("transcripts.id", ondelete="CASCADE")
    return Column("transcript", Text, goes_along, nullable=False)


def _transcripts() -> None:
    op.create_table(
        "transcripts",
        Column("id", Text, primary_key=True),
        _required("title"),
        Column("language", Text),
        _required("state"),
        _number("created_ms"),
        _number("updated_ms"),
        _number("started_ms"),
        _number("duration_ms"),
        _small("speakers"),
        _number("lease"),
        _number("last_seq"),
        _small("last_pass"),
        _small("last_speaker"),
        Index("ix_transcripts_updated_ms_id", "updated_ms", "id"),
    )


def _documents() -> None:
    op.create_table(
        "updates",
        _transcript(),
        _number("seq"),
        _data(),
        _number("created_ms"),
        PrimaryKeyConstraint("transcript", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "snapshots",
        _transcript(),
        _number("seq"),
        _data(),
        _number("created_ms"),
        PrimaryKeyConstraint("transcript"),
    )
    op.create_table(
        "clients",
        _transcript(),
        _number("client"),
        _number("created_ms"),
        PrimaryKeyConstraint("transcript", "client"),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        Column("id", Text, primary_key=True),
        _transcript(),
        _required("live_pass"),
        _required("utterance_pass"),
        _number("offset_ms"),
        _number("samples"),
        _number("applied_seq"),
        Column("microphone", Text),
        Column("person", Text),
        _number("created_ms"),
        Index("ix_sessions_transcript", "transcript"),
    )
    op.create_table(
        "voices",
        Column("session", Text, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        _required("label"),
        _required("speaker"),
        Column("embedding", LargeBinary),
        _number("created_ms"),
        PrimaryKeyConstraint("session", "label"),
    )


def _passes() -> None:
    op.create_table(
        "passes",
        _transcript(),
        _required("id"),
        Column("session", Text, ForeignKey("sessions.id", ondelete="CASCADE")),
        _required("kind"),
        _required("state"),
        _small("words"),
        _number("created_ms"),
        PrimaryKeyConstraint("transcript", "id"),
        Index("ix_passes_session", "session"),
    )
    op.create_table(
        "words",
        _required("transcript"),
        _required("pass"),
        _small("first"),
        _small("count"),
        _data(),
        PrimaryKeyConstraint("transcript", "pass", "first"),
        ForeignKeyConstraint(
            ["transcript", "pass"], ["passes.transcript", "passes.id"], ondelete="CASCADE"
        ),
    )
