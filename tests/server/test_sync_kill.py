"""`kill -9` while two people edit what a third one says: whoever saw something finds it again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc
from websockets.exceptions import ConnectionClosed

from server.storage.store import Store
from server.yjs.updates import decode_state_vector
from tests.server.process import as_running, serving_process
from tests.server.scribbling import (
    Scribbler,
    all_equal,
    check,
    contents,
    speech_of,
    spoken_words,
    stored_doc,
)
from tests.server.talking import Client, Message, Running, resume_of, running, samples, talking

WORDS = spoken_words(24)
LENGTH_S = 18.0
PIECE_S = 0.5
MOST_CLIENTS = 1_000


async def speak_until_cut(client: Client) -> None:
    """Say everything in some seconds, unless the connection is lost."""
    with suppress(ConnectionClosed):
        for at in range(0, int(LENGTH_S * 16_000), int(PIECE_S * 16_000)):
            await client.stream(samples(PIECE_S), at=at)
            await asyncio.sleep(PIECE_S / 5)
        while True:
            await client.receive()


async def edit_until_cut(each: Scribbler, server: Running, transcript: str) -> None:
    async with each.connected(server, transcript):
        while each.editor.code == -1:
            each.act()
            await each.editor.flush()
            await asyncio.sleep(0.01)


async def killed(
    folder: Path, scribblers: list[Scribbler], after_s: float
) -> tuple[Message, list[Message]]:
    """Speak and edit until the server is killed; return `ready`, and what came after it."""
    async with serving_process(folder, speech_of(WORDS)) as process:
        server = as_running(folder, process)
        async with talking(server) as client:
            ready = await client.start(language="en", transcript="new")
            async with asyncio.TaskGroup() as group:
                group.create_task(speak_until_cut(client))
                for each in scribblers:
                    group.create_task(edit_until_cut(each, server, str(ready["transcript"])))
                await asyncio.sleep(after_s)
                process.process.kill()
            return ready, client.messages


@contextmanager
def left_behind(folder: Path) -> Iterator[Store]:
    """Open what the killed server wrote."""
    with Store(f"sqlite:///{folder / 'data' / 'transcripts.sqlite'}") as store:
        yield store


def state(doc: Doc[Any]) -> dict[int, int]:
    return decode_state_vector(doc.get_state(), MOST_CLIENTS)


def seen_of_others(each: Scribbler) -> dict[int, int]:
    """Return how far a replica knows what everybody else wrote."""
    own = each.editor.doc.client_id
    return {client: clock for client, clock in state(each.editor.doc).items() if client != own}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
async def test_what_anybody_saw_survives_kill_9(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    scribblers = [Scribbler(number, random.Random(chance.random())) for number in range(2)]
    ready, messages = await killed(tmp_path, scribblers, 0.3 + 0.7 * seed + chance.random() / 2)
    transcript = str(ready["transcript"])

    with left_behind(tmp_path) as store:
        stored = state(stored_doc(store, transcript))
    for each in scribblers:
        seen = seen_of_others(each)
        assert seen != {}
        assert {client: max(stored[client], clock) for client, clock in seen.items()} == {
            client: stored[client] for client in seen
        }

    events = [message for message in messages if "seq" in message]
    acknowledged = max((int(str(m["samples"])) for m in messages if m["type"] == "ack"), default=0)
    async with running(tmp_path, speech_of(WORDS)) as server:
        async with talking(server) as client:
            resumed = await client.start(resume=resume_of(ready, len(events)))
            at = resumed["next"]
            assert isinstance(at, int)
            assert at >= acknowledged
            async with asyncio.TaskGroup() as group:
                for each in scribblers:
                    group.create_task(each.work(server, transcript, 2))
                await client.stream(samples(LENGTH_S)[2 * at :], at=at)
                await client.send("end")
                assert await client.closed() == 1000
        told = [*events, *client.lasting()]
        assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
        await all_equal(server, transcript, scribblers)

        left = stored_doc(server.app._lifecycle.serving().store, transcript)
        assert contents(left) == contents(scribblers[0].editor.doc)
        check(left, WORDS, scribblers)
