"""How an editor is connected: the Yjs protocol over one WebSocket, as y-websocket speaks it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from server.yjs import messages

EMPTY_STATE = b"\0"
"""The state vector of a client that has nothing."""

NOTHING = b"\0\0"
"""An update without content."""


class Link:
    """One connection; made by `linked`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, message: messages.Message) -> None:
        """Send one message.

        Raises:
            ConnectionClosed: The connection is gone.
        """
        await self._socket.send(messages.encode(message))

    async def received(self) -> AsyncIterator[messages.Message | None]:
        """Yield what comes, until the connection is gone; `None` for what we do not know."""
        with suppress(ConnectionClosed):
            async for frame in self._socket:
                yield messages.decode(frame)


@asynccontextmanager
async def linked(server_url: str, transcript: str) -> AsyncIterator[Link]:
    """Connect to a transcript.

    Args:
        server_url: As the server prints it, token included.
        transcript: Its id.

    Raises:
        OSError: Nobody listens there.
        InvalidHandshake: Somebody does who speaks something else, or has died meanwhile.
    """
    parts = urlsplit(server_url)
    token = quote(parse_qs(parts.query)["token"][0])
    url = f"ws://{parts.netloc}/v1/transcripts/{quote(transcript)}/sync?token={token}"
    async with connect(url, max_size=None, compression=None, proxy=None) as socket:
        yield Link(socket)
