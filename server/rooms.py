"""The open rooms of a server: opened for whoever comes first, closed some time after the last.

A room whose storage fails sends everybody away and forgets its document, which may hold what was
not committed. Whoever comes again gets the document as it was committed, and editors bring along
what they wrote, as Yjs clients do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from server.commits import Commits
from server.disk import Disk
from server.errors import RoomClosed
from server.mailbox import Dismissal
from server.messages import CloseCode
from server.room import LIMITS, Contents, Room
from server.storage.errors import StorageError, UnknownTranscript
from server.storage.store import Store
from server.storage.values import Lease
from server.storage.values import Transcript as AboutTranscript
from server.transcript import Transcript, make_client_id
from server.yjs.updates import inspect

logger = logging.getLogger(__name__)

LINGER_S = 10.0
"""An empty room is kept so long: pages are reloaded, and connections break."""

COMPACT_AFTER = 1_000
"""So many updates are stored one by one before one takes the place of all of them."""

SILENCE_CHECK_S = 5.0
"""How often members are looked for that fell silent."""

STORAGE_FAILED = Dismissal(CloseCode.OVERLOADED, "the storage cannot be used now: come again")
DELETED = Dismissal(CloseCode.UNKNOWN_TRANSCRIPT, "this transcript was deleted")
RESTART = Dismissal(CloseCode.RESTART, "the server stops: come again")


@dataclass(eq=False)
class _Open:
    """A room that is open, and what belongs to it."""

    room: Room
    commits: Commits
    lease: Lease
    compacted: int
    users: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the storage holds of a transcript that is being opened."""

    about: AboutTranscript
    lease: Lease
    updates: tuple[bytes, ...]
    last_seq: int
    contents: Contents


