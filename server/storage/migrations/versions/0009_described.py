"""Up to where documents are described for lists and searches."""

from alembic import op
from sqlalchemy import BigInteger, Column

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; whether what is said of a document so far is up to date, nobody knows."""
    op.add_column(
        "transcripts", Column("described_seq", BigInteger, nullable=False, server_default="0")
    )
