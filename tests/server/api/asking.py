"""A client of the HTTP API that knows nothing but HTTP, and a conversation to ask about."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from tests.server.talking import DEADLINE_S, TOKEN, Running, samples, talking


@dataclass(frozen=True)
class Reply:
    """What came back; names of headers are in small letters."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - each test knows what it looks into
        """The body; any JSON."""
        return json.loads(self.content)

    @property
    def code(self) -> str:
        """The code of a refusal, which says what was expected and what came."""
        error = self.json["error"]
        assert set(error) == {"code", "message", "expected", "got"}
        assert all(error.values())
        return str(error["code"])


async def ask(
    server: Running,
    method: str,
    path: str,
    body: object = None,
    *,
    token: str | None = TOKEN,
    **headers: str,
) -> Reply:
    """Send a request and return the reply.

    Args:
        server: Where to.
        method: Of HTTP.
        path: With the query.
        body: Sent as JSON; bytes are sent as they are.
        token: For `Authorization`; none is sent for `None`.
        headers: More headers, with `_` for `-`; they win over those above.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {} if body is None else {"content-type": "application/json"}
    if token is not None:
        sent["authorization"] = f"Bearer {token}"
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}

    def exchange() -> Reply:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, None if body is None else content, sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())
        finally:
            connection.close()

    return await asyncio.to_thread(exchange)


async def made(server: Running, **fields: object) -> str:
    """Make an empty transcript; return its path."""
    reply = await ask(server, "POST", "/v1/transcripts", fields)
    assert reply.status == 201, reply.content
    return reply.headers["location"]


async def spoken(server: Running, seconds: float, **start: object) -> str:
    """Speak into a transcript, a new one unless told otherwise; return its path."""
    async with talking(server) as client:
        ready = await client.start(language="en", **{"transcript": "new", **start})
        await client.stream(samples(seconds))
        await client.send("end")
        assert await client.closed() == 1000
    return f"/v1/transcripts/{ready['transcript']}"


async def linked(server: Running, path: str, role: str) -> str:
    """Make a link into a transcript; return its token."""
    reply = await ask(server, "POST", f"{path}/links", {"role": role})
    assert reply.status == 201, reply.content
    return str(reply.json["token"])


async def ask_until(server: Running, path: str, holds: Callable[[Reply], bool]) -> Reply:
    """Get something again and again until it is as expected: what editors send takes a moment."""
    async with asyncio.timeout(DEADLINE_S):
        reply = await ask(server, "GET", path)
        while not holds(reply):
            reply = await ask(server, "GET", path)
    return reply


async def pages(server: Running, path: str) -> list[Any]:
    """Return every page of something, from this one on."""
    found: list[Any] = []
    following: str | None = path
    while following is not None:
        found.append((await ask(server, "GET", following)).json)
        following = found[-1]["next"]
    return found
