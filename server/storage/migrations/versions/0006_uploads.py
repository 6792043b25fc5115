"""Recordings that came as files."""

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "uploads",
        Column("session", Text, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
        Column(
            "transcript", Text, ForeignKey("transcripts.id", ondelete="CASCADE"), nullable=False
        ),
        Column("digest", Text, nullable=False),
        Column("key", Text),
        Column("name", Text),
        Column("size_bytes", BigInteger, nullable=False),
        Column("job", Text, nullable=False),
        Column("created_ms", BigInteger, nullable=False),
        Index("ix_uploads_transcript_digest", "transcript", "digest", unique=True),
        Index("ix_uploads_transcript_key", "transcript", "key", unique=True),
    )
