"""Several sessions at once: nobody waits for anybody's samples, numbers or disk."""

import asyncio
import time
from asyncio.events import Handle
from pathlib import Path

import pytest

from tests.server.process import as_running, serving_process
from tests.server.talking import JSON, MSGPACK, Running, running, samples, talk, talking

SESSIONS = 6
WORDS = 200
LENGTH_S = 150.0
LONGEST_CALLBACK_S = 0.02


async def one_session(server: Running, number: int) -> int:
    rate, subprotocol = [(16_000, MSGPACK), (48_000, JSON)][number % 2]
    async with talking(server, subprotocol=subprotocol) as client:
        await client.start(language="en", sample_rate=rate)
        await client.stream(samples(LENGTH_S, rate), piece=rate // 5)
        await client.send("end")
        assert await client.closed() == 1000
        words = client.messages[-1]["words"]
        assert isinstance(words, int)
        return words


@pytest.mark.slow
async def test_all_sessions_are_heard_whole(tmp_path: Path) -> None:
    words = talk(WORDS)
    async with serving_process(tmp_path, words, "--max-sessions", str(SESSIONS)) as process:
        server = as_running(tmp_path, process)
        heard = await asyncio.gather(*(one_session(server, n) for n in range(SESSIONS)))

    assert heard == [WORDS] * SESSIONS


@pytest.mark.slow
async def test_no_callback_computes_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with the largest messages; in processor time, so other processes do not matter."""
    times_s: list[float] = []
    run = Handle._run

    def timed(handle: Handle) -> None:
        began_s = time.thread_time()
        run(handle)
        times_s.append(time.thread_time() - began_s)

    async with running(tmp_path, talk(WORDS)) as server, talking(server) as client:
        pcm = samples(LENGTH_S, 48_000)
        await client.start(language="en", sample_rate=48_000)
        monkeypatch.setattr(Handle, "_run", timed)
        await client.stream(pcm, piece=server.settings.message_bytes - 64)
        await client.send("end")
        assert await client.closed() == 1000
        monkeypatch.undo()

    assert len(times_s) > 100
    assert max(times_s) < LONGEST_CALLBACK_S
