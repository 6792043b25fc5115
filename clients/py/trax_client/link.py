"""Carries one session over as many connections as it takes.

`Link` is the only part that knows sockets: it opens them, pumps messages between them and the
session's `Dialogue` and `Inbox`, and opens another when one is lost. Reading and writing are
tasks of their own, so that a caller who waits for credit never keeps the credit from being read.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import assert_never

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from trax_client.address import Address
from trax_client.backoff import Reconnect
from trax_client.dialogue import Dialogue
from trax_client.errors import (
    ConnectionLost,
    EventsMissed,
    ProtocolViolation,
    ServerUnreachable,
    SessionError,
    SessionGone,
    TraxError,
    session_error,
)
from trax_client.events import Ack, Done, Error, ServerMessage
from trax_client.inbox import Inbox
from trax_client.renewal import PATIENCE_S, Renewal
from trax_client.requests import ClientMessage, Ping
from trax_client.sockets import DONE, FINAL_CLOSE_CODES, GOING_AWAY, open_socket
from trax_client.wire import Subprotocol, decode, encode

MAX_MESSAGE_BYTES = 1 << 20
"""Largest frame taken from a server; a partial of a long utterance is about 20 kB."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Finished:
    """The server's session is done."""


@dataclass(frozen=True, slots=True)
class _Lost:
    """The connection is gone, the session is not; `cause` is what is known."""

    cause: Exception
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Failed:
    """The session cannot go on."""

    error: TraxError


_Outcome = _Finished | _Lost | _Failed


@dataclass(slots=True)
class _Trouble:
    """A stretch of time in which the session gets nowhere.

    A connection that opens and fails at once, again and again, is one trouble, not many.
    """

    since: float
    delays_s: Iterator[float]
    attempts: int = 0


