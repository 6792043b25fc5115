"""The WebSocket endpoint `/v1/transcripts/{id}/sync`: the Yjs protocol, for any Yjs client.

Browsers see neither the HTTP status nor the body of a refused handshake. Except for web pages that
may not be here at all, the handshake is therefore accepted, and closed with a code and a reason.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from server.access import Access, Grant
from server.auth import Gate
from server.codes import CloseCode
from server.connection import Disconnected, Socket
from server.errors import Refusal, RoomClosed, UnsupportedSchema
from server.lifecycle import Lifecycle
from server.mailbox import Dismissal, Mailbox
from server.member import Member
from server.room import Room
from server.rooms import RESTART
from server.settings import Settings
from server.sockets import StarletteSocket
from server.storage.errors import StorageError, UnknownTranscript

logger = logging.getLogger(__name__)

NO_TOKEN = Dismissal(CloseCode.UNAUTHORIZED, "the token is missing, wrong, or for something else")
UNKNOWN = Dismissal(CloseCode.UNKNOWN_TRANSCRIPT, "there is no such transcript")
FULL = Dismissal(CloseCode.OVERLOADED, "too many connections are open: come again later")
UNUSABLE = Dismissal(CloseCode.OVERLOADED, "the storage cannot be used now: come again")
FAILED = Dismissal(CloseCode.INTERNAL_ERROR, "the server failed")


class SyncEndpoint:
    """An ASGI application for one path; one for the whole server."""

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        access: Access,
        lifecycle: Lifecycle,
    ) -> None:
        self._settings = settings
        self._gate = gate
        self._access = access
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket."""
        websocket = WebSocket(scope, receive, send)
        if not self._gate.welcomes(websocket.headers):
            await websocket.close()  # before `accept`: HTTP 403
            return
        try:
            await websocket.accept()
        except OSError:
            return
        socket = StarletteSocket(websocket)
        with self._lifecycle.connected():
            dismissal = await self._serve(websocket, socket)
            if dismissal is not None:
                await self._close(socket, dismissal)

    async def _serve(self, websocket: WebSocket, socket: Socket) -> Dismissal | None:
        """Serve until the connection ends; return why, if it was not its client that left."""
        transcript = str(websocket.path_params["transcript"])
        try:
            grant = await self._access.grant(transcript, websocket.headers, websocket.query_params)
            if grant is None:
                return NO_TOKEN
            if self._lifecycle.connections > self._settings.max_connections:
                return FULL
            async with self._lifecycle.serving().rooms.enter(transcript) as room:
                return await self._visit(room, grant, socket)
        except Refusal as refusal:
            return Dismissal(refusal.code.close_code, refusal.message)
        except UnknownTranscript:
            return UNKNOWN
        except RoomClosed:
            return RESTART
        except UnsupportedSchema as error:
            return Dismissal(CloseCode.UNSUPPORTED, str(error))
        except StorageError:
            logger.exception("transcript cannot be opened", extra={"transcript": transcript})
            return UNUSABLE
        except Exception:
            logger.exception("connection failed", extra={"transcript": transcript})
            return FAILED

    async def _visit(self, room: Room, grant: Grant, socket: Socket) -> Dismissal | None:
        """Be a member of a room until the connection, or the link that it came by, ends."""
        mailbox = Mailbox(self._settings.unread_bytes)

        def send_away(reason: str) -> None:
            mailbox.dismiss(Dismissal(CloseCode.UNAUTHORIZED, reason))

        async with self._lifecycle.serving().visits.stay(grant.link, send_away):
            member = room.join(mailbox, writes=grant.role.writes)
            try:
                await self._talk(room, member, socket)
            finally:
                room.leave(member)
            return mailbox.dismissal

    async def _talk(self, room: Room, member: Member, socket: Socket) -> None:
        """Pass frames on in both directions until one of them ends."""
        largest = self._settings.update_bytes

        async def listen() -> None:
            while member.mailbox.dismissal is None:
                frame = await socket.receive()
                if len(frame) > largest:
                    reason = f"at most {largest} bytes expected, got {len(frame)}"
                    member.mailbox.dismiss(Dismissal(CloseCode.TOO_LARGE, reason))
                else:
                    await room.receive(member, frame)
                    # Frames may be there already, and be taken without waiting: others shall have
                    # their turn in between.
                    await asyncio.sleep(room.pause_s(member))

        async def tell() -> None:
            while (frame := await member.mailbox.take()) is not None:
                await socket.send(frame)

        tasks = [asyncio.create_task(listen()), asyncio.create_task(tell())]
        dismissed = asyncio.create_task(member.mailbox.dismissed())
        try:
            await asyncio.wait([*tasks, dismissed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, dismissed):
                task.cancel()
            outcomes = await asyncio.gather(*tasks, dismissed, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception) and not isinstance(outcome, Disconnected):
                raise outcome

    async def _close(self, socket: Socket, dismissal: Dismissal) -> None:
        """Say why, but not for ever: who does not read is cut off when we return."""
        try:
            async with asyncio.timeout(self._settings.close_timeout_ms / 1000):
                await socket.close(dismissal.code, dismissal.reason)
        except (TimeoutError, Disconnected):
            pass
