"""The WebSockets that Starlette accepted, as connections take them."""

from __future__ import annotations

from starlette.websockets import WebSocket, WebSocketDisconnect

from server.codes import CloseCode
from server.connection import Disconnected

LONGEST_REASON = 123
"""Bytes that fit beside a close code: RFC 6455, section 5.5."""

# What Starlette and uvicorn raise when the peer is gone before, or the close was sent already.
_GONE = (OSError, RuntimeError, WebSocketDisconnect)


class StarletteSocket:
    """A `Socket` over an accepted Starlette WebSocket."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> bytes | str:
        """Return the next frame; raises `Disconnected`."""
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise Disconnected
        frame: bytes | str | None = message.get("bytes")
        if frame is None:
            frame = message["text"]
        assert isinstance(frame, bytes | str)
        return frame

    async def send(self, frame: bytes | str) -> None:
        """Send a frame; waits while the peer does not read; raises `Disconnected`."""
        try:
            if isinstance(frame, bytes):
                await self._websocket.send_bytes(frame)
            else:
                await self._websocket.send_text(frame)
        except _GONE as error:
            raise Disconnected from error

    async def close(self, code: CloseCode, reason: str = "") -> None:
        """Say goodbye; raises `Disconnected`."""
        try:
            await self._websocket.close(code, _cut(reason))
        except _GONE as error:
            raise Disconnected from error


def _cut(reason: str) -> str:
    """Return as many whole characters as fit: a reason may quote what a peer made up."""
    return reason.encode()[:LONGEST_REASON].decode(errors="ignore")
