"""Whose recordings are to be removed, because their transcripts were deleted."""

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "removals",
        Column("session", Text, primary_key=True),
        Column("deleted_ms", BigInteger, nullable=False),
    )
