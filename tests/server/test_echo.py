"""Two microphones in one room: what both hear stands once in their transcript."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.server.editing import TRANSCRIPT, read_document
from tests.server.talking import Running, running, samples, talk, talking

SECONDS = 15.0
WORDS = [f"w{n}" for n in range(20)]


def document(server: Running) -> list[str]:
    """Return the words of the document as it is stored."""
    text = read_document(server.app._lifecycle.serving().store, TRANSCRIPT).text
    return text.split()


async def speak(server: Running, begun: asyncio.Barrier, delay_s: float = 0.0) -> None:
    """Speak into the transcript, together with others."""
    async with talking(server) as client:
        await client.start(language="en", transcript=TRANSCRIPT)
        await begun.wait()
        for first in range(int(SECONDS)):
            await client.stream(samples(1.0), at=16_000 * first)
            await asyncio.sleep(delay_s)
        await client.send("end")
        assert await client.closed() == 1000


@pytest.mark.slow
@pytest.mark.parametrize("microphones", [1, 2, 3])
@pytest.mark.parametrize("delay_s", [0.0, 0.05])
async def test_words_stand_once_however_many_microphones_hear_them(
    tmp_path: Path, microphones: int, delay_s: float
) -> None:
    async with running(tmp_path, talk(len(WORDS))) as server:
        server.app._lifecycle.serving().store.library.create(TRANSCRIPT, started_ms=0)
        begun = asyncio.Barrier(microphones)
        async with asyncio.TaskGroup() as speaking:
            for number in range(microphones):
                speaking.create_task(speak(server, begun, number * delay_s))

    async with running(tmp_path, talk(len(WORDS))) as server:
        assert document(server) == WORDS
