"""Nothing written is lost when connections fail, the server dies, or somebody has our client id."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from pycrdt import Doc
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

import trax_client
from loadtest.relay import relaying
from tests.clients.serving import WORDS, library, page
from tests.server.editing import Editor, editing, stored_text, until
from tests.server.process import serving_process
from tests.server.talking import DEADLINE_S, running
from trax_client import frames
from trax_client.library import Library
from trax_client.transcript import open_transcript

pytestmark = pytest.mark.slow

SOON = trax_client.Reconnect(first_s=0.01, longest_s=0.05)


@asynccontextmanager
async def scripted(
    *connections: Callable[[ServerConnection], AsyncIterator[None]],
) -> AsyncIterator[str]:
    """Serve one function a connection, and the last one for all that follow; yield the URL."""
    left = list(connections)

    async def talk(connection: ServerConnection) -> None:
        handler = left.pop(0) if len(left) > 1 else left[0]
        with suppress(ConnectionClosed):
            async for _ in handler(connection):
                pass

    async with serve(talk, "127.0.0.1", 0) as listener:
        yield f"http://127.0.0.1:{next(iter(listener.sockets)).getsockname()[1]}"


async def greet(connection: ServerConnection) -> AsyncIterator[None]:
    """Answer the first question with an empty document."""
    await connection.recv()
    await connection.send(frames.encode(frames.SyncStep2(b"\0\0")))
    yield


async def greet_and_read(connection: ServerConnection) -> AsyncIterator[None]:
    async for _ in greet(connection):
        yield
    async for _ in connection:
        yield


def closing(code: int) -> Callable[[ServerConnection], AsyncIterator[None]]:
    async def greet_and_close(connection: ServerConnection) -> AsyncIterator[None]:
        async for _ in greet(connection):
            yield
        await connection.close(code, "for a reason")

    return greet_and_close


async def test_what_is_written_offline_is_merged_with_what_others_wrote(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, shelf), relaying(server.port) as network:
        made = await shelf.create()
        async with (
            asyncio.timeout(DEADLINE_S),
            open_transcript(made.id, page(server)) as other,
            open_transcript(made.id, page(network), reconnect=SOON) as transcript,
        ):
            transcript.show(name="Zoë")
            other.show(name="Ann")
            transcript.insert(0, "before ")
            await transcript.saved()
            await until(lambda: bool(transcript.people))
            network.cut(0)
            await until(lambda: not transcript.connected)
            assert not transcript.people
            transcript.insert(7, "ünten")
            other.insert(0, "oben ")
            await other.saved()
            network.cut(server.port)
            await transcript.saved()
            assert transcript.reconnections == 1
            await until(lambda: transcript.text == other.text == "oben before ünten")
            await until(lambda: [each.name for each in other.people] == ["Zoë"])


async def test_what_is_written_while_something_is_sent_is_not_saved_yet(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, shelf), asyncio.timeout(DEADLINE_S):
        made = await shelf.create()
        async with open_transcript(made.id, page(server)) as transcript:
            replication = transcript._live
            send_presence = replication._send_presence

            async def meanwhile(socket: ClientConnection) -> None:
                await send_presence(socket)
                if transcript.text == "one ":
                    transcript.insert(4, "two")

            replication._send_presence = meanwhile  # type: ignore[method-assign]  # in between
            transcript.show(name="Ann")
            transcript.insert(0, "one ")
            await transcript.saved()
            assert transcript.text == "one two"
            assert replication.unconfirmed == 1
            await transcript.saved()

            assert stored_text(server, made.id) == "one two"


async def test_restart_of_the_server_is_ridden_out(tmp_path: Path) -> None:
    async with relaying(0) as network, AsyncExitStack() as stack, asyncio.timeout(DEADLINE_S):
        async with running(tmp_path, WORDS) as server:
            network.cut(server.port)
            made = await Library(page(network)).create()
            opening = open_transcript(made.id, page(network), reconnect=SOON)
            transcript = await stack.enter_async_context(opening)
            transcript.insert(0, "one ")
            await transcript.saved()
        # Its port is free: another test's server may take it, which knows no such transcript.
        network.cut(0)
        await until(lambda: not transcript.connected)
        transcript.insert(4, "two ")
        transcript.insert(8, "three")
        assert transcript.undo()
        async with running(tmp_path, WORDS) as server:
            network.cut(server.port)
            await transcript.saved()
            assert stored_text(server, made.id) == "one two "
            await stack.aclose()


@pytest.mark.parametrize("seed", range(3))
async def test_killed_server_loses_nothing_that_was_saved(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with relaying(0) as network, AsyncExitStack() as stack, asyncio.timeout(DEADLINE_S):
        async with serving_process(tmp_path, WORDS) as server:
            network.cut(server.port)
            made = await Library(page(network)).create()
            first, second = [
                await stack.enter_async_context(
                    open_transcript(made.id, page(network), reconnect=SOON)
                )
                for _ in range(2)
            ]
            for number in range(20):
                first.insert(chance.randint(0, len(first.text)), "ä")
                second.insert(chance.randint(0, len(second.text)), "👋")
                if number == 10:
                    await first.saved()
                await asyncio.sleep(chance.random() / 200)
            server.process.kill()
            await server.ended()
        network.cut(0)
        first.insert(0, "ß")
        async with serving_process(tmp_path, WORDS) as server:
            network.cut(server.port)
            await first.saved()
            await second.saved()
            await until(lambda: first.text == second.text)
            assert Counter(first.text) == {"ä": 20, "👋": 20, "ß": 1}
            said = await Library(page(network)).read(made.id)
            assert "".join(turn.text for turn in said.turns) == first.text
            await stack.aclose()


async def test_client_id_that_somebody_else_uses_is_given_up(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, shelf), relaying(server.port) as network:
        made = await shelf.create()
        async with (
            asyncio.timeout(DEADLINE_S),
            open_transcript(made.id, page(network), reconnect=SOON) as transcript,
        ):
            transcript.show(name="Zoë")
            transcript.insert(0, "saved ")
            transcript.name_speaker("s1", "Ann")
            await transcript.saved()
            taken = transcript._replica.client_id
            async with editing(server, made.id, Editor(doc=Doc(client_id=taken))) as double:
                double.text.insert(0, "thief ")
                changes = transcript.changes()
                await double.flush()
                while transcript.connected:  # told at once, before it connects again
                    await anext(changes)
                transcript.insert(6, "Übrig ")
                transcript.replace(0, 1, "S")
                transcript.highlight(0, 2, "red")
                transcript.name_speaker("s1", colour="red")
                transcript.undo()
                transcript.write_notes("noted")
                await transcript.saved()
                assert transcript._replica.client_id != taken
                await until(lambda: transcript.text == str(double.text) == "thief Saved Übrig ")
                assert transcript.notes == "noted"
                (speaker,) = transcript.speakers
                assert (speaker.name, speaker.colour) == ("Ann", None)
                assert [run.text for run in transcript.turns[0].runs if run.highlight] == ["Sa"]
                await until(
                    lambda: [each.get("user") for each in double.shown()] == [{"name": "Zoë"}]
                )
            transcript.insert(0, "on ")
            await transcript.saved()
            assert stored_text(server, made.id).startswith("on ")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1009, trax_client.Refused),
        (4400, trax_client.Refused),
        (4401, trax_client.Unauthorized),
        (4403, trax_client.Forbidden),
        (4404, trax_client.NotFound),
        (4413, trax_client.Refused),
        (4499, trax_client.Refused),
    ],
)
async def test_final_close_codes_are_errors(code: int, error: type[Exception]) -> None:
    async with (
        asyncio.timeout(DEADLINE_S),
        scripted(closing(code)) as url,
        open_transcript("t", url, reconnect=SOON) as transcript,
    ):
        with pytest.raises(error, match="for a reason"):
            _ = [change async for change in transcript.changes()]


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 1013])
async def test_other_close_codes_are_ridden_out(code: int) -> None:
    async with (
        asyncio.timeout(DEADLINE_S),
        scripted(closing(code), greet_and_read) as url,
        open_transcript("t", url, reconnect=SOON) as transcript,
    ):
        await until(lambda: transcript.reconnections == 1)


async def test_patience_ends_as_it_was_told(tmp_path: Path) -> None:
    brief = trax_client.Reconnect(first_s=0.01, longest_s=0.02, give_up_s=0.1)
    async with library(tmp_path) as (server, shelf), relaying(server.port) as network:
        made = await shelf.create()
        async with open_transcript(made.id, page(network), reconnect=brief) as transcript:
            network.cut(0)
            with pytest.raises(trax_client.ServerUnreachable):
                async with asyncio.timeout(DEADLINE_S):
                    _ = [change async for change in transcript.changes()]


async def test_leaving_without_a_server_says_what_may_be_lost(tmp_path: Path) -> None:
    brief = trax_client.Reconnect(first_s=0.01, longest_s=0.02, handshake_s=0.3)
    async with library(tmp_path) as (server, shelf), relaying(server.port) as network:
        made = await shelf.create()
        with pytest.raises(trax_client.NotSaved) as lost:  # noqa: PT012 - leaving raises
            async with open_transcript(made.id, page(network), reconnect=brief) as transcript:
                network.cut(0)
                await until(lambda: not transcript.connected)
                transcript.insert(0, "one")
                transcript.insert(3, "two")
    assert lost.value.edits == 2


async def test_waiting_for_what_is_saved_ends_when_the_transcript_is_closed() -> None:
    async with (
        asyncio.timeout(DEADLINE_S),
        scripted(greet_and_read) as url,
        AsyncExitStack() as stack,
    ):
        transcript = await stack.enter_async_context(open_transcript("t", url))
        transcript.insert(0, "never confirmed")
        waiting = asyncio.create_task(transcript.saved())
        await asyncio.sleep(0)
        await transcript.close()
        for saved in (waiting, transcript.saved(), stack.aclose()):
            with pytest.raises(trax_client.NotSaved):
                await saved


@pytest.mark.parametrize(
    "frame",
    [
        "text",
        b"\0\1\3ab",
        b"\0\1\xff\xff\xff\xff\xff\xff",
        b"\0\0\3abc",
        frames.encode(frames.Update(b"nonsense")),
        frames.encode(frames.Awareness(b"\x01\x05\x01\x02no")),
    ],
)
async def test_nonsense_of_a_server_ends_it(frame: bytes | str) -> None:
    async def talk_nonsense(connection: ServerConnection) -> AsyncIterator[None]:
        async for _ in greet(connection):
            yield
        await connection.send(frame)
        await connection.wait_closed()

    async with (
        asyncio.timeout(DEADLINE_S),
        scripted(talk_nonsense) as url,
        open_transcript("t", url, reconnect=SOON) as transcript,
    ):
        with pytest.raises(trax_client.ProtocolViolation):
            _ = [change async for change in transcript.changes()]


async def test_unknown_frames_are_ignored() -> None:
    async def talk(connection: ServerConnection) -> AsyncIterator[None]:
        await connection.recv()
        await connection.send(b"\x09\x00")
        await connection.send(frames.encode(frames.SyncStep2(b"\0\0")))
        await connection.send(b"\x00\x09")
        yield
        await connection.close(4404)

    async with (
        asyncio.timeout(DEADLINE_S),
        scripted(talk) as url,
        open_transcript("t", url) as transcript,
    ):
        with pytest.raises(trax_client.NotFound, match="no reason"):
            _ = [change async for change in transcript.changes()]


async def test_server_that_does_not_answer_is_unreachable() -> None:
    async def say_nothing(connection: ServerConnection) -> AsyncIterator[None]:
        yield
        await connection.wait_closed()

    brief = trax_client.Reconnect(handshake_s=0.1)
    async with scripted(say_nothing) as url:
        with pytest.raises(trax_client.ServerUnreachable, match="does not answer"):
            async with open_transcript("t", url, reconnect=brief):
                pytest.fail("opened")
    with pytest.raises(trax_client.ServerUnreachable):
        async with open_transcript("t", "http://127.0.0.1:9"):
            pytest.fail("opened")


async def test_what_was_shown_is_renewed_and_told_to_a_server_that_missed_us(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trax_client.replication.RENEW_S", 0.05)
    heard = asyncio.Queue[bytes]()

    async def listen(connection: ServerConnection) -> AsyncIterator[None]:
        async for _ in greet(connection):
            yield
        async for frame in connection:
            assert isinstance(frame, bytes)
            await heard.put(frame)
            yield

    async with (
        asyncio.timeout(DEADLINE_S),
        scripted(listen) as url,
        open_transcript("t", url) as transcript,
    ):
        transcript.show(name="Zoë")
        shown = [frames.decode(await heard.get()) for _ in range(3)]
    assert all(isinstance(frame, frames.Awareness) for frame in shown)
    assert len(set(shown)) == 3  # the clock in it goes on
