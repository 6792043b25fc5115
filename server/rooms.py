"""The open rooms of a server: opened for whoever comes first, closed some time after the last.

A room whose storage fails sends everybody away and forgets its document, which may hold what was
not committed. Whoever comes again gets the document as it was committed, and editors bring along
what they wrote, as Yjs clients do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from weakref import WeakValueDictionary

from server.acquaintance import Acquaintance
from server.codes import CloseCode
from server.commits import Commits
from server.contents import Contents
from server.errors import RoomClosed, TranscriptError
from server.mailbox import Dismissal
from server.planner import Planner
from server.room import Room
from server.schema import SCHEMA
from server.storage.errors import StorageError, UnknownTranscript
from server.storage.store import Store
from server.storage.values import Batch, Document, Lease, PassKind
from server.store_threads import StoreThreads
from server.stored import Stored
from server.transcript import Transcript, make_client_id
from server.yjs.landmarks import Landmarks
from server.yjs.updates import NO_LIMITS, inspect

logger = logging.getLogger(__name__)

LINGER_S = 10.0
"""An empty room is kept so long after the last left it: pages are reloaded, connections break."""

COMPACT_AFTER = 1_000
"""So many updates are stored one by one before one takes the place of all of them."""

SILENCE_CHECK_S = 5.0
"""How often members are looked for that fell silent."""

DESCRIBE_EVERY_S = 30.0
"""How often a document that changes is described for lists and searches."""

MOST_LEFT = 10_000
"""So many rooms that were closed are remembered, in 3 MB."""

STORAGE_FAILED = Dismissal(CloseCode.OVERLOADED, "the storage cannot be used now: come again")
DELETED = Dismissal(CloseCode.UNKNOWN_TRANSCRIPT, "this transcript was deleted")
FAILED = Dismissal(CloseCode.INTERNAL_ERROR, "the room failed: come again")
RESTART = Dismissal(CloseCode.RESTART, "the server stops: come again")


@dataclass(eq=False)
class _Open:
    """A room that is open, and what belongs to it."""

    room: Room
    commits: Commits
    lease: Lease
    acquaintance: Acquaintance
    compacted: int
    described: int
    compacting: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    entered: int = 0
    """How often, which tells whether somebody came and went meanwhile."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class _Opening:
    """What the storage holds of a transcript that is being opened."""

    lease: Lease
    transcript: Transcript
    document: Document
    contents: Contents
    described: int


