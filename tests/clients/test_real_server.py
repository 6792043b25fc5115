"""The client against the real server, with a network between them that keeps failing."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

import trax_client
from loadtest.relay import relaying
from tests.server.editing import until
from tests.server.talking import DEADLINE_S, TOKEN, journal, running, samples, talk

pytestmark = pytest.mark.slow

SOON = trax_client.Reconnect(first_s=0.001, longest_s=0.02)


@asynccontextmanager
async def failing_network(port: int, lifetimes_bytes: Iterator[int]) -> AsyncIterator[int]:
    """Relay TCP to a port; each connection is cut after the client sent so many bytes."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        back = asyncio.create_task(_copy(up_reader, writer, None))
        await _copy(reader, up_writer, next(lifetimes_bytes, None))
        for end in (up_writer, writer):
            end.transport.abort()
        back.cancel()
        with suppress(asyncio.CancelledError):
            await back

    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(relay(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as listener:
        yield listener.sockets[0].getsockname()[1]
    if tasks:
        await asyncio.wait(tasks)


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit_bytes: int | None
) -> None:
    passed = 0
    with suppress(ConnectionError):
        while piece := await reader.read(1_000):
            passed += len(piece)
            if limit_bytes is not None and passed > limit_bytes:
                return
            writer.write(piece)
            await writer.drain()


@pytest.mark.parametrize("seed", range(4))
async def test_failing_network_changes_nothing_that_was_heard(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    # The first lives long enough to hand the session over.
    lifetimes = iter([5_000, *(chance.randrange(200, 150_000) for _ in range(6))])
    audio = samples(12)
    async with running(tmp_path, talk(12)) as server, asyncio.timeout(DEADLINE_S):
        async with failing_network(server.port, lifetimes) as port:
            url = f"http://127.0.0.1:{port}/?token={TOKEN}"
            async with trax_client.connect(url, reconnect=SOON) as session:
                reading = asyncio.create_task(_read(session))
                for first in range(0, len(audio), 9_999):
                    await session.send(audio[first : first + 9_999])
                await session.end()
                events = await reading
        kept = journal(server, {"session": session.info.session})
    assert session.stats.reconnections > 1
    durable = [event for event in events if not isinstance(event, _MOMENTARY)]
    assert [event.seq for event in durable] == list(range(1, len(kept) + 1))
    transcript = trax_client.Transcript()
    for event in events:
        transcript.apply(event)
    assert transcript.text.split() == [f"w{number}" for number in range(12)]
    assert transcript.speakers == ("S1", "S2")
    assert isinstance(events[-1], trax_client.Done)
    assert events[-1].audio_ms == 12_000


_MOMENTARY = trax_client.Partial | trax_client.Stats | trax_client.Done


async def _read(session: trax_client.Session) -> list[trax_client.Event]:
    return [event async for event in session]


async def test_a_recording_longer_than_a_session_is_one_to_whoever_listens(tmp_path: Path) -> None:
    async with running(tmp_path, talk(24), session_ms=8_000) as server, asyncio.timeout(DEADLINE_S):
        url = f"http://127.0.0.1:{server.port}/?token={TOKEN}"
        async with trax_client.connect(url, transcript="new", reconnect=SOON) as session:
            reading = asyncio.create_task(_read(session))
            await session.send(samples(20))
            await session.end()
            events = await reading
        sessions = (await trax_client.Library(url).get(session.transcript or "")).sessions
    assert [each.duration_ms for each in sessions] == [8_000, 8_000, 4_000]
    assert session.stats.acknowledged_ms == 20_000
    assert session.stats.reconnections == 0
    durable = [event for event in events if not isinstance(event, _MOMENTARY)]
    assert [event.seq for event in durable] == list(range(1, len(durable) + 1))
    assert [event.audio_ms for event in events if isinstance(event, trax_client.Done)] == [4_000]
    transcript = trax_client.Transcript()
    for event in events:
        transcript.apply(event)
    # Each session hears the script from its beginning: a word begun is heard.
    starts = [each["start"] * 1_000 for each in json.loads(talk(24))]
    assert [spoken.word.start_ms for spoken in transcript.words] == [
        8_000 * number + start
        for number, end_ms in enumerate((8_000, 8_000, 4_000))
        for start in starts
        if start < end_ms
    ]


async def _finished(library: trax_client.Library, transcript: str) -> None:
    """Wait until the server has given up all sessions of a transcript."""
    while any(  # noqa: ASYNC110 - nothing is told over HTTP
        each.live for each in (await library.get(transcript)).sessions
    ):
        await asyncio.sleep(0.05)


async def test_an_outage_longer_than_a_session_is_kept_costs_nothing(tmp_path: Path) -> None:
    async with (
        running(tmp_path, talk(24), resume_ms=100) as server,
        relaying(server.port) as network,
        asyncio.timeout(DEADLINE_S),
    ):
        library = trax_client.Library(f"http://127.0.0.1:{server.port}/?token={TOKEN}")
        url = f"http://127.0.0.1:{network.port}/?token={TOKEN}"
        async with trax_client.connect(url, transcript="new", reconnect=SOON) as session:
            first = session.info.session
            await session.send(samples(5))
            await until(lambda: session.stats.acknowledged_ms == 5_000)
            network.cut(0)
            await session.send(samples(5))
            await _finished(library, session.transcript or "")
            network.cut(server.port)
            await session.end()
            events = await _read(session)
            assert session.info.session != first
            assert session.stats.acknowledged_ms == 10_000
        sessions = (await library.get(session.transcript or "")).sessions
    assert [each.duration_ms for each in sessions] == [5_000, 5_000]
    assert isinstance(events[-1], trax_client.Done)


async def test_who_missed_the_end_of_a_session_that_has_everything_is_told_so(
    tmp_path: Path,
) -> None:
    async with (
        running(tmp_path, talk(24), resume_ms=100) as server,
        relaying(server.port) as network,
        asyncio.timeout(DEADLINE_S),
    ):
        library = trax_client.Library(f"http://127.0.0.1:{server.port}/?token={TOKEN}")
        url = f"http://127.0.0.1:{network.port}/?token={TOKEN}"
        async with trax_client.connect(url, transcript="new", reconnect=SOON) as session:
            await session.send(samples(5))
            await until(lambda: session.stats.acknowledged_ms == 5_000)
            network.cut(0)
            await session.end()
            await _finished(library, session.transcript or "")
            network.cut(server.port)
            with pytest.raises(trax_client.EventsMissed):
                await _read(session)


async def test_wrong_token_and_wrong_option_are_refused(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, asyncio.timeout(DEADLINE_S):
        url = f"http://127.0.0.1:{server.port}"
        with pytest.raises(trax_client.Unauthorized):
            async with trax_client.connect(url, "wrong"):
                pytest.fail("connected")
        with pytest.raises(trax_client.Refused, match="lookahead_ms") as refusal:
            async with trax_client.connect(url, TOKEN, lookahead_ms=9_999):
                pytest.fail("connected")
    assert (refusal.value.code, refusal.value.expected) == ("unsupported", "0..5000")


async def test_byte_by_byte_and_at_other_rates(tmp_path: Path) -> None:
    async with running(tmp_path, talk(2)) as server, asyncio.timeout(DEADLINE_S):
        url = f"http://127.0.0.1:{server.port}/?token={TOKEN}"
        async with trax_client.connect(url, sample_rate=8_000) as session:
            pcm = samples(2, 8_000)
            for index in range(len(pcm)):
                await session.send(pcm[index : index + 1])
            await session.end()
            events = await _read(session)
    assert isinstance(events[-1], trax_client.Done)
    assert (events[-1].audio_ms, events[-1].words) == (2_000, 2)


async def test_several_microphones_speak_into_one_transcript(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, asyncio.timeout(DEADLINE_S):
        url = f"http://127.0.0.1:{server.port}/?token={TOKEN}"
        async with trax_client.connect(url, transcript="new", person="Zoë") as first:
            transcript = first.transcript
            assert transcript is not None
            assert first.info.sync == f"/v1/transcripts/{transcript}/sync"
            assert not first.info.diarization
            async with trax_client.connect(url, transcript=transcript) as second:
                assert second.transcript == transcript
                assert second.info.diarization


async def test_unknown_transcript_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, asyncio.timeout(DEADLINE_S):
        url = f"http://127.0.0.1:{server.port}/?token={TOKEN}"
        with pytest.raises(trax_client.Refused) as refusal:
            async with trax_client.connect(url, transcript="weekly-7"):
                pytest.fail("connected")
    assert refusal.value.code == "unknown_transcript"
