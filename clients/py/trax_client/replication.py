"""Keeps a replica and the server's document the same, over as many connections as it takes.

A connection begins with both sides asking for what they lack; then each tells the other what
changes. Updates are not acknowledged. But the server answers in order, and only when what it was
told before is stored: so a further question is put after what was written, and the answer to it
confirms that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import assert_never

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from trax_client import frames
from trax_client.address import Address
from trax_client.backoff import Reconnect
from trax_client.errors import (
    Forbidden,
    ServerUnreachable,
    SessionError,
    TraxError,
    session_error,
)
from trax_client.events import Error
from trax_client.replica import Replica
from trax_client.sockets import FINAL_CLOSE_CODES, open_socket

MAX_MESSAGE_BYTES = 1 << 28
"""Largest frame taken from a server: a whole document, which it bounds itself."""

CONFIRM_S = 1.0
"""Between questions whether all has arrived, while nobody waits for the answer."""

RENEW_S = 15.0
"""Between renewals of what is shown; others forget after 30 s (y-protocols, awareness.js)."""

REPLACED = 4412

_CODES = {
    1009: "too_large",
    1011: "internal_error",
    1012: "restart",
    1013: "overloaded",
    4400: "malformed",
    4401: "unauthorized",
    4403: "forbidden",
    4404: "unknown_transcript",
    4413: "too_large",
    4415: "unsupported",
    4429: "too_fast",
}

_log = logging.getLogger(__name__)


class Replication:
    """The connections of one open transcript; owned by it, used in its event loop only.

    Attributes:
        replica: As it is now: another one takes its place where `Replica.succeed` says why.
        connected: Whether a connection stands, and both sides have what the other had.
        reconnections: How many were lost and made again.
        denied: Why nothing may be written, once the server has said so.
    """

    def __init__(self, address: Address, replica: Replica, reconnect: Reconnect) -> None:
        self.replica = replica
        self.connected = False
        self.reconnections = 0
        self.denied: Forbidden | None = None
        self._address = address
        self._reconnect = reconnect
        self._socket: ClientConnection | None = None
        self._replaced = False
        self._presence_due = True
        self._questions: list[int] = []
        self._impatient = 0
        self._to_send = asyncio.Event()
        self._news = asyncio.Event()
        self._stopped = False

    async def open(self) -> None:
        """Make the first connection and wait until the document is here: one attempt.

        Raises:
            ServerUnreachable: There is no connection.
            SessionError: The server refuses.
            ProtocolViolation: It speaks another protocol.
        """
        self._socket = await self._connect()

    async def run(self) -> None:
        """Replicate until it cannot go on. To be run once, as a task, after `open`.

        However it ends, `stop` must follow.

        Raises:
            TraxError: Why it cannot go on.
        """
        assert self._socket is not None, "open() comes first"
        delays_s = self._reconnect.delays_s()
        while True:
            opened_s = _now_s()
            cause = await self._pump(self._socket)
            await self._socket.close()
            if _now_s() - opened_s > self._reconnect.longest_s:
                delays_s = self._reconnect.delays_s()
            self._socket = await self._connect_again(cause, delays_s)

    def stop(self) -> None:
        """Let nobody wait any more for what will not come."""
        self._stopped = True
        self._news.set()

    async def close(self) -> None:
        """Close the connection, if one stands."""
        if self._socket is not None:
            await self._socket.close()

    def wake(self) -> None:
        """Look for something to send: the caller changed the replica."""
        self._to_send.set()

    def show(self) -> None:
        """Tell others what the replica shows now."""
        self._presence_due = True
        self._to_send.set()

    @property
    def unconfirmed(self) -> int:
        """How many changes the server may not have."""
        return self.replica.written - self.replica.confirmed

    async def confirmed(self, number: int) -> bool:
        """Wait until the server has so many changes; return whether it does.

        It does not if it has denied them, nor if all was stopped.
        """
        self._impatient += 1
        self._to_send.set()
        try:
            while not (self.replica.confirmed >= number or self.denied or self._stopped):
                self._news.clear()
                await self._news.wait()
        finally:
            self._impatient -= 1
        return self.replica.confirmed >= number and self.denied is None

    # One connection

    async def _connect(self) -> ClientConnection:
        """Open a connection and wait until both sides have what the other had."""
        url = self._address.url
        try:
            async with asyncio.timeout(self._reconnect.handshake_s):
                socket = await open_socket(self._address, max_message_bytes=MAX_MESSAGE_BYTES)
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
        self._questions.clear()
        self._presence_due = True
        try:
            # A successor first has to know what the server has of its predecessor.
            if not self._replaced:
                await self._send(socket, frames.SyncStep1(self.replica.state_vector()))
            while not await self._take(socket, await socket.recv()):
                pass
        except ConnectionClosed as closed:
            raise self._why_closed(closed) from closed

    async def _pump(self, socket: ClientConnection) -> TraxError:
        """Write and read until the connection ends; return why it did."""
        self.connected = True
        self._news.set()
        writing = asyncio.create_task(self._write(socket))
        try:
            while True:
                await self._take(socket, await socket.recv())
        except ConnectionClosed as closed:
            return self._why_closed(closed)
        except TraxError as error:
            return error
        finally:
            self.connected = False
            self.replica.forget_others()
            writing.cancel()
            await asyncio.wait([writing])

    async def _write(self, socket: ClientConnection) -> None:
        """Send what was changed, and what is due from time to time."""
        renewed_s = asked_s = _now_s()
        try:
            while True:
                for update in self.replica.unsent():
                    await self._send(socket, frames.Update(update))
                if self._presence_due or _now_s() - renewed_s >= RENEW_S:
                    renewed_s, self._presence_due = _now_s(), False
                    await self._send_presence(socket)
                if self._must_ask(_now_s() - asked_s):
                    asked_s = _now_s()
                    # Not what was written: something may have been, while this was being sent.
                    self._questions.append(self.replica.sent)
                    await self._send(socket, frames.SyncStep1(self.replica.state_vector()))
                await self._wait_to_send(renewed_s + RENEW_S, asked_s + CONFIRM_S)
        except ConnectionClosed:
            return  # the reader, which always notices, says why

    async def _wait_to_send(self, renew_at_s: float, ask_at_s: float) -> None:
        unconfirmed = self.unconfirmed > 0 and not self._questions
        at_s = min(renew_at_s, ask_at_s) if unconfirmed else renew_at_s
        try:
            async with asyncio.timeout(max(0.0, at_s - _now_s())):
                await self._to_send.wait()
        except TimeoutError:
            return
        self._to_send.clear()

    def _must_ask(self, since_s: float) -> bool:
        """Return whether it is time to ask whether all has arrived; one question at a time."""
        if self._questions or self.unconfirmed == 0:
            return False
        return self._impatient > 0 or since_s >= CONFIRM_S

    async def _send_presence(self, socket: ClientConnection) -> None:
        update = self.replica.renewed()
        if update is not None:
            await self._send(socket, frames.Awareness(update))

    async def _take(self, socket: ClientConnection, frame: bytes | str) -> bool:
        """Take one frame in; return whether it was the answer to the first question.

        Raises:
            ProtocolViolation: The server may not say this.
        """
        match frames.decode(frame):
            case frames.SyncStep1(state_vector=state_vector):
                await self._answer(socket, state_vector)
            case frames.SyncStep2(update=update):
                self.replica.receive(update)
                if self._questions:
                    self.replica.confirm(self._questions.pop(0))
                    self._news.set()
                    self._to_send.set()
                return True
            case frames.Update(update=update):
                self.replica.receive(update)
            case frames.Awareness(update=update):
                if self.replica.receive_presence(update):
                    self.show()
            case frames.PermissionDenied(reason=reason):
                await self._deny(socket, reason)
            case None:
                pass
            case _ as unreachable:
                assert_never(unreachable)
        return False

    async def _answer(self, socket: ClientConnection, state_vector: bytes) -> None:
        if self._replaced:
            self._replaced = False
            self.replica = self.replica.succeed(self.replica.clock_in(state_vector))
            await self._send(socket, frames.SyncStep1(self.replica.state_vector()))
        await self._send(socket, frames.SyncStep2(self.replica.update_since(state_vector)))

    async def _deny(self, socket: ClientConnection, reason: str) -> None:
        """Take back what the server did not take: what stands here shall stand there."""
        told = Error("forbidden", reason, "a token that writes", "one that reads", retry=False)
        self.denied = Forbidden(told)
        former, self.replica = self.replica, self.replica.succeed(None)
        self._questions.clear()
        self._news.set()
        vanished = former.vanish()
        if vanished is not None:
            await self._send(socket, frames.Awareness(vanished))
        self.show()

    async def _send(self, socket: ClientConnection, frame: frames.Frame) -> None:
        await socket.send(frames.encode(frame))

    def _why_closed(self, closed: ConnectionClosed) -> TraxError:
        code = None if closed.rcvd is None else closed.rcvd.code
        if code == REPLACED:
            self._replaced = True
        elif closed.rcvd is not None and (code in _CODES or code in FINAL_CLOSE_CODES):
            reason = closed.rcvd.reason or "the server gave no reason"
            name = _CODES.get(closed.rcvd.code, f"close {code}")
            retry = code not in FINAL_CLOSE_CODES
            told = Error(name, reason, "an open transcript", f"close {code}", retry=retry)
            return session_error(told)
        return ServerUnreachable(self._address.url, f"connection closed: {closed}")

    # From one connection to the next

    async def _connect_again(self, cause: TraxError, delays_s: Iterator[float]) -> ClientConnection:
        """Connect again, as often and as long as `Reconnect` says.

        Raises:
            TraxError: Why it cannot be done, or the last try failed.
        """
        since_s, patience_s = _now_s(), self._reconnect.give_up_s
        while True:
            _log.info("connection lost", extra={"reason": str(cause)})
            delay_s = next(delays_s)
            late = patience_s is not None and _now_s() + delay_s >= since_s + patience_s
            if late or not _passes(cause):
                raise cause
            await asyncio.sleep(delay_s)
            try:
                socket = await self._connect()
            except TraxError as error:
                cause = error
            else:
                self.reconnections += 1
                return socket


def _passes(cause: TraxError) -> bool:
    """Return whether to come again after an error."""
    match cause:
        case ServerUnreachable() | SessionError(retry=True):
            return True
        case _:
            return False


def _now_s() -> float:
    return asyncio.get_running_loop().time()