class Rooms:
    """All rooms of one server; used in its event loop."""

    def __init__(self, store: Store, threads: Disk, *, transcript_bytes: int) -> None:
        """Begin with no room open."""
        self._store = store
        self._threads = threads
        self._transcript_bytes = transcript_bytes
        self._open: dict[str, _Open] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def enter(self, transcript: str) -> AsyncIterator[Room]:
        """Use a room, which stays open for that long unless its storage fails.

        Raises:
            UnknownTranscript: There is no such transcript.
            StorageError: It cannot be opened now.
        """
        opened = await self._opened(transcript)
        opened.users += 1
        try:
            yield opened.room
        finally:
            opened.users -= 1
            if opened.users == 0:
                self._spawn(self._close_later(transcript, opened))

    async def closed(self, transcript: str, room: Room) -> None:
        """Wait until a room that is in use is closed all the same."""
        opened = self._open.get(transcript)
        if opened is not None and opened.room is room:
            await opened.closed.wait()

    def lease(self, transcript: str) -> Lease:
        """Return what writing to an open transcript takes.

        Raises:
            RoomClosed: It is not open any more.
        """
        opened = self._open.get(transcript)
        if opened is None:
            raise RoomClosed("an open room expected")
        return opened.lease

    async def delete(self, transcript: str) -> None:
        """Delete a transcript, and send everybody away who is in it.

        Raises:
            UnknownTranscript: There is no such transcript.
            StorageError: It cannot be deleted now.
        """
        async with self._lock(transcript):
            await self._threads.run(lambda: self._store.library.delete(transcript))
            opened = self._open.get(transcript)
            if opened is not None:
                self._forget(transcript, opened, DELETED)

    async def aclose(self) -> None:
        """Commit and close everything; everybody is told to come again."""
        for opened in self._open.values():
            opened.room.dismiss_all(RESTART)
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        for transcript, opened in list(self._open.items()):
            await self._close(transcript, opened)

    async def _opened(self, transcript: str) -> _Open:
        async with self._lock(transcript):
            opened = self._open.get(transcript)
            if opened is None:
                opened = await self._load(transcript)
                self._open[transcript] = opened
            return opened

    async def _load(self, transcript: str) -> _Open:
        client = make_client_id()
        stored = await self._threads.run(lambda: self._read(transcript, client))
        document = Transcript(client, stored.updates)
        commits = Commits(self._store, self._threads, stored.lease, stored.last_seq)
        room = Room(
            document,
            stored.contents,
            commits,
            most_bytes=self._transcript_bytes,
            clock=asyncio.get_running_loop().time,
        )
        if document.meta("schema") is None:
            about = stored.about
            room.commit(document.begin(title=about.title, language=about.language))
        opened = _Open(room, commits, stored.lease, stored.last_seq)
        opened.tasks = [
            asyncio.create_task(self._commit(transcript, opened)),
            asyncio.create_task(self._look_after(transcript, opened)),
        ]
        return opened

    def _read(self, transcript: str, client: int) -> _Stored:
        """Read all that a room needs, in a thread."""
        store = self._store
        lease = store.documents.lease(transcript)
        store.documents.add_client(lease, client)
        document = store.documents.read(transcript)
        snapshot = () if document.snapshot is None else (document.snapshot,)
        updates = (*snapshot, *document.updates)
        names = [each.id for each in store.passes.of(transcript)]
        words = store.passes.words(transcript, names)
        return _Stored(
            about=store.library.get(transcript),
            lease=lease,
            updates=updates,
            last_seq=document.last_seq,
            contents=Contents(
                passes={pass_id: list(heard) for pass_id, heard in words.items()},
                machines=store.documents.clients(transcript),
                types={each for update in updates for each in inspect(update, LIMITS).types},
            ),
        )

    async def _commit(self, transcript: str, opened: _Open) -> None:
        try:
            await opened.commits.run()
        except UnknownTranscript:
            self._forget(transcript, opened, DELETED)
        except StorageError:
            logger.exception("room closed", extra={"transcript": transcript})
            self._forget(transcript, opened, STORAGE_FAILED)

    async def _look_after(self, transcript: str, opened: _Open) -> None:
        """Do what is to be done now and then while a room is open."""
        while True:
            await asyncio.sleep(SILENCE_CHECK_S)
            opened.room.refresh()
            if opened.commits.last_seq - opened.compacted >= COMPACT_AFTER:
                await self._compact(transcript, opened)

    async def _compact(self, transcript: str, opened: _Open) -> None:
        """Store the whole document in place of all its updates so far."""
        seq, whole = opened.commits.last_seq, opened.room.transcript.update_since()
        try:
            await self._threads.run(lambda: self._store.documents.compact(opened.lease, whole, seq))
        except StorageError:  # The updates are still there.
            logger.exception("document not compacted", extra={"transcript": transcript})
        else:
            opened.compacted = seq

    async def _close_later(self, transcript: str, opened: _Open) -> None:
        await asyncio.sleep(LINGER_S)
        async with self._lock(transcript):
            if opened.users == 0 and self._open.get(transcript) is opened:
                await self._close(transcript, opened)

    async def _close(self, transcript: str, opened: _Open) -> None:
        """Commit what is left, and let go."""
        idle = asyncio.create_task(opened.commits.idle())
        await asyncio.wait([idle, opened.tasks[0]], return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        if not opened.closed.is_set() and opened.commits.last_seq > opened.compacted:
            await self._compact(transcript, opened)
        self._forget(transcript, opened, RESTART)

    def _forget(self, transcript: str, opened: _Open, why: Dismissal) -> None:
        """Close a room at once; what is not committed is not kept."""
        if self._open.get(transcript) is opened:
            del self._open[transcript]
        opened.closed.set()
        opened.room.dismiss_all(why)
        current = asyncio.current_task()
        for task in opened.tasks:
            if task is not current:
                task.cancel()

    def _lock(self, transcript: str) -> asyncio.Lock:
        """Return the lock under which a transcript's room is opened and closed."""
        return self._locks.setdefault(transcript, asyncio.Lock())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
