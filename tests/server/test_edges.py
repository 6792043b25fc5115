"""What a client can do wrong, over a real socket: it is told why, and the server stays up."""

import asyncio
import contextlib
import socket
import struct
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.server.talking import (
    JSON,
    TOKEN,
    Client,
    Running,
    running,
    samples,
    talk,
    talking,
)


async def still_serves(server: Running) -> None:
    async with talking(server) as client:
        assert (await client.start())["type"] == "ready"


@pytest.mark.parametrize("token", [None, "wrong", TOKEN + "x"])
async def test_a_wrong_or_missing_token_is_told_by_4401(tmp_path: Path, token: str | None) -> None:
    async with running(tmp_path, talk(1)) as server:
        async with talking(server, token=token) as client:
            code, error = await client.refused()

        assert (code, error["code"], error["retry"]) == (4401, "unauthorized", False)
        await still_serves(server)


async def test_the_token_may_stand_in_the_url(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        url = server.url(f"/v1/stream?token={TOKEN}")
        async with connect(url, subprotocols=[JSON], proxy=None) as ws:  # type: ignore[list-item]
            assert (await Client(ws, JSON).start())["type"] == "ready"


async def test_an_error_without_a_known_subprotocol_is_json(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        for offered in (None, ["trax.v9"]):
            async with connect(server.url(), subprotocols=offered, proxy=None) as ws:  # type: ignore[arg-type]
                code, error = await Client(ws, JSON).refused()

            assert (code, error["code"]) == (4400, "no_subprotocol")


async def test_web_pages_of_other_sites_are_turned_away(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), allowed_origins=("https://notes.example",)) as server:
        with pytest.raises(InvalidStatus) as caught:
            async with talking(server, origin="https://evil.example"):
                pass
        assert caught.value.response.status_code == 403

        for origin in ("https://notes.example", f"http://127.0.0.1:{server.port}"):
            async with talking(server, origin=origin) as client:
                assert (await client.start())["type"] == "ready"


@pytest.mark.parametrize(
    ("fields", "close", "code"),
    [
        ({"transcript": "talk-1"}, 4404, "unknown_transcript"),
        ({"encoding": "opus"}, 4415, "unsupported"),
        ({"sample_rate": 96_000}, 4415, "unsupported"),
        ({"lookahead_ms": 6000}, 4415, "unsupported"),
        ({"language": "de"}, 4415, "unsupported"),  # the script is English
        ({"sample_rate": "16000"}, 4400, "malformed"),
        ({"resume": {"session": "abcdefgh", "token": "x", "after": 0}}, 4410, "session_gone"),
        ({"resume": {"session": "../../etc", "token": "x", "after": 0}}, 4410, "session_gone"),
        ({"resume": {"session": "abcdefgh"}}, 4400, "malformed"),
    ],
)
async def test_a_start_that_cannot_be_granted_is_refused(
    tmp_path: Path, fields: dict[str, object], close: int, code: str
) -> None:
    async with running(tmp_path, talk(1)) as server:
        async with talking(server) as client:
            await client.send("start", **fields)
            assert await client.refused() == (close, client.messages[-1])
            assert client.messages[-1]["code"] == code

        await still_serves(server)


@pytest.mark.parametrize(
    ("frame", "close", "code"),
    [
        (b"\xc1\xff", 4400, "malformed"),
        ("{}", 4400, "malformed"),
        (b"\x81\xa4type\xa5start", 4400, "start_twice"),
        (b"\x83\xa4type\xa5audio\xa2at\x05\xa3pcm\xc4\x02ab", 4409, "sample_gap"),
        (b"\x83\xa4type\xa5audio\xa2at\x00\xa3pcm\xc4\x03abc", 4400, "malformed"),
        (b"\x83\xa4type\xa5audio\xa2at\x00\xa3pcm\xc5\x20\x00" + bytes(8192), 4413, "too_large"),
    ],
)
async def test_a_frame_that_cannot_be_taken_ends_the_connection(
    tmp_path: Path, frame: bytes | str, close: int, code: str
) -> None:
    async with running(tmp_path, talk(1), message_bytes=8192) as server:
        async with talking(server) as client:
            await client.start()
            await client.socket.send(frame)

            got, error = await client.refused()
            assert (got, error["code"]) == (close, code)

        await still_serves(server)


async def test_a_frame_beyond_all_measure_is_not_even_read(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), update_bytes=65_536) as server:
        async with talking(server) as client:
            await client.start()
            await client.socket.send(bytes(300_000))

            assert await client.closed() == 1009

        await still_serves(server)


async def test_audio_before_start_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, talking(server) as client:
        await client.send("audio", at=0, pcm=b"ab")

        assert (await client.refused())[1]["code"] == "audio_before_start"


async def test_audio_after_end_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, talking(server) as client:
        await client.start()
        await client.send("end")
        await client.send("audio", at=0, pcm=b"ab")

        # The session may be done before the mistake is read: both are right.
        assert await client.closed() in (4400, 1000)


async def test_a_sample_that_is_no_number_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, talking(server) as client:
        await client.start(encoding="pcm_f32le")
        await client.send("audio", at=0, pcm=np.array([0, np.nan], dtype="<f4").tobytes())

        code, error = await client.refused()
        assert (code, error["code"], error["got"]) == (4400, "malformed", "nan at sample 1")


