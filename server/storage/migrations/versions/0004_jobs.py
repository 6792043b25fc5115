"""What is to be heard again."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "jobs",
        Column("id", Text, primary_key=True),
        Column(
            "transcript", Text, ForeignKey("transcripts.id", ondelete="CASCADE"), nullable=False
        ),
        Column("key", Text),
        Column("kind", Text, nullable=False),
        Column("session", Text, nullable=False),
        Column("start_ms", BigInteger, nullable=False),
        Column("end_ms", BigInteger),
        Column("model", Text),
        Column("language", Text),
        Column("hotwords", Text, nullable=False),
        Column("diarization", Boolean, nullable=False),
        Column("rank", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("due_ms", BigInteger, nullable=False),
        Column("claims", Integer, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("progress", Integer, nullable=False),
        Column("worker", Text),
        Column("error_code", Text),
        Column("error", Text),
        Column("error_retry", Boolean),
        Column("result", LargeBinary),
        Column("pass", Text),
        Column("created_ms", BigInteger, nullable=False),
        Column("updated_ms", BigInteger, nullable=False),
        Column("started_ms", BigInteger),
        Column("finished_ms", BigInteger),
        Index("ix_jobs_transcript_key", "transcript", "key", unique=True),
        Index("ix_jobs_state_due_ms", "state", "due_ms"),
        Index("ix_jobs_created_ms_id", "created_ms", "id"),
    )
