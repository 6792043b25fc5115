"""Of which version of its schema each document is."""

from alembic import op
from sqlalchemy import Column, Integer

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; every document so far is of version 1."""
    column = Column("schema", Integer, nullable=False, server_default="1")
    op.add_column("transcripts", column)
