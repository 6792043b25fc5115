"""A real server on a free port with scripted engines, and a client that speaks the bare protocol.

Nothing here knows `trax_client`: the server is held to the specification by other code.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgpack
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from offline.child import Hire
from server.app import Application, LoadEngines, build_app
from server.serving import WebServer, listen, web_config
from server.settings import Settings
from streaming.engines.loading import load as load_scripted

TOKEN = "a-token-for-tests-only"
DEADLINE_S = 60.0
MSGPACK, JSON = "trax.v1.msgpack", "trax.v1.json"

Message = dict[str, object]


def script(*words: tuple[str, float, float, str]) -> str:
    """Return a script for scripted engines: word, start and end in seconds, speaker."""
    rows = [{"word": w, "start": a, "end": b, "speaker": s} for w, a, b, s in words]
    return json.dumps(rows)


def talk(count: int, *, speakers: int = 2) -> str:
    """Return a script of `count` words: two a second, a pause after every fifth."""
    return script(
        *(
            (f"w{n}", 0.5 * n + n // 5, 0.5 * n + n // 5 + 0.4, f"S{n // 5 % speakers + 1}")
            for n in range(count)
        )
    )


def samples(seconds: float, rate: int = 16_000) -> bytes:
    """Return audio: a tone, since scripted engines do not listen."""
    t = np.arange(int(seconds * rate))
    return (np.sin(t * 2 * np.pi * 220 / rate) * 8000).astype("<i2").tobytes()


@dataclass
class Running:
    """A server that runs in this test's event loop."""

    app: Application
    port: int
    data_dir: Path
    settings: Settings

    def url(self, path: str = "/v1/stream") -> str:
        return f"ws://127.0.0.1:{self.port}{path}"

    async def get(self, path: str) -> tuple[int, dict[str, str], str]:
        """Return status, headers and body of a GET request."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        status, *lines = head.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return int(status.split()[1]), headers, body


def prepared(folder: Path, words: str, **settings: object) -> Settings:
    """Write a script, and return settings of a server that plays it."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "script.json").write_text(words)
    if "passes" not in settings:  # else each session costs a process that hears it again
        settings["passes"] = folder / "passes.toml"
        (folder / "passes.toml").write_text('[[stage]]\nname = "utterance"\nwhen = "utterance"\n')
    return Settings(
        port=0,
        token=TOKEN,
        data_dir=folder / "data",
        live_model=f"scripted:{folder / 'script.json'}",
        **settings,  # type: ignore[arg-type]  # each test knows its own
    )


@asynccontextmanager
async def running(
    folder: Path,
    words: str,
    *,
    load: bool = True,
    load_engines: LoadEngines = load_scripted,
    hire: Hire | None = None,
    **settings: object,
) -> AsyncIterator[Running]:
    """Run a server over `folder`; stopped as by a signal at the end.

    Args:
        folder: Holds script and data; a second server over it finds the sessions of the first.
        words: A script (see `script`).
        load: Whether to load the engines at once.
        load_engines: Engines of the test's own.
        hire: What the children of workers do.
        settings: Fields of `Settings`.
    """
    chosen = prepared(folder, words, **settings)
    app = build_app(chosen, TOKEN, load_engines, hire)
    with listen(chosen) as listener:
        web = WebServer(web_config(app, chosen), app.drain)
        serving = asyncio.create_task(web._serve([listener]))
        try:
            if load:
                await app.load()
            yield Running(app, listener.getsockname()[1], chosen.data_dir, chosen)
        finally:
            web.should_exit = True
            async with asyncio.timeout(DEADLINE_S):
                await serving
                await app.aclose()


@dataclass
class Client:
    """One WebSocket, and what came over it."""

    socket: ClientConnection
    subprotocol: str
    messages: list[Message] = field(default_factory=list)

    async def send(self, kind: str, **fields: object) -> None:
        message = {"type": kind, **fields}
        if self.subprotocol == MSGPACK:
            await self.socket.send(msgpack.packb(message))
        else:
            await self.socket.send(json.dumps(message))

    async def receive(self) -> Message:
        """Return the next message; raises `ConnectionClosed` after the last."""
        async with asyncio.timeout(DEADLINE_S):
            frame = await self.socket.recv()
        message = msgpack.unpackb(frame) if isinstance(frame, bytes) else json.loads(frame)
        assert isinstance(message, dict)
        self.messages.append(message)
        return message

    async def until(self, *kinds: str) -> Message:
        """Return the first message of one of these types."""
        while True:
            message = await self.receive()
            if message["type"] in kinds:
                return message

    async def until_that(self, holds: Callable[[Message], bool]) -> Message:
        """Return the first message for which this holds."""
        while True:
            message = await self.receive()
            if holds(message):
                return message

    async def closed(self) -> int:
        """Read to the end; return the close code."""
        try:
            while True:
                await self.receive()
        except ConnectionClosed as closed:
            return -1 if closed.rcvd is None else closed.rcvd.code

    async def refused(self) -> tuple[int, Message]:
        """Read to the end; return the close code and the error before it."""
        code = await self.closed()
        error = self.messages[-1]
        assert error["type"] == "error", self.messages
        assert error["expected"]
        assert error["got"]
        return code, error

    async def start(self, **fields: object) -> Message:
        await self.send("start", **fields)
        return await self.until("ready", "error")

    async def stream(self, pcm: bytes, *, at: int = 0, piece: int = 3200, width: int = 2) -> None:
        """Send audio as fast as credit allows."""
        until = await self.credit()
        for first in range(0, len(pcm), piece):
            chunk = pcm[first : first + piece]
            begin = at + first // width
            while begin + len(chunk) // width > until:
                await self.until("ack")
                until = await self.credit()
            if self.subprotocol == MSGPACK:
                await self.send("audio", at=begin, pcm=chunk)
            else:
                await self.socket.send(chunk)

    async def credit(self) -> int:
        granted = [m["until"] for m in self.messages if m["type"] in ("ready", "ack")]
        assert isinstance(granted[-1], int)
        return granted[-1]

    def lasting(self) -> list[Message]:
        """Return the events that came, without repeats of types that do not last."""
        return [m for m in self.messages if "seq" in m]

    def text(self) -> str:
        """Return the words that became final."""
        return "".join(_words(m) for m in self.messages if m["type"] == "final")


def _words(message: Message) -> str:
    words = message["words"]
    assert isinstance(words, list)
    return "".join(word["text"] for word in words)


@asynccontextmanager
async def talking(
    server: Running,
    *,
    subprotocol: str = MSGPACK,
    token: str | None = TOKEN,
    **options: object,
) -> AsyncIterator[Client]:
    """Connect to a server."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with connect(
        server.url(),
        subprotocols=[subprotocol],  # type: ignore[list-item]  # a NewType of the library
        additional_headers=headers,
        max_size=None,
        proxy=None,
        **options,  # type: ignore[arg-type]  # each test knows its own
    ) as socket:
        yield Client(socket, subprotocol)


def resume_of(ready: Message, after: int = 0) -> Message:
    """Return the `resume` field for a session."""
    return {"session": ready["session"], "token": ready["token"], "after": after}


def journal(server: Running, ready: Message) -> list[Message]:
    """Return the events on disk."""
    path = server.data_dir / "sessions" / str(ready["session"]) / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def final_words(entries: Iterable[Message]) -> list[object]:
    """Return the final words of a journal, each with its text and times."""
    return [
        word[:3] for entry in entries if entry["type"] == "final" for word in _list(entry["words"])
    ]


def _list(value: object) -> list[list[object]]:
    assert isinstance(value, list)
    return value
