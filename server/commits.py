"""The order in which one document's changes reach the storage, and then everybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from offline.decisions import Alias, Decision
from server.storage.errors import StorageUnavailable
from server.storage.store import Store
from server.storage.values import Batch, Lease, Progress, WordChunk
from server.store_threads import StoreThreads

MOST_WAITING_BYTES = 16 * 1024 * 1024
"""Changes that may wait for the storage: beyond it nobody is listened to for a while."""

CHANGE_BYTES = 512
"""What the objects around a change take, however little it says."""

ATTEMPTS = 3
RETRY_S = 0.5
"""A storage that cannot be used is asked again so often, after a pause, before the room gives up;
it waited for locks for seconds by itself already."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something to be committed.

    Attributes:
        then: Called once it is; must not raise.
        updates: Changes of the document, in order; none for what only waits for those before it.
        words: What passes heard.
        progress: How far a session is with it.
        decisions: What became of hunks.
        aliases: Words that have other times now.
        answer_bytes: Size of what `then` sends, where that is not the update.
    """

    then: Callable[[], None]
    updates: tuple[bytes, ...] = ()
    words: tuple[WordChunk, ...] = ()
    progress: Progress | None = None
    decisions: tuple[Decision, ...] = ()
    aliases: tuple[Alias, ...] = ()
    answer_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        """What it takes while it waits."""
        return CHANGE_BYTES + self.answer_bytes + sum(map(len, self.updates))


class Commits:
    """Changes of one document on their way; owned by its room, used in the event loop.

    While one batch is written the next one gathers, so that a slow storage makes batches larger
    rather than more.
    """

    def __init__(self, store: Store, threads: StoreThreads, lease: Lease, last_seq: int) -> None:
        """Go on behind update number `last_seq`."""
        self._store = store
        self._threads = threads
        self._lease = lease
        self.last_seq = last_seq
        """Number of the last committed update."""
        self._waiting: list[Change] = []
        self._waiting_bytes = 0
        self._failure: Exception | None = None
        self._added = asyncio.Event()
        self._idle = asyncio.Event()
        self._roomy = asyncio.Event()
        self._idle.set()
        self._roomy.set()

    def add(self, change: Change) -> None:
        """Have a change committed; never blocks."""
        self._waiting.append(change)
        self._waiting_bytes += change.size_bytes
        self._added.set()
        self._idle.clear()
        if self._waiting_bytes > MOST_WAITING_BYTES:
            self._roomy.clear()

    def fail(self, error: Exception) -> None:
        """Commit nothing more, because the document is not what was added here."""
        self._failure = error
        self._added.set()

    async def roomy(self) -> None:
        """Wait until not too much waits."""
        await self._roomy.wait()

    async def idle(self) -> None:
        """Wait until everything added so far is committed."""
        await self._idle.wait()

    async def run(self) -> None:
        """Commit until cancelled.

        Raises:
            StorageError: The storage refuses. What waits is not committed, as far as is known.
            Exception: What `fail` was told.
        """
        while True:
            await self._added.wait()
            self._added.clear()
            if self._failure is not None:
                raise self._failure
            changes, self._waiting, self._waiting_bytes = self._waiting, [], 0
            await self._append(changes)
            self._roomy.set()
            for change in changes:
                change.then()
            if not self._waiting:
                self._idle.set()

    async def _append(self, changes: list[Change]) -> None:
        batch = Batch(
            after=self.last_seq,
            updates=tuple(update for change in changes for update in change.updates),
            words=tuple(chunk for change in changes for chunk in change.words),
            progress=tuple(change.progress for change in changes if change.progress is not None),
            decisions=tuple(each for change in changes for each in change.decisions),
            aliases=tuple(each for change in changes for each in change.aliases),
        )
        if batch == Batch(self.last_seq):
            return
        attempts = ATTEMPTS
        while True:
            attempts -= 1
            try:
                self.last_seq = await self._threads.write(
                    lambda: self._store.documents.append(self._lease, batch)
                )
            except StorageUnavailable:
                if not attempts:
                    raise
                await asyncio.sleep(RETRY_S)
            else:
                return
