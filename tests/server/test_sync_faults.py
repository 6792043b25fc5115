"""Bad input, slow readers and lost connections, over real WebSockets.

Whoever causes it is told clearly, the others go on, and nothing that was written is lost.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from pycrdt import Doc, create_update_message
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from server.auth import fingerprint
from server.storage.values import Batch, Role
from server.yjs import messages
from server.yjs.updates import decode_state_vector
from tests.server.editing import (
    TRANSCRIPT,
    Editor,
    Fragile,
    editing,
    open_transcript,
    rooms_of,
    store_of,
    stored_text,
    transcribing,
    until,
)
from tests.server.talking import DEADLINE_S, TOKEN, Running, running, samples, talk, talking
from tests.server.yjs.writing import section, text, update

LINK = "a-token-of-a-link"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\0\2\3abc", 4400),
        (b"\0\2\7\1\2", 4400),
        (b"", 4400),
        ("hello", 4400),
        (messages.encode(messages.Update(bytes(5 * 1024 * 1024))), 4413),
        (messages.encode(messages.Update(bytes(9 * 1024 * 1024))), 1009),
        (messages.encode(messages.Update(update(section(7, 0, text("a"))) + b"b")), 4400),
        (messages.encode(messages.Update(update(section(7, 0, text("a", parent="b"))))), 4403),
        (
            messages.encode(messages.Update(update(section(7, 0, text("a", parent=60 * "🙂"))))),
            4403,
        ),
    ],
    ids=["undecodable", "truncated", "empty", "text", "huge", "larger", "tail", "root", "reason"],
)
@pytest.mark.slow
async def test_a_bad_frame_ends_the_connection_of_its_sender_only(
    tmp_path: Path, frame: bytes | str, code: int
) -> None:
    async with (
        transcribing(tmp_path) as server,
        editing(server, TRANSCRIPT) as bad,
        editing(server, TRANSCRIPT) as good,
    ):
        with suppress(ConnectionClosed):  # while it is still being sent
            await bad.frame(frame)
        await bad.until(lambda: bad.code != -1)
        assert bad.code == code
        assert bad.reason

        await good.write(0, "still here")
        assert stored_text(server) == "still here"


@pytest.mark.slow
async def test_a_long_update_that_is_cut_off_anywhere_changes_nothing(tmp_path: Path) -> None:
    whole = Editor()
    whole.text.insert(0, "twelve words 🙂 of some text")
    encoded = whole.doc.get_update()
    async with transcribing(tmp_path) as server:
        for length in range(0, len(encoded), 5):
            async with editing(server, TRANSCRIPT) as bad:
                await bad.frame(create_update_message(encoded[:length]))
                await bad.until(lambda bad=bad: bad.code != -1)  # type: ignore[misc]
                assert bad.code == 4400
        async with editing(server, TRANSCRIPT) as good:
            assert str(good.text) == ""


@pytest.mark.parametrize(
    ("transcript", "token", "code"),
    [("unknown", TOKEN, 4404), (TRANSCRIPT, "wrong", 4401), (TRANSCRIPT, "", 4401)],
)
@pytest.mark.slow
async def test_who_may_not_or_cannot_come_in_is_told_by_the_close_code(
    tmp_path: Path, transcript: str, token: str, code: int
) -> None:
    async with transcribing(tmp_path) as server:
        async with editing(server, transcript, token=token) as editor:
            pass
        assert editor.code == code
        assert editor.reason


@pytest.mark.slow
async def test_who_is_one_too_many_is_told_to_come_again(tmp_path: Path) -> None:
    async with (
        transcribing(tmp_path, max_connections=1) as server,
        editing(server, TRANSCRIPT) as first,
    ):
        async with editing(server, TRANSCRIPT) as second:
            pass
        assert second.code == 1013
        await first.write(0, "a")


async def test_a_page_that_may_not_be_here_gets_no_connection(tmp_path: Path) -> None:
    async with transcribing(tmp_path) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            f"GET /v1/transcripts/{TRANSCRIPT}/sync?token={TOKEN} HTTP/1.1\r\n"
            "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Origin: https://evil.example\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert (await reader.readline()).split()[1] == b"403"
        writer.close()
        await writer.wait_closed()


@pytest.mark.slow
async def test_who_comes_before_the_models_are_loaded_is_told_to_come_again(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, talk(1), load=False) as server:
        async with editing(server, TRANSCRIPT) as editor:
            pass
        assert editor.code == 1013


@pytest.mark.slow
async def test_a_document_that_cannot_be_read_is_not_opened(tmp_path: Path) -> None:
    async with transcribing(tmp_path) as server:
        documents = store_of(server).documents
        documents.append(documents.lease(TRANSCRIPT), Batch(0, (b"no update",)))
        async with editing(server, TRANSCRIPT) as editor:
            pass

        assert editor.code == 1011
        assert documents.read(TRANSCRIPT).updates == (b"no update",)


@pytest.mark.slow
async def test_who_does_not_hear_why_it_has_to_go_is_cut_off(tmp_path: Path) -> None:
    bounds = {"unread_bytes": 64 * 1024, "close_timeout_ms": 100}
    async with (
        transcribing(tmp_path, **bounds) as server,
        editing(server, TRANSCRIPT) as ada,
        reading_nothing(server),
    ):
        await until(lambda: members(server) == 2)
        for number in range(60):
            ada.text.insert(0, f"{number}".ljust(30_000))
        await ada.flush()
        await until(lambda: server.app._lifecycle.connections == 1)


@pytest.mark.slow
async def test_a_room_that_fails_sends_everybody_away_and_opens_again(tmp_path: Path) -> None:
    async with transcribing(tmp_path) as server:
        async with editing(server, TRANSCRIPT) as ada, editing(server, TRANSCRIPT) as bob:
            await ada.write(0, "kept")
            room = rooms_of(server)._open[TRANSCRIPT].room
            room.transcript = Fragile(room.transcript.client_id, [room.transcript.update_since()])
            ada.text.insert(0, "also ")
            await ada.flush()
            await ada.until(lambda: ada.code != -1)
            await bob.until(lambda: bob.code != -1)
        assert ada.code == bob.code == 1011

        async with editing(server, TRANSCRIPT, ada), editing(server, TRANSCRIPT, bob):
            await bob.until_says("also kept")


@pytest.mark.slow
async def test_a_viewer_reads_on_and_is_seen_but_changes_nothing(tmp_path: Path) -> None:
    async with transcribing(tmp_path) as server:
        store_of(server).links.add(TRANSCRIPT, fingerprint(LINK), Role.VIEWER)
        async with (
            editing(server, TRANSCRIPT) as ada,
            editing(server, TRANSCRIPT, token=LINK) as viewer,
        ):
            await viewer.present(name="Viewer")
            viewer.text.insert(0, "SECRET")
            await viewer.flush()
            await viewer.until(lambda: viewer.denied == 1)
            await ada.write(0, "hello")
            await viewer.until_says("hello")
            await ada.until(lambda: {"name": "Viewer"} in ada.others().values())

            assert str(ada.text) == stored_text(server) == "hello"
            assert viewer.code == -1
        async with editing(server, TRANSCRIPT) as late:
            assert str(late.text) == "hello"


@pytest.mark.slow
async def test_an_update_under_the_id_of_the_server_is_refused(tmp_path: Path) -> None:
    async with transcribing(tmp_path) as server, editing(server, TRANSCRIPT) as good:
        ours = store_of(server).documents.clients(TRANSCRIPT)
        async with editing(server, TRANSCRIPT) as forger:
            ((own, clock),) = decode_state_vector(forger.doc.get_state(), 9).items()
            assert own in ours
            forged = update(section(own, clock, text("forged")))
            await forger.frame(create_update_message(forged))
            await forger.until(lambda: forger.code != -1)
            assert forger.code == 4403
        await good.write(0, "unharmed")
        assert str(good.text) == stored_text(server) == "unharmed"


@pytest.mark.slow
async def test_of_two_clients_with_one_id_the_older_one_has_to_go(tmp_path: Path) -> None:
    async with transcribing(tmp_path) as server:
        first, second = (Editor(Doc(client_id=7)) for _ in range(2))
        async with editing(server, TRANSCRIPT) as other, editing(server, TRANSCRIPT, first):
            await first.write(0, "one")
            async with editing(server, TRANSCRIPT, second):
                await second.write(0, "two")
                await first.until(lambda: first.code != -1)
            await other.until_says("twoone")
            await other.write(0, "and ")
            assert other.code == -1

        assert first.code == 4412
        assert first.reason
        assert stored_text(server) == "and twoone"


@pytest.mark.slow
async def test_who_edits_a_transcript_that_is_deleted_is_told_so_and_nobody_elsewhere(
    tmp_path: Path,
) -> None:
    elsewhere = "transcript-bbbbbbbbbb"
    async with transcribing(tmp_path) as server, editing(server, TRANSCRIPT) as ada:
        open_transcript(server, elsewhere)
        async with editing(server, elsewhere) as bob:
            await bob.write(0, "kept")
            await ada.write(0, "gone")
            await rooms_of(server).delete(TRANSCRIPT)
            await ada.until(lambda: ada.code != -1)
            assert ada.code == 4404
            assert ada.reason
            await bob.write(0, "also ")
            assert bob.code == -1
        assert stored_text(server, elsewhere) == "also kept"

        async with editing(server, TRANSCRIPT, ada):
            pass
        assert ada.code == 4404


@pytest.mark.slow
async def test_a_session_whose_transcript_is_deleted_is_refused(tmp_path: Path) -> None:
    async with transcribing(tmp_path) as server, talking(server) as client:
        await client.start(language="en", transcript=TRANSCRIPT)
        await client.stream(samples(3.0))
        await rooms_of(server).delete(TRANSCRIPT)
        code, error = await client.refused()

        assert (code, error["code"]) == (4404, "unknown_transcript")


@pytest.mark.slow
async def test_who_reads_too_slowly_is_sent_away_and_gets_everything_when_it_comes_again(
    tmp_path: Path,
) -> None:
    bounds = {"unread_bytes": 64 * 1024, "close_timeout_ms": 60_000}
    async with transcribing(tmp_path, **bounds) as server:
        async with reading_nothing(server) as slow, editing(server, TRANSCRIPT) as ada:
            await until(lambda: members(server) == 2)
            for number in range(60):
                ada.text.insert(0, f"{number}".ljust(30_000))
            await ada.flush()
            await until(lambda: members(server) == 1)
            await until(lambda: len(stored_text(server)) == 60 * 30_000)
            assert [frame async for frame in slow_frames(slow)] != []
            assert slow.close_code == 1013

        async with editing(server, TRANSCRIPT) as again:
            assert str(again.text) == str(ada.text)


async def slow_frames(connection: ClientConnection) -> AsyncIterator[bytes | str]:
    """Yield what there still is to be read."""
    with suppress(ConnectionClosed):
        while True:
            yield await connection.recv()


@asynccontextmanager
async def reading_nothing(server: Running) -> AsyncIterator[ClientConnection]:
    """Connect without room for what the server sends."""
    path = socket.socket()
    path.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    path.setblocking(False)
    await asyncio.get_running_loop().sock_connect(path, ("127.0.0.1", server.port))
    url = server.url(f"/v1/transcripts/{TRANSCRIPT}/sync?token={TOKEN}")
    async with connect(url, sock=path, max_queue=1, max_size=None, proxy=None) as connection:
        yield connection


def members(server: Running) -> int:
    opened = rooms_of(server)._open.get(TRANSCRIPT)
    return 0 if opened is None else len(opened.room._members)


@pytest.mark.slow
async def test_who_loses_its_connection_is_not_seen_any_more(tmp_path: Path) -> None:
    async with transcribing(tmp_path) as server, editing(server, TRANSCRIPT) as bob:
        await bob.present(name="Bob")
        ada = Editor()
        async with editing(server, TRANSCRIPT, ada):
            await ada.present(name="Ada")
            await bob.until(lambda: {"name": "Ada"} in bob.others().values())
            assert ada.socket is not None
            ada.socket.transport.abort()
            await bob.until(lambda: {"name": "Ada"} not in bob.others().values())

        async with editing(server, TRANSCRIPT) as late:
            await late.until(lambda: list(late.shown()) == [{"name": "Bob"}])


@pytest.mark.slow
async def test_a_room_that_everybody_left_is_freed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with transcribing(tmp_path) as server:
        monkeypatch.setattr(rooms_of(server), "_linger_s", 0.0)
        async with editing(server, TRANSCRIPT) as ada:
            await ada.write(0, "kept")
            assert members(server) == 1
        await until(lambda: not rooms_of(server)._open)

        assert len(store_of(server).documents.read(TRANSCRIPT).updates) == 0
        assert stored_text(server) == "kept"


@pytest.mark.slow
async def test_a_server_that_stops_tells_editors_to_come_again(tmp_path: Path) -> None:
    async with transcribing(tmp_path) as server, editing(server, TRANSCRIPT) as ada:
        await ada.write(0, "kept")
        ada.text.insert(0, "also ")
        await ada.flush()
        await until(lambda: stored_text(server) == "also kept")
        async with asyncio.timeout(DEADLINE_S):
            await server.app.drain()
        await ada.until(lambda: ada.code != -1)
        assert ada.code == 1012

    async with running(tmp_path, talk(1)) as again, editing(again, TRANSCRIPT, ada):
        assert stored_text(again) == "also kept"
