"""Requests that do not arrive end their connections, and hold up nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server import punctuality
from tests.server.api.asking import ask
from tests.server.talking import DEADLINE_S, TOKEN, Running, running, samples, talk, talking

LATE = b"HTTP/1.1 408 Request Timeout"
HEAD = (
    f"POST /v1/transcripts HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {TOKEN}\r\n"
    "Content-Type: application/json\r\n"
).encode()
GET = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(server: Running) -> AsyncIterator[Ends]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(punctuality, "HEAD_S", 0.1)
    monkeypatch.setattr(punctuality, "BODY_S", 0.1)
    async with running(tmp_path, talk(4)) as server:
        yield server


@pytest.mark.parametrize(
    "sent", [b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\n", HEAD + b"Content-Length: 9\r\n\r\n{"]
)
async def test_half_a_request_is_not_waited_for(server: Running, sent: bytes) -> None:
    async with connected(server) as (reader, writer):
        writer.write(sent)

        assert (await reader.read()).startswith(LATE)


async def test_who_was_answered_already_is_not_told_that_it_is_late(server: Running) -> None:
    async with connected(server) as (reader, writer):
        writer.write(b"POST /v1/transcripts HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n{")
        reply = await reader.read()

    assert reply.startswith(b"HTTP/1.1 401")
    assert LATE not in reply


async def test_a_head_that_trickles_in_is_late_all_the_same(server: Running) -> None:
    async with connected(server) as (reader, writer):
        reading = asyncio.create_task(reader.read())
        for byte in HEAD:
            if reading.done():
                break
            writer.write(bytes([byte]))
            await asyncio.wait({reading}, timeout=0.01)

        assert (await reading).startswith(LATE)


async def test_a_later_request_on_a_connection_is_waited_for_too(server: Running) -> None:
    async with connected(server) as (reader, writer):
        writer.write(GET)
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(GET[:-1])
        rest = await reader.read()

    assert head.startswith(b"HTTP/1.1 200")
    assert LATE in rest


async def test_who_is_punctual_is_served_as_long_as_it_likes(server: Running) -> None:
    async with talking(server) as client:
        await client.start(language="en")
        await asyncio.sleep(0.15)
        await client.stream(samples(2.5))
        await client.send("end")

        assert await client.closed() == 1000
    made = await ask(server, "POST", "/v1/transcripts", {"title": "Plans"})
    assert made.status == 201
