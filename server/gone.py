"""uvicorn's WebSockets, for peers who are gone before they were let in.

uvicorn answers a handshake that is under way when it stops, or closes the connection of a peer who
broke off, and takes no note of it: what the application says afterwards raises an `AssertionError`,
of which the answer is the same error once more, so that the connection stays open for ever
(`WebSocketsSansIOProtocol.run_asgi`, uvicorn 0.54).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Tells the application that a peer is gone, also before the handshake is over."""

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the application says; raises `ClientDisconnected`."""
        if self._gone():
            raise ClientDisconnected
        await super().send(message)

    def send_500_response(self) -> None:
        """Say that the application failed, to who is there to hear it."""
        if not self._gone():
            super().send_500_response()

    def _gone(self) -> bool:
        return not self.handshake_complete and self.transport.is_closing()
