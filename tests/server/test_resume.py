"""Sessions outlive connections, processes and failures, and end with the same transcript."""

import asyncio
import json
import random
from pathlib import Path

import pytest

from tests.server.talking import (
    JSON,
    MSGPACK,
    Client,
    Message,
    Running,
    final_words,
    journal,
    resume_of,
    running,
    samples,
    talk,
    talking,
)

WORDS = 16
LENGTH_S = 12.0


async def uncut(folder: Path) -> list[object]:
    """Return the final words of a session that nothing disturbed."""
    async with running(folder, talk(WORDS)) as server, talking(server) as client:
        ready = await client.start(language="en")
        await client.stream(samples(LENGTH_S))
        await client.send("end")
        assert await client.closed() == 1000
    return final_words(journal(server, ready))


def seen(events: list[Message]) -> int:
    return max((int(str(event["seq"])) for event in events), default=0)


async def stream_with_cuts(server: Running, chance: random.Random) -> tuple[Message, list[Message]]:
    """Stream the talk, losing the connection again and again; return the events that came."""
    pcm = samples(LENGTH_S)
    ready: Message | None = None
    events: list[Message] = []
    while True:
        subprotocol = chance.choice([MSGPACK, JSON])
        async with talking(server, subprotocol=subprotocol) as client:
            last_seen = seen(events)
            resume = None if ready is None else resume_of(ready, last_seen)
            ready = await client.start(language="en", resume=resume)
            assert ready["type"] == "ready", ready
            at = ready["next"]
            assert isinstance(at, int)
            last = chance.random() < 0.3
            until = len(pcm) if last else chance.randrange(2 * at, len(pcm) + 1, 2)
            await client.stream(pcm[2 * at : until], at=at, piece=2 * chance.randrange(1, 4000))
            if last:
                await client.send("end")
                assert await client.closed() == 1000
                return ready, events + client.lasting()
            client.socket.transport.abort()
            events += client.lasting()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
async def test_a_session_cut_at_random_ends_with_the_same_words(tmp_path: Path, seed: int) -> None:
    truth = await uncut(tmp_path / "uncut")
    async with running(tmp_path, talk(WORDS)) as server:
        ready, events = await stream_with_cuts(server, random.Random(seed))

    assert final_words(journal(server, ready)) == truth
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    folder = server.data_dir / "sessions" / str(ready["session"])
    assert (folder / "audio.pcm").read_bytes() == samples(LENGTH_S)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [16_000, 48_000])
