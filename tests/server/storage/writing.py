"""What the tests of the storage write."""

from __future__ import annotations

from offline.domain import PassId, PassWord
from server.storage.sessions import NewSession
from server.storage.store import Store
from server.storage.values import Lease, Session, WordChunk
from streaming.core.domain import Permille

TRANSCRIPT = "transcript-aaaaaaaaaa"
OTHER = "transcript-bbbbbbbbbb"
START_MS = 1_700_000_000_000


class Clock:
    """A wall clock that goes on by a second whenever somebody looks."""

    def __init__(self) -> None:
        self.ms = START_MS

    def __call__(self) -> int:
        self.ms += 1000
        return self.ms


def opened(store: Store, transcript: str = TRANSCRIPT) -> Lease:
    """Make a transcript and take its lease."""
    store.library.create(transcript, started_ms=START_MS)
    return store.documents.lease(transcript)


def joined(store: Store, lease: Lease, session: str = "session1") -> Session:
    """Add a session that begins with the transcript."""
    return store.sessions.add(lease, NewSession(session, 0))


def word(text: str, start_ms: int = 0) -> PassWord:
    return PassWord(text, start_ms, start_ms + 100, Permille(900))


def chunk(pass_id: PassId, first: int, *texts: str) -> WordChunk:
    return WordChunk(pass_id, first, tuple(word(text) for text in texts))
