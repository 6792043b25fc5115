"""Every key that files came under, each with its job; it was one for each file."""

from alembic import op
from sqlalchemy import Column, ForeignKey, Index, Text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table, with the keys that are known."""
    op.create_table(
        "upload_keys",
        Column(
            "transcript",
            Text,
            ForeignKey("transcripts.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        Column("key", Text, primary_key=True),
        Column("session", Text, ForeignKey("uploads.session", ondelete="CASCADE"), nullable=False),
        Column("job", Text, nullable=False),
        Index("ix_upload_keys_session", "session"),
    )
    op.execute(
        "INSERT INTO upload_keys (transcript, key, session, job) "
        "SELECT transcript, key, session, job FROM uploads WHERE key IS NOT NULL"
    )
    op.drop_index("ix_uploads_transcript_key", "uploads")
    op.drop_column("uploads", "key")
