"""How long an edit takes from one editor to the others, through a server in its own process.

The load is open: each edit is due at a fixed time and its latency counts from then, so that a
server, or an editor, that is late cannot make the load lighter and the numbers better (Tene, "How
NOT to Measure Latency", 2013, on coordinated omission).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace

import numpy as np
from websockets.exceptions import ConnectionClosed

from loadtest.editors_finals import FinalsWatch
from loadtest.editors_flood import flood
from loadtest.editors_lag import LoopLag, lag_watched
from loadtest.editors_link import EMPTY_STATE, NOTHING, Link, linked
from loadtest.editors_typing import Mark, Typist, find_marks
from loadtest.errors import LoadtestError
from loadtest.tasks import grouped
from server.transcript import make_client_id
from server.yjs import messages

ARRIVE_S = 10.0
"""What has not come so long after the last edit is lost."""

POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Spread:
    """Of at least one latency; in milliseconds."""

    count: int
    p50: float
    p99: float
    maximum: float

    @classmethod
    def of(cls, latencies_ms: Sequence[float]) -> Spread | None:
        """Return the spread, or `None` of no latencies."""
        if not latencies_ms:
            return None
        p50, p99 = np.percentile(np.array(latencies_ms), (50, 99))
        return cls(len(latencies_ms), float(p50), float(p99), max(latencies_ms))


@dataclass(frozen=True, slots=True)
class Typing:
    """How long everybody types, and how often each makes an edit.

    Attributes:
        flooders: Members besides, who send without end.
    """

    seconds: float
    edits_per_s: float
    flooders: int = 0


@dataclass(frozen=True, slots=True)
class EditingReport:
    """What editors saw of each other.

    Attributes:
        editors: How many there were.
        flooders: How many others sent without end.
        edits: How many they made.
        latency_ms: From when an edit was due to its arrival at another editor.
        missing: Arrivals that never came: none.
        sent_late_ms: How late edits were sent. Much of it means that this process was too slow.
        lag: Of the server meanwhile.
        finals_ms: From when a speaker was told a final to its arrival at an editor, if somebody
            spoke.
    """

    editors: int
    flooders: int
    edits: int
    latency_ms: Spread | None
    missing: int
    sent_late_ms: Spread | None
    lag: LoopLag
    finals_ms: Spread | None = None


class _Editor:
    """One editor at work; owned by the measurement."""

    def __init__(self, number: int, link: Link, finals: FinalsWatch) -> None:
        self.arrivals: list[tuple[Mark, float]] = []
        self.due: dict[Mark, float] = {}
        self.late_s: list[float] = []
        self.synced = asyncio.Event()
        self._typist = Typist(number, make_client_id())
        self._link = link
        self._number = number
        self._finals = finals
        self._clock = asyncio.get_running_loop().time

    async def listen(self) -> None:
        """Write down what comes, and when, until sent away."""
        with suppress(ConnectionClosed):
            await self._listen()
        if not self.synced.is_set():
            raise LoadtestError("a document expected, got the end of the connection")

    async def _listen(self) -> None:
        await self._link.send(messages.SyncStep1(EMPTY_STATE))
        async for message in self._link.received():
            match message:
                case messages.Update(update=update):
                    now_s = self._clock()
                    self.arrivals += [(mark, now_s) for mark in find_marks(update)]
                    self._finals.note(self._number, update, now_s)
                case messages.SyncStep1():
                    await self._link.send(messages.SyncStep2(NOTHING))
                case messages.SyncStep2():
                    self.synced.set()
                case _:
                    pass

    async def type(self, first_s: float, every_s: float, edits: int) -> None:
        """Type at fixed times, however long it takes; stop when sent away."""
        with suppress(ConnectionClosed):
            for number in range(edits):
                due_s = first_s + number * every_s
                await asyncio.sleep(due_s - self._clock())
                update = self._typist.type()
                self.due[self._typist.typed[-1]] = due_s
                self.late_s.append(self._clock() - due_s)
                await self._link.send(messages.Update(update))


async def measure_editing(
    server_url: str,
    transcript: str,
    editors: int,
    pace: Typing,
    finals: FinalsWatch | None = None,
) -> EditingReport:
    """Let editors type into one empty transcript, evenly spread over time.

    Args:
        server_url: As the server prints it.
        transcript: Its id.
        editors: How many; at least two, or nobody sees anything.
        pace: At which they type.
        finals: Of somebody who speaks meanwhile.

    Raises:
        LoadtestError: They could not come in.
    """
    clock = asyncio.get_running_loop().time
    lags: list[LoopLag] = []
    watch = finals or FinalsWatch()
    async with AsyncExitStack() as stack:
        links = [
            await stack.enter_async_context(linked(server_url, transcript))
            for _ in range(editors + pace.flooders)
        ]
        group = await stack.enter_async_context(grouped())
        everybody = [_Editor(number, link, watch) for number, link in enumerate(links[:editors])]
        listening = [group.create_task(editor.listen()) for editor in everybody]
        await asyncio.gather(*(editor.synced.wait() for editor in everybody))
        flooding = [group.create_task(flood(link)) for link in links[editors:]]
        every_s, edits = 1 / pace.edits_per_s, round(pace.seconds * pace.edits_per_s)
        async with lag_watched(server_url, lags.append):
            began_s = clock() + every_s
            await asyncio.gather(
                *(
                    editor.type(began_s + every_s * number / editors, every_s, edits)
                    for number, editor in enumerate(everybody)
                )
            )
            await _all_arrived(everybody)
        for task in (*listening, *flooding):
            task.cancel()
    report = _report(everybody, pace.flooders, lags[0])
    return replace(report, finals_ms=Spread.of(watch.latencies_ms))


async def _all_arrived(everybody: Sequence[_Editor]) -> None:
    """Wait until everybody saw what the others typed, but not for ever."""
    expected = _expected(everybody)
    with suppress(TimeoutError):  # Asked now and then: an event for each would cost latency.
        async with asyncio.timeout(ARRIVE_S):
            while sum(len(each.arrivals) for each in everybody) < expected:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)


def _expected(everybody: Sequence[_Editor]) -> int:
    return sum(len(editor.due) for editor in everybody) * (len(everybody) - 1)


def _report(everybody: Sequence[_Editor], flooders: int, lag: LoopLag) -> EditingReport:
    due = {mark: due_s for editor in everybody for mark, due_s in editor.due.items()}
    arrivals = [arrival for editor in everybody for arrival in editor.arrivals]
    return EditingReport(
        editors=len(everybody),
        flooders=flooders,
        edits=len(due),
        latency_ms=Spread.of([1000 * (at_s - due[mark]) for mark, at_s in arrivals]),
        missing=_expected(everybody) - len(arrivals),
        sent_late_ms=Spread.of([1000 * late_s for each in everybody for late_s in each.late_s]),
        lag=lag,
    )