class Rooms:
    """All rooms of one server; used in its event loop."""

    def __init__(
        self,
        store: Store,
        threads: StoreThreads,
        planner: Planner,
        *,
        transcript_bytes: int,
        linger_s: float = LINGER_S,
    ) -> None:
        """Begin with no room open.

        Args:
            store: Where the documents are.
            threads: To wait for it in.
            planner: Where it is planned what machines write.
            transcript_bytes: No document may take more.
            linger_s: How long an empty room is kept.
        """
        self._store = store
        self._threads = threads
        self._planner = planner
        self._transcript_bytes = transcript_bytes
        self._linger_s = linger_s
        self._open: dict[str, _Open] = {}
        self._left: dict[str, Lease] = {}  # of rooms that are closed, the latest last
        # A lock is there for as long as somebody holds it, or waits for it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._closing: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    @asynccontextmanager
    async def enter(self, transcript: str) -> AsyncIterator[Room]:
        """Use a room, which stays open for that long unless its storage fails.

        Raises:
            UnknownTranscript: There is no such transcript.
            StorageError: It cannot be opened now.
            TranscriptError: Its document cannot be read.
            UnsupportedSchema: It is of a newer version.
            RoomClosed: The server stops.
        """
        opened = await self._opened(transcript)
        opened.users += 1
        opened.entered += 1
        try:
            yield opened.room
        finally:
            opened.users -= 1
            if opened.users == 0:
                self._spawn(self._close_later(transcript, opened, opened.entered))

    def present(self, transcript: str) -> Room | None:
        """Return a room if it is open; it may close whenever its caller waits for something."""
        opened = self._open.get(transcript)
        return None if opened is None else opened.room

    async def undisturbed(self, transcript: str) -> bool:
        """Whether to open a room takes it away from no other server: none did since we had it.

        Raises:
            StorageError: It cannot be known now.
        """
        lease = self._left.get(transcript, Lease(transcript, 0))
        return await self._threads.read(lambda: self._store.documents.is_newest(lease))

    async def closed(self, transcript: str, room: Room) -> None:
        """Wait until a room that is in use is closed all the same."""
        opened = self._open.get(transcript)
        if opened is not None and opened.room is room:
            await opened.closed.wait()

    def give_up(self, transcript: str, room: Room) -> None:
        """Close a room that another server has taken over: what it shows is out of date."""
        opened = self._open.get(transcript)
        if opened is not None and opened.room is room:
            self._forget(transcript, opened, STORAGE_FAILED)

    def lease(self, transcript: str) -> Lease:
        """Return what writing to an open transcript takes.

        Raises:
            RoomClosed: It is not open any more.
        """
        opened = self._open.get(transcript)
        if opened is None:
            raise RoomClosed("an open room expected")
        return opened.lease

    def acquaintance(self, transcript: str) -> Acquaintance:
        """Return who is who in an open transcript.

        Raises:
            RoomClosed: It is not open any more.
        """
        opened = self._open.get(transcript)
        if opened is None:
            raise RoomClosed("an open room expected")
        return opened.acquaintance

    async def delete(self, transcript: str) -> tuple[str, ...]:
        """Delete a transcript, and send everybody away who is in it.

        Returns:
            Its sessions, whose recordings are to be removed.

        Raises:
            UnknownTranscript: There is no such transcript.
            StorageError: It cannot be deleted now.
        """
        async with self._lock(transcript):
            gone = await self._threads.write(lambda: self._store.library.delete(transcript))
            opened = self._open.get(transcript)
            if opened is not None:
                self._forget(transcript, opened, DELETED)
        try:
            await self._threads.read(self._store.removals.scrub)
        except StorageError:  # It is done with the next one, or when the server starts again.
            logger.exception("database not scrubbed", extra={"transcript": transcript})
        return gone

    async def aclose(self) -> None:
        """Commit and close everything; everybody is told to come again."""
        self._stopping.set()
        for opened in self._open.values():
            opened.room.dismiss_all(RESTART)
        await asyncio.gather(*self._closing)
        for transcript, opened in list(self._open.items()):
            await self._close(transcript, opened)

    async def _opened(self, transcript: str) -> _Open:
        async with self._lock(transcript):
            opened = self._open.get(transcript)
            if opened is None:
                self._check_serving()
                opened = await self._load(transcript)
                self._open[transcript] = opened
            return opened

    async def _load(self, transcript: str) -> _Open:
        stored = await self._read(transcript)
        self._check_serving()
        commits = Commits(self._store, self._threads, stored.lease, stored.document.last_seq)
        room = Room(
            stored.transcript,
            stored.contents,
            commits,
            self._planner,
            most_bytes=self._transcript_bytes,
            clock=asyncio.get_running_loop().time,
        )
        acquaintance = Acquaintance(self._store, self._threads, stored.lease, room)
        opened = _Open(
            room,
            commits,
            stored.lease,
            acquaintance,
            stored.document.snapshot_seq,
            stored.described,
        )
        opened.tasks = [
            asyncio.create_task(self._guard(transcript, opened, work))
            for work in (commits.run, partial(self._look_after, transcript, opened))
        ]
        return opened

    async def _read(self, transcript: str) -> _Opening:
        """Read all that a room needs."""
        client, writer = make_client_id(), make_client_id()
        lease = await self._threads.write(lambda: self._take(transcript, (client, writer)))
        document, replica = await self._up_to_date(lease, client)
        return await self._threads.read(lambda: self._stored(lease, document, replica, writer))

    def _take(self, transcript: str, clients: Sequence[int]) -> Lease:
        """Take the right to write, under client ids of our own, in a thread."""
        lease = self._store.documents.lease(transcript)
        for each in clients:
            self._store.documents.add_client(lease, each)
        return lease

    def _stored(
        self, lease: Lease, document: Document, replica: Transcript, writer: int
    ) -> _Opening:
        """Read what belongs to a document, in a thread."""
        store, transcript = self._store, lease.transcript
        landmarks = Landmarks()
        for update in document.whole:
            landmarks.add(inspect(update, NO_LIMITS))
        passes = store.passes.of(transcript)
        words = store.passes.words(transcript, [each.id for each in passes])
        sent = {each.session for each in store.uploads.of(transcript)}
        return _Opening(
            lease=lease,
            transcript=replica,
            document=document,
            contents=Contents(
                passes={pass_id: list(heard) for pass_id, heard in words.items()},
                sessions={each.id: each.session for each in passes if each.session is not None},
                asked_for={
                    each.id
                    for each in passes
                    if each.kind is PassKind.PASSAGE or each.session in sent
                },
                decisions=store.merges.all_decisions(transcript),
                aliases=store.merges.aliases(transcript),
                machines=store.documents.clients(transcript),
                writer=writer,
                landmarks=landmarks,
                size_bytes=len(replica.update_since()),
            ),
            described=store.library.described(transcript),
        )

    async def _up_to_date(self, lease: Lease, client: int) -> tuple[Document, Transcript]:
        """Return a document of our version, and a replica of it that writes as `client`."""
        documents = self._store.documents
        stored = await self._threads.read(lambda: Stored.read(self._store, lease.transcript))
        document = stored.document
        replica, update = await self._threads.read(lambda: stored.replica(client))
        if update is not None:
            batch = Batch(document.last_seq, (update,), schema=SCHEMA)
            await self._threads.write(lambda: documents.append(lease, batch))
            document = await self._threads.read(lambda: documents.read(lease.transcript))
        return document, replica

    async def _guard(
        self, transcript: str, opened: _Open, work: Callable[[], Coroutine[None, None, None]]
    ) -> None:
        """Do what an open room cannot be without: whatever ends it closes the room."""
        try:
            await work()
        except UnknownTranscript:
            self._forget(transcript, opened, DELETED)
        except Exception as error:
            logger.exception("room closed", extra={"transcript": transcript})
            storage = isinstance(error, StorageError)
            self._forget(transcript, opened, STORAGE_FAILED if storage else FAILED)

    async def _look_after(self, transcript: str, opened: _Open) -> None:
        """Do what is to be done now and then while a room is open."""
        clock = asyncio.get_running_loop().time
        describe_at_s = clock() + DESCRIBE_EVERY_S
        while True:
            await opened.acquaintance.settle()
            await asyncio.sleep(SILENCE_CHECK_S)
            opened.room.refresh()
            if clock() >= describe_at_s:
                await self._describe(transcript, opened)
                describe_at_s = clock() + DESCRIBE_EVERY_S
            if opened.commits.last_seq - opened.compacted >= COMPACT_AFTER:
                await self._compact(transcript, opened)

    async def _describe(self, transcript: str, opened: _Open) -> None:
        """Tell lists and searches what a document says, if they do not know it."""
        seq = opened.commits.last_seq
        if seq == opened.described:
            return
        described = opened.room.describe()
        try:
            await self._threads.write(
                lambda: self._store.library.describe(transcript, described, seq)
            )
        except StorageError:  # It is found by what it said before.
            logger.exception("document not described", extra={"transcript": transcript})
        else:
            opened.described = seq

    async def _compact(self, transcript: str, opened: _Open) -> None:
        """Store one update in place of all so far."""
        async with opened.compacting:
            try:
                opened.compacted = await self._shorten(transcript, opened.lease)
            except (StorageError, TranscriptError):  # The updates are still there.
                logger.exception("document not compacted", extra={"transcript": transcript})

    async def _shorten(self, transcript: str, lease: Lease) -> int:
        """Compact what is stored; return the number of the last update in it.

        The room's own document will not do: it may hold words of which it is not stored yet that
        they were written, so that after a crash they would be written again.
        """
        documents = self._store.documents
        document = await self._threads.read(lambda: documents.read(transcript))
        if document.updates:
            whole = await self._threads.read(
                lambda: Transcript(make_client_id(), document.whole).update_since()
            )
            await self._threads.write(lambda: documents.compact(lease, whole, document.last_seq))
        return document.last_seq

    async def _close_later(self, transcript: str, opened: _Open, entered: int) -> None:
        """Close a room some time after somebody left it, unless another came since."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._linger_s):
                await self._stopping.wait()
        async with self._lock(transcript):
            empty = opened.users == 0 and opened.entered == entered
            if empty and self._open.get(transcript) is opened:
                await self._close(transcript, opened)

    async def _close(self, transcript: str, opened: _Open) -> None:
        """Commit what is left, and let go."""
        idle = asyncio.create_task(opened.commits.idle())
        await asyncio.wait([idle, opened.tasks[0]], return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        if not opened.closed.is_set():
            await self._describe(transcript, opened)
            await self._compact(transcript, opened)
        self._forget(transcript, opened, RESTART)

    def _forget(self, transcript: str, opened: _Open, why: Dismissal) -> None:
        """Close a room at once; what is not committed is not kept."""
        if self._open.get(transcript) is opened:
            del self._open[transcript]
            self._remember(opened.lease)
        opened.closed.set()
        opened.room.dismiss_all(why)
        current = asyncio.current_task()
        for task in opened.tasks:
            if task is not current:
                task.cancel()

    def _remember(self, lease: Lease) -> None:
        """Remember that a room was ours last."""
        self._left.pop(lease.transcript, None)
        self._left[lease.transcript] = lease
        if len(self._left) > MOST_LEFT:
            del self._left[next(iter(self._left))]

    def _lock(self, transcript: str) -> asyncio.Lock:
        """Return the lock under which a transcript's room is opened and closed."""
        return self._locks.setdefault(transcript, asyncio.Lock())

    def _check_serving(self) -> None:
        if self._stopping.is_set():
            raise RoomClosed("an open room expected, but the server stops")

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
