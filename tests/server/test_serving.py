"""The server as a process: start, mistakes at start, stop, and kill -9."""

import asyncio
import gc
import os
import random
import signal
import socket
from contextlib import suppress
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from server.app import build_app
from server.errors import StartError
from server.serving import WebServer, check_packages, listen, web_config
from server.settings import Settings
from tests.server.process import as_running, process, serving_process
from tests.server.talking import (
    DEADLINE_S,
    TOKEN,
    Message,
    final_words,
    journal,
    resume_of,
    running,
    samples,
    script,
    talk,
    talking,
)

pytestmark = pytest.mark.slow

WORDS = 16
LENGTH_S = 12.0


async def test_the_token_is_made_once_shown_once_and_never_logged(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text(talk(2))
    flags = ["--port", "0", "--data-dir", str(tmp_path / "data")]
    flags += ["--live-model", f"scripted:{tmp_path / 'script.json'}", "--log-level", "debug"]
    tokens = []
    for _ in range(2):
        async with process(*flags) as server:
            await server.ready()
            tokens.append(server.token)
            async with talking(as_running(tmp_path, server), token=server.token) as client:
                await client.start()
            server.process.send_signal(signal.SIGTERM)
            assert await server.ended() == 0
        lines = [line for line in server.text().splitlines() if server.token in line]
        assert all("http://" in line for line in lines)
        assert len(lines) == 2  # where it is ready, and how to stream

    assert tokens[0] == tokens[1]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_a_stop_tells_clients_to_come_back_and_is_clean(
    tmp_path: Path, how: signal.Signals
) -> None:
    async with serving_process(tmp_path, talk(4)) as server:
        async with talking(as_running(tmp_path, server)) as client:
            await client.start(language="en")
            await client.stream(samples(1.0))
            loop = asyncio.get_running_loop()
            began_s = loop.time()
            server.process.send_signal(how)

            code, error = await client.refused()
            assert (code, error["code"]) == (1012, "restart")
        assert await server.ended() == 0
        assert loop.time() - began_s < 5

    assert "Traceback" not in server.text()


UPGRADE = (
    b"GET /v1/transcripts/t1/sync HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.mark.parametrize("request_", [b"", UPGRADE], ids=["silent", "websocket"])
@pytest.mark.parametrize("turns", range(12))
async def test_who_connects_while_it_stops_is_let_go(
    tmp_path: Path, turns: int, request_: bytes
) -> None:
    """After so many turns of the event loop the connection is accepted, made, or neither yet."""
    settings = Settings(port=0, token=TOKEN, data_dir=tmp_path / "data")
    app = build_app(settings, TOKEN)

    with listen(settings) as listener, socket.socket() as late:

        async def goodbye() -> None:
            late.connect(listener.getsockname())
            late.sendall(request_)
            for _ in range(turns):
                await asyncio.sleep(0)

        web = WebServer(web_config(app, settings), goodbye)
        web.should_exit = True
        await web._serve([listener])
        await app.aclose()
        late.settimeout(DEADLINE_S)
        with suppress(ConnectionResetError):
            while late.recv(1_000):
                pass

    gc.collect()  # what was forgotten open is an error of this test now


async def alive(port: int) -> bool:
    """Return whether a server answers."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        await asyncio.sleep(0.01)
        return False
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return b" 200 " in answer


async def test_a_stop_need_not_wait_for_models_that_load(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "script.json")  # nobody ever writes into it
    model = f"scripted:{tmp_path / 'script.json'}"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    flags = ["--port", port, "--data-dir", str(tmp_path / "data"), "--live-model", model]
    async with process(*flags) as server, asyncio.timeout(60):
        while not await alive(int(port)):
            pass
        server.process.send_signal(signal.SIGTERM)

        assert await server.ended() == 0


async def killed_in_mid_stream(
    folder: Path, chance: random.Random
) -> tuple[Message, list[Message]]:
    """Stream until some word is final, then kill the server; return `ready` and the events."""
    async with (
        serving_process(folder, talk(WORDS)) as server,
        talking(as_running(folder, server)) as client,
    ):
        ready = await client.start(language="en")
        await client.stream(samples(3.0 + 8 * chance.random()))
        await client.until("final")
        for _ in range(chance.randrange(20)):
            await client.receive()
        server.process.kill()
        await client.closed()
        return ready, client.messages


@pytest.mark.parametrize("seed", range(3))
async def test_what_was_told_and_acknowledged_survives_kill_9(tmp_path: Path, seed: int) -> None:
    async with running(tmp_path / "uncut", talk(WORDS)) as server, talking(server) as client:
        whole = await client.start(language="en")
        await client.stream(samples(LENGTH_S))
        await client.send("end")
        await client.closed()
        truth = final_words(journal(server, whole))

    ready, messages = await killed_in_mid_stream(tmp_path, random.Random(seed))
    events = [message for message in messages if "seq" in message]
    acknowledged = max(int(str(m["samples"])) for m in messages if m["type"] == "ack")

    async with running(tmp_path, talk(WORDS)) as again, talking(again) as client:
        resumed = await client.start(resume=resume_of(ready, len(events)))
        at = resumed["next"]
        assert isinstance(at, int)
        assert at >= acknowledged
        await client.stream(samples(LENGTH_S)[2 * at :], at=at)
        await client.send("end")
        assert await client.closed() == 1000

    told = events + client.lasting()
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    assert final_words(journal(again, ready)) == truth
    folder = again.data_dir / "sessions" / str(ready["session"])
    assert (folder / "audio.pcm").read_bytes() == samples(LENGTH_S)


async def test_a_stop_loses_nothing_that_came_just_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.disk.GATHER_S", 3_600)
    silence = script(("late", 5.0, 5.5, "A"))  # nothing is told of it, which would be written
    said = samples(0.1)
    async with running(tmp_path, silence) as server, talking(server) as client:
        ready = await client.start(language="en")
        await client.stream(said)
        await client.send("ping", id=1)
        await client.until("pong")

    folder = server.data_dir / "sessions" / str(ready["session"])
    assert (folder / "audio.pcm").read_bytes() == said


async def failed_start(*flags: str, **variables: str) -> str:
    async with process("--port", "0", *flags, **variables) as server:
        assert await server.ended() == 1
    text = server.text()
    assert "Traceback" not in text
    return text


async def test_a_model_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    text = await failed_start("--data-dir", str(tmp_path), "--cache-dir", str(tmp_path / "c"))

    assert "trax: whisper-base" in text
    assert "trax models fetch" in text


async def test_a_script_that_is_none_stops_the_start(tmp_path: Path) -> None:
    text = await failed_start("--data-dir", str(tmp_path), "--live-model", "scripted:nothing")

    assert "trax: a script" in text


async def test_a_data_folder_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    text = await failed_start("--data-dir", str(tmp_path / "file" / "data"))

    assert "--data-dir: expected a folder that can be written" in text


async def test_two_servers_never_share_a_data_folder_or_a_port(tmp_path: Path) -> None:
    async with serving_process(tmp_path, talk(1)) as server:
        taken = await failed_start("--data-dir", str(tmp_path / "data"))
        async with process("--port", str(server.port), "--data-dir", str(tmp_path / "b")) as other:
            assert await other.ended() == 1

    assert "another server uses the data folder" in taken
    assert f"port {server.port} on 127.0.0.1 is taken" in other.text()


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(StartError, match=r"cannot listen on 192\.0\.2\.1"):
        listen(Settings(host="192.0.2.1", token=TOKEN))
    with pytest.raises(StartError, match="cannot listen on nowhere"):
        listen(Settings(host="nowhere.invalid", token=TOKEN))


def test_a_stranger_that_owns_our_package_names_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owners = {**packages_distributions(), "server": ["trax-server", "cool-server"]}
    monkeypatch.setattr("server.serving.packages_distributions", lambda: owners)

    with pytest.raises(StartError, match="'server' is also installed by cool-server"):
        check_packages()


def test_our_own_packages_are_no_strangers() -> None:
    check_packages()