async def test_a_session_goes_on_after_the_server_was_started_again(
    tmp_path: Path, rate: int
) -> None:
    truth = await uncut(tmp_path / "uncut")
    pcm = samples(LENGTH_S, rate)
    half = 2 * int(5.3 * rate)
    async with running(tmp_path, talk(WORDS)) as first, talking(first) as client:
        ready = await client.start(language="en", sample_rate=rate)
        await client.stream(pcm[:half], piece=rate // 5)
        await client.until_that(lambda m: m["type"] == "final")
        drained = asyncio.create_task(first.app.drain())
        assert await client.closed() == 1012
        await drained
    before, events = journal(first, ready), client.lasting()

    async with running(tmp_path, talk(WORDS)) as second, talking(second) as again:
        resumed = await again.start(resume=resume_of(ready, seen(events)))
        at = resumed["next"]
        assert isinstance(at, int)
        assert at <= half // 2
        await again.stream(pcm[2 * at :], at=at, piece=rate // 5)
        await again.send("end")
        assert await again.closed() == 1000

    after = journal(second, ready)
    assert after[: len(before)] == before
    assert final_words(after) == truth
    events += again.lasting()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert again.messages[-1]["words"] == WORDS


async def speak_to_the_end(client: Client) -> Message:
    """Have a session of two seconds, and return its `ready`."""
    ready = await client.start(language="en")
    await client.stream(samples(2.0))
    await client.send("end")
    assert await client.closed() == 1000
    return ready


async def test_who_missed_done_gets_it(tmp_path: Path) -> None:
    async with running(tmp_path, talk(2)) as server:
        async with talking(server) as client:
            ready = await speak_to_the_end(client)
        async with talking(server) as again:
            resumed = await again.start(resume=resume_of(ready))
            await again.send("end")

            assert await again.closed() == 1000

    assert (ready["ended"], resumed["ended"], resumed["next"]) == (False, True, 32_000)
    assert again.lasting() == client.lasting()
    assert again.messages[-1] == client.messages[-1]


async def test_who_missed_done_gets_it_from_a_server_that_was_started_again(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, talk(2)) as server, talking(server) as client:
        ready = await speak_to_the_end(client)
    async with running(tmp_path, talk(2)) as server, talking(server) as again:
        await again.start(resume=resume_of(ready, 1))
        await again.send("end")
        assert await again.closed() == 1000

    assert again.lasting() == client.lasting()[1:]
    assert again.messages[-1] == client.messages[-1]


async def test_who_makes_a_mistake_in_a_session_that_is_done_is_told_so(tmp_path: Path) -> None:
    async with running(tmp_path, talk(2)) as server:
        async with talking(server) as client:
            ready = await speak_to_the_end(client)
        async with talking(server) as again:
            await again.start(resume=resume_of(ready))
            await again.send("audio", at=32_000, pcm=samples(0.1))

            code, error = await again.refused()

    assert (code, error["code"]) == (4429, "too_fast")


async def test_the_newest_connection_has_the_session(tmp_path: Path) -> None:
    async with running(tmp_path, talk(2)) as server, talking(server) as old:
        ready = await old.start(language="en")
        async with talking(server) as new:
            await new.start(resume=resume_of(ready))

            code, error = await old.refused()
            await new.stream(samples(2.0))
            await new.send("end")
            assert await new.closed() == 1000

    assert (code, error["code"], error["retry"]) == (4412, "replaced", False)


@pytest.mark.parametrize(
    ("change", "close", "code"),
    [
        ({"token": "another"}, 4410, "session_gone"),
        ({"session": "0123456789abcdef"}, 4410, "session_gone"),
        ({"after": 99}, 4400, "malformed"),
    ],
)
async def test_a_resume_that_is_not_right_is_refused_and_disturbs_nobody(
    tmp_path: Path, change: Message, close: int, code: str
) -> None:
    async with running(tmp_path, talk(2)) as server, talking(server) as client:
        ready = await client.start()
        async with talking(server) as other:
            await other.send("start", resume={**resume_of(ready), **change})
            assert (await other.refused())[0] == close
            assert other.messages[-1]["code"] == code

        await client.send("ping", id=1)
        await client.until("pong")


async def finished(server: Running, ready: Message) -> dict[str, object]:
    """Wait until a session is finished; return its manifest."""
    path = server.data_dir / "sessions" / str(ready["session"]) / "session.json"
    async with asyncio.timeout(60):
        while True:
            manifest = json.loads(path.read_text())
            assert isinstance(manifest, dict)
            if manifest["finished_ms"] is not None:
                return manifest
            await server.get("/healthz")


@pytest.mark.slow
async def test_a_session_whose_client_stays_away_is_finished(tmp_path: Path) -> None:
    async with running(tmp_path, talk(4), resume_ms=200) as server:
        async with talking(server) as client:
            ready = await client.start(language="en")
            await client.stream(samples(3.0))
        assert (await finished(server, ready))["ended"] is False
        assert len(final_words(journal(server, ready))) == 4

        async with talking(server) as late:
            await late.send("start", resume=resume_of(ready))
            assert (await late.refused())[0] == 4410


@pytest.mark.slow
async def test_a_session_of_a_dead_server_that_nobody_resumes_is_finished(tmp_path: Path) -> None:
    async with running(tmp_path, talk(4)) as server, talking(server) as client:
        ready = await client.start(language="en", lookahead_ms=5000, max_delay_ms=30_000)
        await client.stream(samples(1.95))
        await client.until_that(lambda m: m["type"] == "ack" and m["samples"] == 31_200)
    assert len(final_words(journal(server, ready))) < 4

    async with running(tmp_path, talk(4), resume_ms=100) as server:
        assert (await finished(server, ready))["failed"] is False

    assert len(final_words(journal(server, ready))) == 4


async def test_a_partial_of_before_is_shown_again_after_a_resume(tmp_path: Path) -> None:
    async with running(tmp_path, talk(4)) as server:
        async with talking(server) as client:
            ready = await client.start(language="en", lookahead_ms=5000, max_delay_ms=30_000)
            await client.stream(samples(1.95))
            await client.until_that(lambda m: m["type"] == "partial" and bool(m["words"]))
        async with talking(server) as again:
            await again.start(resume=resume_of(ready))

            assert (await again.until("partial"))["words"]