class Link:
    """The connections of one session; owned by it, and used in its event loop only.

    Attributes:
        connected: Whether a connection stands now.
        reconnections: How many were lost and resumed.
    """

    def __init__(
        self,
        address: Address,
        dialogue: Dialogue,
        inbox: Inbox,
        reconnect: Reconnect,
        subprotocol: Subprotocol,
        renewal: Renewal | None,
    ) -> None:
        """Begin without a connection.

        Args:
            address: Of the server.
            dialogue: Of the session.
            inbox: Where its events go.
            reconnect: How a lost connection is resumed.
            subprotocol: How messages are written.
            renewal: How a session goes on that the server knows no more; `None`: not at all.
        """
        self.connected = False
        self.reconnections = 0
        self._address = address
        self._dialogue = dialogue
        self._inbox = inbox
        self._reconnect = reconnect
        self._subprotocol = subprotocol
        self._renewal = renewal
        self._socket: ClientConnection | None = None
        self._trouble: _Trouble | None = None
        self._to_send = asyncio.Event()
        self._credit = asyncio.Event()
        self._stopped = False

    async def open(self) -> None:
        """Make the first connection and wait until the session is ready: one attempt.

        Raises:
            ServerUnreachable: If there is no connection.
            SessionError: If the server refuses.
            ProtocolViolation: If it speaks another protocol.
        """
        self._socket = await self._connect()

    async def run(self) -> None:
        """Carry the session until it is done. To be run once, as a task, after `open`.

        However it ends, `stop` must follow.

        Raises:
            TraxError: If the session cannot go on.
        """
        assert self._socket is not None, "open() comes first"
        while True:
            outcome = await self._pump(self._socket)
            await self._socket.close()
            match outcome:
                case _Finished() if self._dialogue.done is not None:
                    return
                case _Finished():
                    self._socket = await self._follow()
                case _Failed(error):
                    raise error
                case _Lost():
                    self._socket = await self._resume(outcome)
                case _:
                    assert_never(outcome)

    def stop(self) -> None:
        """Let nobody wait any more for what will not come."""
        self._stopped = True
        self._inbox.close()
        self._credit.set()

    async def close(self) -> None:
        """Close the connection, if one stands; the server keeps an unfinished session a while."""
        if self._socket is None:
            return
        try:
            await self._socket.close(GOING_AWAY if self._dialogue.done is None else DONE)
        except asyncio.CancelledError:
            self._socket.transport.abort()
            raise

    def wake(self) -> None:
        """Look for something to send: the caller put it in the outbox."""
        self._to_send.set()

    async def wait_for_room(self) -> None:
        """Wait until all that was put in the outbox may be sent, or nothing will be any more."""
        while not (self._dialogue.outbox.has_room or self._stopped):
            self._credit.clear()
            await self._credit.wait()

    # One connection

    async def _connect(self) -> ClientConnection:
        """Open a connection and wait for its `ready`, in a new session if the old one is gone.

        Raises:
            ServerUnreachable: If it cannot be opened, or closes before `ready`.
            SessionError: If the server refuses, for good or for now.
            ProtocolViolation: If it speaks another protocol.
            EventsMissed: If the session is gone, and there is nothing left to go on with.
        """
        try:
            return await self._attempt()
        except SessionGone as error:
            if not await self._renews(error):
                raise
        return await self._attempt()

    async def _renews(self, gone: SessionGone) -> bool:
        """Return whether the session goes on in a new one, because the server knows it no more."""
        dialogue, info = self._dialogue, self._dialogue.info
        # If another connection took it over, that one has all of it.
        if info is None or gone.replaced:
            return False
        if self._renewal is not None and info.transcript is not None:
            stored_ms = await self._renewal.stored_ms(info.session, info.transcript)
            if dialogue.renew(stored_ms * dialogue.sample_rate // 1000):
                return True
        if dialogue.arrived:
            raise EventsMissed from gone
        return False

    async def _attempt(self) -> ClientConnection:
        """Open a connection and wait for its `ready`.

        Raises:
            ServerUnreachable: If it cannot be opened, or closes before `ready`.
            SessionError: If the server refuses, for good or for now.
            ProtocolViolation: If it speaks another protocol.
        """
        url = self._address.url
        try:
            async with asyncio.timeout(self._reconnect.handshake_s):
                socket = await open_socket(
                    self._address,
                    max_message_bytes=MAX_MESSAGE_BYTES,
                    subprotocols=[self._subprotocol],
                )
                try:
                    await self._greet(socket)
                except BaseException:
                    socket.transport.abort()
                    raise
        except TimeoutError as error:
            raise ServerUnreachable(url, "it does not answer") from error
        except (OSError, InvalidHandshake) as error:
            raise ServerUnreachable(url, str(error)) from error
        return socket

    async def _greet(self, socket: ClientConnection) -> None:
        """Exchange `start` and `ready`."""
        agreed = str(socket.subprotocol)
        if agreed != self._subprotocol:
            raise ProtocolViolation(self._subprotocol, agreed, field="subprotocol")
        # A server that refuses closes before we spoke; what it said is still to be read below.
        with suppress(ConnectionClosed):
            await self._send(socket, self._dialogue.opening(time.time_ns() // 1_000_000))
        while not self._dialogue.connected:
            try:
                frame = await socket.recv()
            except ConnectionClosed as closed:
                raise self._why_closed(closed) from closed
            self._take(frame)

    async def _pump(self, socket: ClientConnection) -> _Outcome:
        """Write and read until the connection ends."""
        opened_at = asyncio.get_running_loop().time()
        progress = self._dialogue.progress
        self.connected = True
        self._credit.set()  # `ready` may have brought some
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(self._write(socket))
                outcome = await self._read(socket)
                writing.cancel()
        finally:
            self.connected = False
        stood_s = asyncio.get_running_loop().time() - opened_at
        if self._dialogue.progress > progress or stood_s > self._reconnect.longest_s:
            self._trouble = None
        return outcome

    async def _write(self, socket: ClientConnection) -> None:
        """Send what there is to send, and a ping when there is nothing for long."""
        assert self._dialogue.info is not None, "`ready` came"
        quiet_s = max(1, self._dialogue.info.limits.idle_ms) / 3000
        pings = 0
        while True:
            message: ClientMessage | None = self._dialogue.next_message()
            if message is None:
                self._to_send.clear()
                try:
                    async with asyncio.timeout(quiet_s):
                        await self._to_send.wait()
                    continue
                except TimeoutError:
                    message = Ping(id=pings)
                    pings += 1
            try:
                await self._send(socket, message)
            except ConnectionClosed:
                return  # the reader, which always notices, says why

    async def _read(self, socket: ClientConnection) -> _Outcome:
        """Take messages in until the session or the connection is over."""
        while True:
            try:
                message = self._take(await socket.recv())
            except ConnectionClosed as closed:
                return _outcome(self._why_closed(closed))
            except TraxError as error:
                return _outcome(error)
            if isinstance(message, Done):
                return _Finished()

    async def _send(self, socket: ClientConnection, message: ClientMessage) -> None:
        await socket.send(encode(message, self._subprotocol))

    def _take(self, frame: bytes | str) -> ServerMessage | None:
        """Take one frame in and wake whoever it concerns; return what it says, if that is known.

        Raises:
            SessionError: If it is an `error`.
            ProtocolViolation: If the server may not say this.
        """
        message = decode(frame, self._subprotocol)
        if message is None:
            return None
        if isinstance(message, Error):
            raise session_error(message)
        event = self._dialogue.receive(message)
        if event is not None:
            self._inbox.put(event)
        elif isinstance(message, Ack):
            self._credit.set()
            self._to_send.set()
        return message

    def _why_closed(self, closed: ConnectionClosed) -> TraxError:
        """Return what a close without `error` means."""
        if closed.rcvd is not None and closed.rcvd.code in FINAL_CLOSE_CODES:
            code, reason = closed.rcvd.code, closed.rcvd.reason or "the server gave no reason"
            return session_error(Error(f"close {code}", reason, "", "", retry=False))
        return ServerUnreachable(self._address.url, f"connection closed: {closed}")

    # From one connection to the next

    async def _follow(self) -> ClientConnection:
        """Go on in a new session, at once after one that was full.

        Raises:
            ConnectionLost: If that went wrong, and did not succeed in time.
            TraxError: If the server refuses for good.
        """
        try:
            return await self._attempt()
        except TraxError as error:
            match _outcome(error):
                case _Lost() as lost:
                    return await self._resume(lost)
                case _:
                    raise

    async def _resume(self, lost: _Lost) -> ClientConnection:
        """Connect again, as often and as long as `Reconnect` says.

        Raises:
            ConnectionLost: If that was not enough.
            TraxError: If the server refuses for good.
        """
        loop = asyncio.get_running_loop()
        if self._trouble is None:
            self._trouble = _Trouble(loop.time(), self._reconnect.delays_s())
        trouble = self._trouble
        while True:
            _log.info("connection lost", extra={"reason": str(lost.cause)})
            delay_s = max(next(trouble.delays_s), lost.retry_after_s)
            if loop.time() + delay_s >= trouble.since + self._patience_s():
                unacknowledged_ms = self._dialogue.unacknowledged_ms
                raise ConnectionLost(trouble.attempts, unacknowledged_ms) from lost.cause
            await asyncio.sleep(delay_s)
            trouble.attempts += 1
            try:
                socket = await self._connect()
            except TraxError as error:
                match _outcome(error):
                    case _Lost() as lost:
                        continue
                    case _:
                        raise
            self.reconnections += 1
            return socket

    def _patience_s(self) -> float:
        assert self._dialogue.info is not None, "`ready` came"
        if self._reconnect.give_up_s is not None:
            return self._reconnect.give_up_s
        resume_s = self._dialogue.info.limits.resume_ms / 1000
        renews = self._renewal is not None and self._dialogue.info.transcript is not None
        return max(resume_s, PATIENCE_S) if renews else resume_s


def _outcome(error: TraxError) -> _Lost | _Failed:
    """Tell whether an error costs the connection or the session."""
    match error:
        case ServerUnreachable():
            return _Lost(error)
        case SessionError(retry=True):
            return _Lost(error, error.retry_after_s)
        case _:
            return _Failed(error)
