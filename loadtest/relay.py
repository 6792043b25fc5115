"""A network of our own, that can be cut, and leads to another server afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

PIECE_BYTES = 65_536


@dataclass
class Relay:
    """Relays TCP from a port of its own; made by `relaying`.

    Attributes:
        target: Port to relay to; 0 to refuse.
        port: Its own.
    """

    target: int
    port: int = 0
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _cuts: int = 0

    def cut(self, target: int) -> None:
        """Cut all connections; those to come lead to another port, or with 0 nowhere."""
        self.target = target
        self._cuts += 1
        for end in self._ends:
            end.transport.abort()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection."""
        task = asyncio.create_task(self._relay(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Cut everything and wait until it is over."""
        self.cut(0)
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cuts = self._cuts
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:  # nobody listens there, never on port 0
            writer.transport.abort()
            return
        ends = {writer, up_writer}
        if self._cuts != cuts:  # It was cut while it was made.
            for end in ends:
                end.transport.abort()
            return
        self._ends |= ends
        back = asyncio.create_task(self._copy(up_reader, writer))
        await self._copy(reader, up_writer)
        for end in ends:
            end.transport.abort()
        await back
        self._ends -= ends

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(PIECE_BYTES):
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def relaying(target: int) -> AsyncIterator[Relay]:
    """Relay to a port, from a free one of this machine."""
    relay = Relay(target)
    async with await asyncio.start_server(relay.accept, "127.0.0.1", 0) as listener:
        relay.port = listener.sockets[0].getsockname()[1]
        try:
            yield relay
        finally:
            await relay.finish()
