"""What tests of the shared document need: its storage and rooms, and an editor of it.

An editor is another Yjs replica, over a real WebSocket.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pycrdt import (
    Awareness,
    Doc,
    Map,
    Text,
    TransactionEvent,
    YMessageType,
    YSyncMessageType,
    create_awareness_message,
    create_sync_message,
    create_update_message,
    handle_sync_message,
    read_message,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from offline.edits import Edit, Plan
from server.errors import TranscriptError
from server.planner import Planner
from server.recordings import unix_ms
from server.room import Room
from server.rooms import Rooms
from server.storage.store import Store
from server.store_threads import StoreThreads
from server.transcript import Transcript
from tests.server.talking import DEADLINE_S, TOKEN, Running, running, talk

NOTHING = b"\0\0"
POLL_S = 0.01
WAIT_MS = 200
"""How long a storage under test waits for locks."""

TRANSCRIPT = "transcript-aaaaaaaaaa"


@dataclass
class Storage:
    """A database in a file, and the threads that wait for it.

    Attributes:
        store: Holds one transcript, `TRANSCRIPT`.
    """

    store: Store
    threads: StoreThreads
    planner: Planner
    file: Path

    def rooms(self, *, transcript_bytes: int = 1024 * 1024, linger_s: float = 0.0) -> Rooms:
        """Return the rooms of a server, which its caller closes."""
        return Rooms(
            self.store,
            self.threads,
            self.planner,
            transcript_bytes=transcript_bytes,
            linger_s=linger_s,
        )

    def written(self, transcript: str = TRANSCRIPT) -> Transcript:
        """Return a replica of what is stored."""
        return read_document(self.store, transcript)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody else write, as another program does that works on the same file."""
        other = sqlite3.connect(self.file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.close()


@contextmanager
def storage(folder: Path) -> Iterator[Storage]:
    """Make a storage with one empty transcript."""
    file, threads, planner = folder / "trax.sqlite", StoreThreads(), Planner()
    with Store(f"sqlite:///{file}", wait_ms=WAIT_MS) as store:
        store.library.create(TRANSCRIPT, started_ms=0, title="Planning")
        try:
            yield Storage(store, threads, planner, file)
        finally:
            planner.close()
            threads.close()


@asynccontextmanager
async def open_rooms(
    folder: Path, *, transcript_bytes: int = 1024 * 1024, linger_s: float = 0.0
) -> AsyncIterator[tuple[Storage, Rooms]]:
    """Make a storage and the rooms over it, closed at the end."""
    with storage(folder) as stored:
        rooms = stored.rooms(transcript_bytes=transcript_bytes, linger_s=linger_s)
        try:
            yield stored, rooms
        finally:
            await rooms.aclose()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 - any state at all
            await asyncio.sleep(POLL_S)


class Fragile(Transcript):
    """A document that fails half-way, as yrs did with updates that are refused today."""

    def apply(self, update: bytes) -> bytes | None:
        """Apply an update, and fail."""
        super().apply(update)
        raise TranscriptError("a Yjs update expected")


async def write(room: Room, *edits: Edit) -> None:
    """Have a room's machine make changes."""
    await room.machine.write(lambda _view: Plan(edits))


@dataclass
class Editor:
    """One replica, and its connection while there is one.

    Attributes:
        doc: Survives connections, as a page's does.
        synced: Set once the server's answer to our state came.
        asked: How often the server asked for what we have.
        denied: How often it said that we may not write.
        code: The close code of the last connection, 1006 if none came; -1 while it lasts.
        reason: What it says besides.
    """

    doc: Doc[Any] = field(default_factory=Doc)
    synced: asyncio.Event = field(default_factory=asyncio.Event)
    code: int = -1
    reason: str = ""
    asked: int = 0
    denied: int = 0
    socket: ClientConnection | None = None
    _outgoing: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.text: Text = self.doc.get("text", type=Text)
        self.awareness = Awareness(self.doc)
        self._ours = True
        self.doc.observe(self._changed)

    def map(self, name: str) -> Map[Any]:
        """Return a map of the document."""
        found: Map[Any] = self.doc.get(name, type=Map)
        return found

    def _changed(self, event: TransactionEvent) -> None:
        if self._ours and event.update != NOTHING:
            self._outgoing.append(event.update)

    async def flush(self) -> None:
        """Send what was changed here."""
        updates, self._outgoing = self._outgoing, []
        if self.socket is not None:
            for update in updates:
                await self.socket.send(create_update_message(update))

    async def frame(self, frame: bytes | str) -> None:
        """Send something that is perhaps no message."""
        assert self.socket is not None
        await self.socket.send(frame)

    async def write(self, at: int, text: str) -> None:
        """Insert something, and wait until the server has committed it."""
        self.text.insert(at, text)
        await self.flush()
        await self.acknowledged()

    async def acknowledged(self) -> None:
        """Wait until the server has committed what was sent: its answers wait for that too."""
        self.synced.clear()
        await self.frame(create_sync_message(self.doc))
        async with asyncio.timeout(DEADLINE_S):
            await self.synced.wait()

    async def present(self, **state: object) -> None:
        """Show a state to everybody."""
        assert self.socket is not None
        self.awareness.set_local_state(state)
        mine = self.awareness.encode_awareness_update([self.doc.client_id])
        await self.socket.send(create_awareness_message(mine))

    def others(self) -> dict[int, dict[str, Any]]:
        """Return what others show."""
        states = self.awareness.states
        return {client: state for client, state in states.items() if client != self.doc.client_id}

    def shown(self) -> list[dict[str, Any]]:
        """Return what everybody else shows who shows anything."""
        return [state for state in self.others().values() if state]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        await until(holds)

    async def until_says(self, *texts: str) -> None:
        """Wait until the text contains all of these."""
        await self.until(lambda: all(text in str(self.text) for text in texts))

    async def read(self) -> None:
        """Take in everything that comes until the connection ends."""
        assert self.socket is not None
        try:
            async for frame in self.socket:
                assert isinstance(frame, bytes)
                await self._take(frame)
        except ConnectionClosed:
            pass
        received = self.socket.protocol.close_rcvd
        self.code, self.reason = (
            (1006, "") if received is None else (received.code, received.reason)
        )

    async def _take(self, frame: bytes) -> None:
        assert self.socket is not None
        match frame[0]:
            case YMessageType.SYNC:
                self._ours = False
                try:
                    answer = handle_sync_message(frame[1:], self.doc)
                finally:
                    self._ours = True
                if answer is not None:
                    self.asked += 1
                    await self.socket.send(answer)
                if frame[1] == YSyncMessageType.SYNC_STEP2:
                    self.synced.set()
            case YMessageType.AWARENESS:
                self.awareness.apply_awareness_update(read_message(frame[1:]), "server")
            case 2:
                self.denied += 1


@asynccontextmanager
async def editing(
    server: Running, transcript: str, editor: Editor | None = None, token: str = TOKEN
) -> AsyncIterator[Editor]:
    """Connect an editor, a new one or one that comes back, and synchronise it."""
    editor = editor or Editor()
    editor.synced.clear()
    editor.code, editor.reason = -1, ""
    url = server.url(f"/v1/transcripts/{transcript}/sync?token={token}")
    async with connect(url, max_size=None, proxy=None, compression=None) as socket:
        editor.socket = socket
        editor._outgoing.clear()
        reading = asyncio.create_task(editor.read())
        try:
            with suppress(ConnectionClosed):
                await socket.send(create_sync_message(editor.doc))
            async with asyncio.timeout(DEADLINE_S):
                synced = asyncio.create_task(editor.synced.wait())
                await asyncio.wait({synced, reading}, return_when=asyncio.FIRST_COMPLETED)
                synced.cancel()
            yield editor
            with suppress(ConnectionClosed):
                await editor.flush()
        finally:
            await socket.close()
            await reading
            editor.socket = None


def open_transcript(server: Running, transcript: str = TRANSCRIPT) -> None:
    """Make a transcript that a server finds."""
    store_of(server).library.create(transcript, started_ms=unix_ms())


def stored_text(server: Running, transcript: str = TRANSCRIPT) -> str:
    """Return the text that a server would find if it started now."""
    return read_document(store_of(server), transcript).text


def read_document(store: Store, transcript: str) -> Transcript:
    """Return a replica of what is stored."""
    document = store.documents.read(transcript)
    snapshot = () if document.snapshot is None else (document.snapshot,)
    return Transcript(1, (*snapshot, *document.updates))


@asynccontextmanager
async def transcribing(folder: Path, **settings: object) -> AsyncIterator[Running]:
    """Run a server that has a transcript."""
    async with running(folder, talk(8), **settings) as server:  # type: ignore[arg-type]  # fields
        open_transcript(server)
        yield server


def store_of(server: Running) -> Store:
    """Return where a server keeps transcripts."""
    return server.app._lifecycle.serving().store


def rooms_of(server: Running) -> Rooms:
    """Return the rooms of a server."""
    return server.app._lifecycle.serving().rooms
