"""What transcripts are found by, who is let in, and what became of accurate passes."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    column,
    table,
)

from server.storage.searching import as_column

revision = "0002"
down_revision = "0001"

# The index refers to `terms` and stores no text itself; triggers keep it, as
# https://sqlite.org/fts5.html#external_content_tables describes. Terms are split already: FTS5 has
# only to split at spaces, and needs no positions.
_SQLITE = (
    """
    CREATE VIRTUAL TABLE terms_index USING fts5(
        title, text, content='terms', content_rowid='id', tokenize='ascii', detail='none'
    )
    """,
    """
    CREATE TRIGGER terms_inserted AFTER INSERT ON terms BEGIN
        INSERT INTO terms_index (rowid, title, text) VALUES (new.id, new.title, new.text);
    END
    """,
    """
    CREATE TRIGGER terms_deleted AFTER DELETE ON terms BEGIN
        INSERT INTO terms_index (terms_index, rowid, title, text)
        VALUES ('delete', old.id, old.title, old.text);
    END
    """,
    """
    CREATE TRIGGER terms_updated AFTER UPDATE ON terms BEGIN
        INSERT INTO terms_index (terms_index, rowid, title, text)
        VALUES ('delete', old.id, old.title, old.text);
        INSERT INTO terms_index (rowid, title, text) VALUES (new.id, new.title, new.text);
    END
    """,
)
# Not to_tsvector: its parser would split our terms again, in its own way.
_POSTGRESQL = (
    """
    ALTER TABLE terms ADD COLUMN vector tsvector NOT NULL GENERATED ALWAYS AS (
        array_to_tsvector(array_remove(string_to_array(title || ' ' || text, ' '), ''))
    ) STORED
    """,
    "CREATE INDEX ix_terms_vector ON terms USING gin (vector)",
)


def upgrade() -> None:
    """Make the tables, and let transcripts that are there be found by their titles."""
    op.create_table(
        "terms",
        Column("id", Integer, primary_key=True),
        _transcript(),
        _required("title"),
        _required("text"),
        Index("ix_terms_transcript", "transcript", unique=True),
    )
    for statement in _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)
    _fill_terms()
    op.create_table(
        "links",
        Column("fingerprint", Text, primary_key=True),
        _transcript(),
        _required("role"),
        _required("label"),
        Column("created_ms", BigInteger, nullable=False),
        Column("expires_ms", BigInteger),
        Column("revoked_ms", BigInteger),
        Index("ix_links_transcript", "transcript"),
    )
    _merges()


def _required(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _transcript() -> Column[str]:
    goes_along = ForeignKey("transcripts.id", ondelete="CASCADE")
    return Column("transcript", Text, goes_along, nullable=False)


def _fill_terms() -> None:
    transcripts = table("transcripts", column("id"), column("title"))
    terms = table("terms", column("transcript"), column("title"), column("text"))
    connection = op.get_bind()
    for transcript, title in connection.execute(transcripts.select()).all():
        row = {"transcript": transcript, "title": as_column(title), "text": ""}
        connection.execute(terms.insert().values(row))


def _merges() -> None:
    op.create_table(
        "aliases",
        _required("transcript"),
        _required("pass"),
        Column("word", Integer, nullable=False),
        _required("new_pass"),
        Column("new_word", Integer, nullable=False),
        PrimaryKeyConstraint("transcript", "pass", "word"),
        _pass_of_transcript(),
    )
    op.create_table(
        "decisions",
        _required("transcript"),
        _required("pass"),
        _required("hunk"),
        _required("outcome"),
        Column("created_ms", BigInteger, nullable=False),
        PrimaryKeyConstraint("transcript", "pass", "hunk"),
        _pass_of_transcript(),
    )


def _pass_of_transcript() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["transcript", "pass"], ["passes.transcript", "passes.id"], ondelete="CASCADE"
    )
