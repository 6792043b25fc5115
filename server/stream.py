"""The WebSocket endpoint `/v1/stream`: who gets a `Connection`, and how it ends.

Browsers see neither the HTTP status nor the body of a refused handshake. Except for web pages that
may not be here at all, the handshake is therefore accepted and the reason sent as a message.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from server.access import Access
from server.auth import Gate
from server.codes import ErrorCode
from server.connection import Connection, Disconnected, Socket, say_goodbye
from server.errors import Overload, PeerMistake, Refusal, ServerFault
from server.lifecycle import Lifecycle
from server.settings import Settings
from server.sockets import StarletteSocket
from server.storage.errors import StorageError
from server.storage.values import Link, Role
from server.telemetry import Telemetry
from server.wire import Subprotocol

logger = logging.getLogger(__name__)


class StreamEndpoint:
    """An ASGI application for one path; one for the whole server."""

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        access: Access,
        lifecycle: Lifecycle,
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._gate = gate
        self._access = access
        self._lifecycle = lifecycle
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket."""
        websocket = WebSocket(scope, receive, send)
        if not self._gate.welcomes(websocket.headers):
            await websocket.close()  # before `accept`: HTTP 403
            return
        offered = websocket.scope["subprotocols"]
        subprotocol = next((ours for ours in Subprotocol if ours in offered), None)
        try:
            await websocket.accept(subprotocol)
        except OSError:
            return
        with self._lifecycle.connected():
            await self._serve(websocket, subprotocol)

    async def _serve(self, websocket: WebSocket, subprotocol: Subprotocol | None) -> None:
        """Have a conversation; whatever goes wrong, the client is told and the server stays up."""
        socket = StarletteSocket(websocket)
        try:
            try:
                await self._converse(websocket, socket, subprotocol)
            except Refusal as refusal:
                await self._refuse(socket, subprotocol, refusal)
            except Disconnected:
                pass
            except StorageError:
                logger.exception("link not looked up")
                await self._refuse(socket, subprotocol, _storage_trouble(self._settings))
            except Exception:
                logger.exception("connection failed")
                await self._refuse(socket, subprotocol, _internal_error())
        except Disconnected:
            pass

    async def _converse(
        self, websocket: WebSocket, socket: Socket, subprotocol: Subprotocol | None
    ) -> None:
        if subprotocol is None:
            raise PeerMistake(
                ErrorCode.NO_SUBPROTOCOL,
                "No WebSocket subprotocol of ours was offered",
                expected=" or ".join(Subprotocol),
                got="others" if websocket.scope["subprotocols"] else "none",
            )
        link = await self._admit(websocket)
        if self._lifecycle.connections > self._settings.max_connections:
            raise Overload(
                ErrorCode.OVERLOADED,
                "Too many connections are open",
                expected=f"at most {self._settings.max_connections}",
                got=str(self._lifecycle.connections),
                retry_after_ms=self._settings.retry_after_ms,
            )
        serving = self._lifecycle.serving()
        connection = Connection(
            socket,
            subprotocol,
            serving,
            self._settings,
            only_into=None if link is None else link.transcript,
        )
        async with serving.visits.stay(link, lambda why: connection.end(_link_ended(why))):
            refusal = await connection.run()
        if refusal is not None:
            self._telemetry.connection_refused(refusal.code)

    async def _admit(self, websocket: WebSocket) -> Link | None:
        """Let a client in by its token; return the link that it comes by, if it comes by one.

        Raises:
            Refusal: It may not come in.
        """
        headers, query = websocket.headers, websocket.query_params
        if self._gate.knows(headers, query):
            return None
        link = await self._access.link(headers, query)
        if link is None:
            raise PeerMistake(
                ErrorCode.UNAUTHORIZED,
                "The token is missing or wrong",
                expected="Authorization: Bearer TOKEN, or ?token=TOKEN",
                got="another token" if _presents_token(websocket) else "none",
            )
        if link.role is not Role.EDITOR:
            raise PeerMistake(
                ErrorCode.FORBIDDEN,
                "This link is not for speaking",
                expected="an editor's link, or the server's token",
                got=f"a {link.role.value}'s link",
            )
        return link

    async def _refuse(
        self, socket: Socket, subprotocol: Subprotocol | None, refusal: Refusal
    ) -> None:
        """Say why there is no session, but not for ever."""
        self._telemetry.connection_refused(refusal.code)
        try:
            async with asyncio.timeout(self._settings.close_timeout_ms / 1000):
                await say_goodbye(socket, subprotocol or Subprotocol.JSON, refusal)
        except TimeoutError:
            pass  # It does not read: the transport is closed when we return.


def _presents_token(websocket: WebSocket) -> bool:
    return "authorization" in websocket.headers or "token" in websocket.query_params


def _link_ended(why: str) -> PeerMistake:
    return PeerMistake(
        ErrorCode.UNAUTHORIZED,
        "The link that you came by does not let you in any more",
        expected="a link that is valid",
        got=why,
    )


def _storage_trouble(settings: Settings) -> Overload:
    return Overload(
        ErrorCode.OVERLOADED,
        "The token cannot be looked up now",
        expected="a storage that can be read",
        got="one that cannot",
        retry_after_ms=settings.retry_after_ms,
    )


def _internal_error() -> ServerFault:
    return ServerFault(
        ErrorCode.INTERNAL_ERROR,
        "The server failed",
        expected="to serve this connection",
        got="an internal error",
    )
