"""The tables, as the newest migration leaves them; a test proves that both agree.

::

    transcripts ─┬─ updates      the document's log: numbered from 1, without gaps
                 ├─ snapshots    what replaces the log's beginning; at most one
                 ├─ clients      names under which servers write into the document
                 ├─ terms        what a transcript is found by
                 ├─ links        who is let in
                 ├─ sessions ─┬── voices
                 │            └── uploads ── upload_keys   those that came as files
                 ├─ jobs         what is to be heard again
                 └─ passes ─┬──── words      in chunks, only ever appended
                            ├──── aliases
                            └──── decisions

The index of `terms` is left out, because each database has its own, made by migration 0002: SQLite
the virtual table `terms_index` and triggers, PostgreSQL the column `terms.vector`.

Whatever hangs on a transcript goes when it goes; its sessions are noted in `removals`. All times
are Unix times in milliseconds, unless they are on the transcript's clock.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    false,
)


class PlainText(TypeDecorator[str]):
    """Text of any origin, stored alike by all databases.

    PostgreSQL refuses NUL, and no encoder takes lone surrogates; both can come out of a shared
    document that anybody edits. They become U+FFFD.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return what is stored for a text."""
        if value is None:
            return None
        return (
            value.encode("utf-16", "surrogatepass")
            .decode("utf-16", "replace")
            .replace("\0", "\ufffd")
        )


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# The counters stand here, and not in tables of their own, because every write locks this row.
transcripts = Table(
    "transcripts",
    metadata,
    Column("id", PlainText, primary_key=True),
    Column("title", PlainText, nullable=False),
    Column("language", PlainText),
    Column("state", PlainText, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("duration_ms", BigInteger, nullable=False, default=0),
    Column("speakers", Integer, nullable=False, default=0),
    Column("lease", BigInteger, nullable=False, default=0),
    Column("last_seq", BigInteger, nullable=False, default=0),
    Column("last_pass", Integer, nullable=False, default=0),
    Column("last_speaker", Integer, nullable=False, default=0),
    Column("schema", Integer, nullable=False, server_default="1"),
    Column("described_seq", BigInteger, nullable=False, server_default="0"),
    Index(None, "updated_ms", "id"),
)


def _transcript() -> Column[str]:
    return Column("transcript", ForeignKey(transcripts.c.id, ondelete="CASCADE"), nullable=False)


def _pass_of_transcript() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["transcript", "pass"], ["passes.transcript", "passes.id"], ondelete="CASCADE"
    )


updates = Table(
    "updates",
    metadata,
    _transcript(),
    Column("seq", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("transcript", "seq"),
    sqlite_with_rowid=False,  # most are small: one tree holds them, not a table and an index
)

snapshots = Table(
    "snapshots",
    metadata,
    _transcript(),
    Column("seq", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("transcript"),
)

clients = Table(
    "clients",
    metadata,
    _transcript(),
    Column("client", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("transcript", "client"),
)

# The names of passes are no foreign keys: passes refer to their session, and go with it.
sessions = Table(
    "sessions",
    metadata,
    Column("id", PlainText, primary_key=True),
    _transcript(),
    Column("live_pass", PlainText, nullable=False),
    Column("utterance_pass", PlainText, nullable=False),
    Column("offset_ms", BigInteger, nullable=False),
    Column("samples", BigInteger, nullable=False, default=0),
    Column("applied_seq", BigInteger, nullable=False, default=0),
    Column("microphone", PlainText),
    Column("person", PlainText),
    Column("created_ms", BigInteger, nullable=False),
    Index(None, "transcript"),
)

voices = Table(
    "voices",
    metadata,
    Column("session", ForeignKey(sessions.c.id, ondelete="CASCADE"), nullable=False),
    Column("label", PlainText, nullable=False),
    Column("speaker", PlainText, nullable=False),
    Column("embedding", LargeBinary),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("session", "label"),
)

passes = Table(
    "passes",
    metadata,
    _transcript(),
    Column("id", PlainText, nullable=False),
    Column("session", ForeignKey(sessions.c.id, ondelete="CASCADE")),
    Column("kind", PlainText, nullable=False),
    Column("state", PlainText, nullable=False),
    Column("words", Integer, nullable=False, default=0),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("transcript", "id"),
    Index(None, "session"),
)

words = Table(
    "words",
    metadata,
    Column("transcript", PlainText, nullable=False),
    Column("pass", PlainText, nullable=False),
    Column("first", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("transcript", "pass", "first"),
    _pass_of_transcript(),
)

aliases = Table(
    "aliases",
    metadata,
    Column("transcript", PlainText, nullable=False),
    Column("pass", PlainText, nullable=False),
    Column("word", Integer, nullable=False),
    Column("new_pass", PlainText, nullable=False),
    Column("new_word", Integer, nullable=False),
    PrimaryKeyConstraint("transcript", "pass", "word"),
    _pass_of_transcript(),
)

decisions = Table(
    "decisions",
    metadata,
    Column("transcript", PlainText, nullable=False),
    Column("pass", PlainText, nullable=False),
    Column("hunk", PlainText, nullable=False),
    Column("outcome", PlainText, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("transcript", "pass", "hunk"),
    _pass_of_transcript(),
)

# Of sessions that are gone: their recordings are elsewhere, and go a little later.
removals = Table(
    "removals",
    metadata,
    Column("session", PlainText, primary_key=True),
    Column("deleted_ms", BigInteger, nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("fingerprint", PlainText, primary_key=True),
    _transcript(),
    Column("role", PlainText, nullable=False),
    Column("label", PlainText, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Index(None, "transcript"),
)

# `due_ms` is from when on a worker may take a job: one that waits, or one whose worker is lost.
jobs = Table(
    "jobs",
    metadata,
    Column("id", PlainText, primary_key=True),
    _transcript(),
    Column("key", PlainText),
    Column("kind", PlainText, nullable=False),
    Column("session", PlainText, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger),
    Column("model", PlainText),
    Column("language", PlainText),
    Column("hotwords", PlainText, nullable=False),
    Column("diarization", Boolean, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("state", PlainText, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("claims", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("progress", Integer, nullable=False, default=0),
    Column("worker", PlainText),
    Column("error_code", PlainText),
    Column("error", PlainText),
    Column("error_retry", Boolean),
    Column("result", LargeBinary),
    Column("pass", PlainText),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("started_ms", BigInteger),
    Column("finished_ms", BigInteger),
    Column("suggests", Boolean, nullable=False, server_default=false()),
    Index(None, "transcript", "key", unique=True),
    Index(None, "state", "due_ms"),
    Index(None, "created_ms", "id"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("session", ForeignKey(sessions.c.id, ondelete="CASCADE"), primary_key=True),
    _transcript(),
    Column("digest", PlainText, nullable=False),
    Column("name", PlainText),
    Column("size_bytes", BigInteger, nullable=False),
    Column("job", PlainText, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Index(None, "transcript", "digest", unique=True),
)

upload_keys = Table(
    "upload_keys",
    metadata,
    Column("transcript", ForeignKey(transcripts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("key", PlainText, primary_key=True),
    Column("session", ForeignKey(uploads.c.session, ondelete="CASCADE"), nullable=False),
    Column("job", PlainText, nullable=False),
    Index(None, "session"),
)

terms = Table(
    "terms",
    metadata,
    Column("id", Integer, primary_key=True),  # FTS5 wants numbers
    _transcript(),
    Column("title", PlainText, nullable=False),
    Column("text", PlainText, nullable=False, default=""),
    Index(None, "transcript", unique=True),
)