async def test_audio_beyond_the_credit_is_refused(tmp_path: Path) -> None:
    async with (
        running(tmp_path, talk(1), message_bytes=4_000_000) as server,
        talking(server) as client,
    ):
        ready = await client.start()
        until = ready["until"]
        assert isinstance(until, int)
        await client.send("audio", at=0, pcm=bytes(2 * until + 2))

        code, error = await client.refused()
        assert (code, error["code"]) == (4429, "too_fast")


@pytest.mark.slow
async def test_a_session_beyond_its_longest_is_refused_and_finished(tmp_path: Path) -> None:
    async with running(tmp_path, talk(2), session_ms=1000) as server, talking(server) as client:
        await client.start(language="en")
        await client.stream(samples(1.0))
        await client.send("audio", at=16_000, pcm=b"ab")

        code, error = await client.refused()
        assert (code, error["code"]) == (4413, "too_large")


async def test_a_client_that_never_starts_is_sent_away(tmp_path: Path) -> None:
    async with (
        running(tmp_path, talk(1), start_timeout_ms=100) as server,
        talking(server) as client,
    ):
        await client.send("ping", id=1)

        code, error = await client.refused()
        assert (code, error["code"], error["retry"]) == (4408, "start_timeout", False)


async def test_a_client_that_falls_silent_is_sent_away_and_may_come_back(tmp_path: Path) -> None:
    async with (
        running(tmp_path, talk(1), idle_timeout_ms=100) as server,
        talking(server) as client,
    ):
        await client.start()

        code, error = await client.refused()
        assert (code, error["code"], error["retry"]) == (4408, "idle_timeout", True)


async def test_one_session_too_many_is_told_to_come_back_and_the_others_are_unharmed(
    tmp_path: Path,
) -> None:
    async with (
        running(tmp_path, talk(4), max_sessions=1, retry_after_ms=700) as server,
        talking(server) as first,
    ):
        ready = await first.start(language="en")
        async with talking(server) as second:
            await second.send("start")
            code, error = await second.refused()
        assert (code, error["code"], error["retry"]) == (1013, "overloaded", True)
        assert error["retry_after_ms"] == 700

        async with talking(server) as again:
            resume = {"session": ready["session"], "token": ready["token"], "after": 0}
            assert (await again.start(resume=resume))["resumed"] is True
            await again.stream(samples(3.0))
            await again.send("end")
            assert await again.closed() == 1000

        assert again.text() == " w0 w1 w2 w3"
        await still_serves(server)


async def test_connections_are_limited_too(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), max_connections=1) as server, talking(server) as first:
        await first.start()
        async with talking(server) as second:
            assert (await second.refused())[0] == 1013

        await first.send("ping", id=1)
        await first.until("pong")


async def test_whoever_comes_while_models_load_is_told_to_wait(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), load=False) as server, talking(server) as client:
        code, error = await client.refused()

    assert (code, error["code"], error["retry"]) == (1013, "overloaded", True)


async def test_clients_are_told_when_the_server_stops(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        async with talking(server) as client:
            await client.start()
            drained = asyncio.create_task(server.app.drain())

            code, error = await client.refused()
            await drained

            assert (code, error["code"], error["retry"]) == (1012, "restart", True)
        async with talking(server) as late:
            assert (await late.refused())[0] == 1012


def deaf_client(server: Running) -> socket.socket:
    """Return a raw WebSocket after its handshake; the test never reads from it."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.connect(("127.0.0.1", server.port))
    peer.sendall(
        (
            f"GET /v1/stream?token={TOKEN} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {JSON}\r\n\r\n"
        ).encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += peer.recv(1)
    return peer


def masked(frame: bytes, opcode: int) -> bytes:
    """Return a client's WebSocket frame, masked with zeros."""
    return struct.pack("!BBH", 0x80 | opcode, 0xFE, len(frame)) + bytes(4) + frame


async def measured(server: Running, metric: str) -> float:
    """Return a metric's present value, 0 when nothing was counted yet."""
    for line in (await server.get("/metrics"))[2].splitlines():
        if line.startswith(metric + " "):
            return float(line.split()[-1])
    return 0.0


@pytest.mark.slow
async def test_a_client_that_never_reads_is_cut_off_and_its_session_goes_on(
    tmp_path: Path,
) -> None:
    not_reading = 'trax_connections_refused_total{code="not_reading"}'
    async with running(tmp_path, talk(4000), unread_events=20, close_timeout_ms=200) as server:
        loop = asyncio.get_running_loop()
        with await loop.run_in_executor(None, deaf_client, server) as peer:
            peer.setblocking(False)
            await loop.sock_sendall(peer, masked(b'{"type":"start","language":"en"}', 1))
            async with asyncio.timeout(60):
                while await measured(server, not_reading) == 0:
                    if await measured(server, "trax_lag_seconds") < 20:
                        with contextlib.suppress(OSError):  # It was cut off meanwhile.
                            await loop.sock_sendall(peer, masked(samples(1.0), 2))

            assert await measured(server, "trax_sessions") == 1
            assert await measured(server, "trax_connections") == 0
        await still_serves(server)
