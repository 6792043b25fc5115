"""The shared document over real WebSockets: words arrive, people edit, nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.server.editing import TRANSCRIPT, editing, open_transcript
from tests.server.talking import Message, Running, running, samples, talk, talking


async def spoken(server: Running, seconds: float, **start: object) -> str:
    """Speak into a new transcript until the end; return its id."""
    async with talking(server) as client:
        ready = await client.start(language="en", **{"transcript": "new", **start})
        await client.stream(samples(seconds))
        await client.send("end")
        assert await client.closed() == 1000
    return str(ready["transcript"])


@pytest.mark.slow
async def test_what_is_said_stands_in_the_document(tmp_path: Path) -> None:
    async with running(tmp_path, talk(12)) as server:
        transcript = await spoken(server, 9.0)

        async with editing(server, transcript) as editor:
            assert str(editor.text).split() == [f"w{n}" for n in range(12)]
            assert set(editor.map("turns").values()) == {"s1", "s2"}


@pytest.mark.slow
async def test_words_arrive_while_they_are_spoken(tmp_path: Path) -> None:
    async with running(tmp_path, talk(12)) as server, talking(server) as client:
        ready = await client.start(language="en", transcript="new")
        async with editing(server, str(ready["transcript"])) as editor:
            await client.stream(samples(4.0))
            await editor.until_says("w0", "w3")
            editor.text.insert(1, "NOTE ")
            await editor.flush()
            await client.stream(samples(5.0), at=64_000)
            await client.send("end")
            await client.closed()
            await editor.until_says("w11")

            assert "NOTE w0" in str(editor.text)


@pytest.mark.slow
async def test_two_editors_see_each_other(tmp_path: Path) -> None:
    async with running(tmp_path, talk(4)) as server:
        transcript = await spoken(server, 4.0)
        async with editing(server, transcript) as ada, editing(server, transcript) as bob:
            await ada.present(name="Ada")
            await bob.until(lambda: {"name": "Ada"} in bob.others().values())

            ada.text.insert(1, "hello ")
            await ada.flush()
            await bob.until_says("hello w0")

    async with running(tmp_path, talk(4)) as server, editing(server, transcript) as late:
        assert "hello w0 w1" in str(late.text)


class Vanishing:
    """A WebSocket, as a web server hands it over, whose client vanishes at some message to it."""

    def __init__(self, at: str, *, stuck: bool = False) -> None:
        self.sent: list[str] = []
        self._at = at
        self._stuck = stuck

    async def receive(self) -> Message:
        return {"type": "websocket.connect"}

    async def send(self, message: Message) -> None:
        self.sent.append(str(message["type"]))
        if message["type"] == self._at:
            if self._stuck:
                await asyncio.Event().wait()
            raise ConnectionResetError

    def scope(self, transcript: str) -> Message:
        return {
            "type": "websocket",
            "path": f"/v1/transcripts/{transcript}/sync",
            "query_string": b"token=wrong",
            "headers": [],
            "subprotocols": [],
        }


@pytest.mark.parametrize(
    ("socket", "sent"),
    [
        (Vanishing("websocket.accept"), ["websocket.accept"]),
        (Vanishing("websocket.close"), ["websocket.accept", "websocket.close"]),
        (Vanishing("websocket.close", stuck=True), ["websocket.accept", "websocket.close"]),
    ],
    ids=["before", "gone", "stuck"],
)
async def test_who_vanishes_does_no_harm(
    tmp_path: Path, socket: Vanishing, sent: list[str]
) -> None:
    async with running(tmp_path, talk(1), close_timeout_ms=20) as server:
        await server.app.asgi(socket.scope("unknown"), socket.receive, socket.send)  # type: ignore[arg-type]  # ASGI's messages are open

        assert socket.sent == sent
        assert server.app._lifecycle.connections == 0


@pytest.mark.slow
async def test_who_comes_while_rooms_close_is_told_to_come_again(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        open_transcript(server)
        await server.app._lifecycle.serving().rooms.aclose()
        async with editing(server, TRANSCRIPT) as editor:
            pass

        assert editor.code == 1012
