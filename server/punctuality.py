"""HTTP requests that do not arrive: connections that would wait for them for ever are closed.

uvicorn waits without end for the rest of a request, and each connection that sends half of one
takes a place of those that are allowed (`limit_concurrency`).
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 10.0
"""From connecting, or from the first byte of a later request, to the end of its head."""

BODY_S = 30.0
"""Between two pieces of a body, while its reader waits: recordings take long, but not to begin."""

_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class PunctualProtocol(H11Protocol):
    """One HTTP connection until it is closed, or becomes a WebSocket; made by uvicorn."""

    _timer: asyncio.TimerHandle | None = None
    _awaits_head = False
    _upgraded = False

    def connection_made(  # type: ignore[override]  # as uvicorn does
        self, transport: asyncio.Transport
    ) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for what is missing."""
        super().data_received(data)
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Leave the connection to another protocol."""
        self._upgraded = True
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Wait for what is missing of a request, if anything is."""
        state = self.conn.their_state
        if self._upgraded or self.transport.is_closing():
            self._stop()
        elif state is h11.IDLE:
            if not self._awaits_head:  # However it trickles in, the end is that of the first byte.
                self._start(HEAD_S)
                self._awaits_head = True
        elif state is h11.SEND_BODY:
            self._start(BODY_S)
        else:
            self._stop()

    def _start(self, wait_s: float) -> None:
        self._stop()
        self._timer = self.loop.call_later(wait_s, self._late)

    def _stop(self) -> None:
        self._awaits_head = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        in_body = self.conn.their_state is h11.SEND_BODY
        if in_body and self.flow.read_paused:
            self._start(BODY_S)  # We are slow, not the client.
            return
        if not (in_body and self.cycle.response_started):
            self.transport.write(_TIMEOUT)
        self.transport.close()
