"""The way into the storage: one database, opened and brought up to date."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from server.recordings import unix_ms
from server.storage.claims import Claims
from server.storage.database import Database
from server.storage.documents import Documents
from server.storage.excerpts import Excerpts
from server.storage.jobs import Jobs
from server.storage.library import Library
from server.storage.links import Links
from server.storage.merges import Merges
from server.storage.migrations import upgrade
from server.storage.passes import Passes
from server.storage.removals import Removals
from server.storage.sessions import Sessions
from server.storage.uploads import Uploads

WAIT_MS = 5000
"""How long a statement waits for others: longer than any transaction of ours takes."""


class Store:
    """Everything about transcripts that lasts, except for audio; owned by the process.

    All methods of all its parts block, and may be called from any thread. On SQLite writes wait
    for each other, so that a second thread which writes gains nothing, and readers wait for
    nobody: a server uses it by `StoreThreads`.

    Attributes:
        documents: The logs of the shared documents.
        sessions: Who speaks into transcripts.
        passes: What was heard.
        excerpts: What of it was heard in a span.
        merges: What became of accurate passes.
        library: The transcripts as a whole.
        links: Who is let into which transcript.
        removals: Whose recordings are to be removed.
        jobs: What is to be heard again.
        claims: Who hears it.
        uploads: What came as files.
    """

    def __init__(
        self, url: str, *, wait_ms: int = WAIT_MS, now_ms: Callable[[], int] = unix_ms
    ) -> None:
        """Open a database, and bring its tables up to date.

        Args:
            url: `sqlite:///FILE`, or `postgresql+psycopg://USER:PASSWORD@HOST/NAME`.
            wait_ms: How long a statement may wait for a lock, and a connection for an answer.
            now_ms: The wall clock, in Unix time.

        Raises:
            UnsupportedDatabase: It is of another kind or of a newer version.
            StorageUnavailable: It cannot be reached, or not be written.
        """
        self._database = Database(url, wait_ms=wait_ms)
        try:
            with self._database.writing() as connection:
                upgrade(connection, self._database.place)
        except BaseException:
            self._database.close()
            raise
        self.documents = Documents(self._database, now_ms)
        self.sessions = Sessions(self._database, now_ms)
        self.passes = Passes(self._database, now_ms)
        self.excerpts = Excerpts(self._database)
        self.merges = Merges(self._database)
        self.library = Library(self._database, now_ms)
        self.links = Links(self._database, now_ms)
        self.removals = Removals(self._database)
        self.jobs = Jobs(self._database, now_ms)
        self.claims = Claims(self._database, now_ms)
        self.uploads = Uploads(self._database, now_ms)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; harmless when called twice."""
        self._database.close()
