"""Three people edit at random while words arrive, and lose their connections: all end the same."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.server.editing import read_document, until
from tests.server.scribbling import (
    Scribbler,
    all_equal,
    check,
    contents,
    speech_of,
    spoken_words,
    stored_doc,
)
from tests.server.talking import Client, running, samples, talking

WORDS = spoken_words(40)
LENGTH_S = 29.0
PIECE_S = 0.5
SITTINGS = 9


async def speak(client: Client) -> None:
    """Say everything, at several times the speed of life."""
    piece = int(PIECE_S * 16_000)
    for at in range(0, int(LENGTH_S * 16_000), piece):
        await client.stream(samples(PIECE_S), at=at)
        await asyncio.sleep(PIECE_S / 6)
    await client.send("end")
    assert await client.closed() == 1000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
async def test_all_replicas_end_equal_and_nothing_is_lost_or_doubled(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    scribblers = [Scribbler(number, random.Random(chance.random())) for number in range(3)]
    async with running(tmp_path, speech_of(WORDS)) as server:
        async with talking(server) as client:
            ready = await client.start(language="en", transcript="new")
            transcript = str(ready["transcript"])
            async with asyncio.TaskGroup() as group:
                group.create_task(speak(client))
                for each in scribblers:
                    group.create_task(each.work(server, transcript, SITTINGS))
        assert client.text().split() == WORDS
        await all_equal(server, transcript, scribblers)
        assert set[int]().union(*(each.codes for each in scribblers)) <= {1000, 1006}

        store = server.app._lifecycle.serving().store
        stored = stored_doc(store, transcript)
        assert contents(stored) == contents(scribblers[0].editor.doc)
        check(stored, WORDS, scribblers)
        assert scribblers[0].written != []
        assert scribblers[0].deleted != set()
        rooms = server.app._lifecycle.serving().rooms
        server_text = rooms._open[transcript].room.transcript.text
        assert server_text == read_document(store, transcript).text

    # What is left of it all in one update reads the same.
    async with running(tmp_path, speech_of(WORDS)) as server:
        store = server.app._lifecycle.serving().store
        assert store.documents.read(transcript).updates == ()
        assert contents(stored_doc(store, transcript)) == contents(stored)
        await until(lambda: not server.app._lifecycle.serving().rooms._open)
