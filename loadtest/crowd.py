"""What sessions cost in which nobody speaks: everything of a server but the models.

Scripted engines hear them. Sessions without audio show what an open connection costs, those that
send silence what carries audio: the protocol, the recording, and voice activity frame by frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import trax_client
from loadtest.errors import LoadtestError
from loadtest.measured_server import MeasuredServer, Usage
from loadtest.tasks import grouped
from trax_client import Session

AT_ONCE = 40
"""Sessions that are being opened at the same time."""

PIECE_S = 0.2
PIECE = bytes(round(PIECE_S * 16_000) * 2)
"""Silence as a client sends it, 16-bit at 16 kHz."""

SETTLED_S = 2.0
"""From the last session's beginning to the first look."""


@dataclass(frozen=True, slots=True)
class CrowdReport:
    """What sessions cost.

    Attributes:
        sessions: How many there were.
        silence: Whether they sent silence.
        opened_s: How long it took until all were there.
        cpu_per_second: Processor seconds of the server for each session, a second.
        rss_bytes_each: Memory of the server for each session.
    """

    sessions: int
    silence: bool
    opened_s: float
    cpu_per_second: float
    rss_bytes_each: float


async def measure_crowd(
    server: MeasuredServer,
    sessions: int,
    seconds: float,
    *,
    silence: bool,
    opened: Callable[[int], None],
) -> CrowdReport:
    """Open sessions, and look what they cost for a while.

    Args:
        server: That lets so many in.
        sessions: How many.
        seconds: How long to look.
        silence: Whether they send silence in real time.
        opened: Told how many there are so far.

    Raises:
        TraxError: A session was refused.
        LoadtestError: One ended.
    """
    loop, turn, there = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE), 0
    empty, began_s = server.usage(), loop.time()
    async with AsyncExitStack() as stack, grouped() as group:

        async def open_one() -> Session:
            nonlocal there
            async with turn:
                connecting = trax_client.connect(server.url, language="en", diarization=False)
                session = await stack.enter_async_context(connecting)
            there += 1
            opened(there)
            return session

        opening = [group.create_task(open_one()) for _ in range(sessions)]
        those = [await each for each in opening]
        opened_s = loop.time() - began_s
        tasks = [group.create_task(_read(each)) for each in those]
        if silence:
            tasks += [group.create_task(_say_nothing(each)) for each in those]
        await asyncio.sleep(SETTLED_S)
        before = server.usage()
        await asyncio.sleep(seconds)
        after = server.usage()
        for task in tasks:
            task.cancel()
    return CrowdReport(
        sessions,
        silence,
        opened_s,
        (after.cpu_s - before.cpu_s) / seconds / sessions,
        _grown(empty, after) / sessions,
    )


def _grown(before: Usage, after: Usage) -> int:
    return after.rss_bytes - before.rss_bytes


async def _read(session: Session) -> None:
    async for _ in session:
        pass
    raise LoadtestError("a session that goes on expected, but it ended")


async def _say_nothing(session: Session) -> None:
    """Send silence by the clock, until cancelled."""
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    while True:
        await session.send(PIECE)
        due_s += PIECE_S
        await asyncio.sleep(due_s - loop.time())
