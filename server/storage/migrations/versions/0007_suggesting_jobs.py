"""Which jobs only suggest what they heard."""

from alembic import op
from sqlalchemy import Boolean, Column, false

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; every job so far replaced what nobody had touched."""
    op.add_column("jobs", Column("suggests", Boolean, nullable=False, server_default=false()))
