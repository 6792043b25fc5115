"""Clients of other servers: the same clock, the same pieces of audio, another protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedOK, WebSocketException

from loadtest.clients import PATIENCE_S, Client, Granted, Heard, Pace, Watch, patience, say
from loadtest.measured_server import OtherServer, listening_on
from loadtest.peers.deepgram import Deepgram
from loadtest.peers.messages import PeerFailed
from loadtest.peers.screen import Screen
from loadtest.peers.whisperlivekit import WhisperLiveKit
from loadtest.recordings import Recording

MOST_BYTES = 1 << 24
"""Of a message: peers send their whole text again and again."""


class Dialect(Protocol):
    """A protocol, as one connection speaks it; without a socket.

    Attributes:
        timed: Whether it says when words were said.
        ends_by_closing: Whether the server's closing the connection means that it is done.
    """

    timed: bool
    ends_by_closing: bool

    @property
    def farewell(self) -> str | bytes:
        """What ends the audio."""
        ...

    def address(self, url: str, language: str) -> str:
        """Return where to connect."""
        ...

    def hear(self, message: str | bytes, at_s: float, screen: Screen) -> bool:
        """Take a message; return whether it was the last."""
        ...


KINDS: Mapping[str, Callable[[], Dialect]] = MappingProxyType(
    {"whisperlivekit": WhisperLiveKit, "deepgram": Deepgram}
)


@dataclass(frozen=True, slots=True)
class Peer:
    """Another server, as somebody named it.

    Attributes:
        kind: Of `KINDS`.
        url: Where it listens.
    """

    kind: str
    url: str

    @classmethod
    def parse(cls, text: str) -> Peer:
        """Read `KIND=URL`.

        Raises:
            ValueError: It is none.
        """
        kind, _, url = text.partition("=")
        address = urlsplit(url)
        if kind not in KINDS or address.scheme not in ("ws", "wss") or not address.hostname:
            raise ValueError(text)
        _ = address.port  # A wrong one is told here.
        return cls(kind, url)

    def __str__(self) -> str:
        """Return its kind and where it is."""
        return f"{self.kind} at {urlsplit(self.url).netloc}"

    def client(self, language: str, token: str | None) -> Client:
        """Return a client of it that speaks a language."""

        async def listen(recording: Recording, _watch: Watch) -> Heard:
            return await _listen(self, recording, language, token)

        return listen

    def server(self) -> OtherServer | None:
        """Return its process, if it can be looked at from here."""
        return listening_on(self.url)


async def _listen(peer: Peer, recording: Recording, language: str, token: str | None) -> Heard:
    dialect, screen = KINDS[peer.kind](), Screen()
    clock = asyncio.get_running_loop().time
    try:
        async with connect(
            dialect.address(peer.url, language),
            additional_headers={"Authorization": f"Token {token}"} if token else None,
            compression=None,
            proxy=None,
            max_size=MOST_BYTES,
            # A peer that is too busy to answer is slow, not dead: `PATIENCE_S` is what ends it.
            ping_interval=None,
        ) as socket:
            began_s = clock()
            sending = asyncio.create_task(_send(recording.audio, socket, dialect, began_s))
            complete = False
            try:
                async with patience(began_s + recording.duration_s + PATIENCE_S):
                    await _receive(socket, dialect, screen, began_s, sending)
                    complete = True
            finally:
                sending.cancel()
                await asyncio.wait([sending])
            done_after_s = clock() - began_s - recording.duration_s
            late_s = done_after_s if sending.cancelled() else sending.result()
    except (OSError, WebSocketException) as error:
        raise PeerFailed(f"{peer.kind} at {peer.url}: {error}") from error
    words = screen.words
    return Heard(
        granted=Granted(peer.kind),
        words=words,
        standing=tuple(word.token for word in words),
        retracted=screen.retracted,
        corrections=0,
        timed=dialect.timed,
        complete=complete,
        lag_at_end_s=None,
        done_after_s=done_after_s,
        sent_late_s=late_s,
    )


async def _send(audio: bytes, socket: ClientConnection, dialect: Dialect, began_s: float) -> float:
    late_s = await say(audio, socket.send, Pace.REAL_TIME, began_s)
    await socket.send(dialect.farewell)
    return late_s


async def _receive(
    socket: ClientConnection,
    dialect: Dialect,
    screen: Screen,
    began_s: float,
    sending: asyncio.Task[float],
) -> None:
    """Take what comes until the peer is done."""
    clock = asyncio.get_running_loop().time
    try:
        while not dialect.hear(await socket.recv(), clock() - began_s, screen):
            pass
    except ConnectionClosedOK as error:
        if not (dialect.ends_by_closing and sending.done()):
            raise PeerFailed("the peer closed the connection before it was done") from error
