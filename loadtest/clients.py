"""Virtual clients: people who speak a recording into a server, and write down what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from loadtest.arrivals import Arrival
from loadtest.recordings import SAMPLE_BYTES, Recording
from streaming.core.domain import SAMPLE_RATE
from trax_client import Event, Partial, Ready, Session, Stats, connect
from trax_client.requests import Finals

PIECE_S = 0.1
"""Audio is sent in pieces of 100 ms, each when its last sample has been spoken."""

PIECE_BYTES = round(PIECE_S * SAMPLE_RATE) * SAMPLE_BYTES

Watch = Callable[[Event], None]
"""Told every event as it comes."""


class Pace(Enum):
    """How fast a recording is spoken."""

    REAL_TIME = "real-time"
    """As it was recorded."""
    FAST = "fast"
    """As fast as the server takes it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """How a client connects, and what it asks for.

    Attributes:
        url: Of the server.
        token: If it is not in the URL.
        language: ISO 639-1 code, or `auto`.
        lookahead_ms: `None`: the server's.
        diarization: Whether speakers are told apart.
        finals: Which pass final words come from.
        pace: How fast it speaks.
        keeps_partials: Whether partials are among what it writes down; there are many.
    """

    url: str
    token: str | None = None
    language: str = "en"
    lookahead_ms: int | None = None
    diarization: bool = True
    finals: Finals = "word"
    pace: Pace = Pace.REAL_TIME
    keeps_partials: bool = True


@dataclass(slots=True)
class Streamed:
    """What became of one recording.

    Attributes:
        granted: What the server said the session would be.
        arrivals: What came, and when; without `Stats`.
        audio_s: How long the recording is.
        lag_at_end_s: How far the server said it was behind when the last sample had been sent;
            `None` if it said nothing until then.
        done_after_s: From the last sample, as spoken, to the end of the session.
        sent_late_s: How much later than spoken a piece was sent, at most. Much of it means that
            the client was too slow, or had to wait for credit: its latencies are not the server's.
    """

    granted: Ready
    audio_s: float
    arrivals: list[Arrival] = field(default_factory=list)
    lag_at_end_s: float | None = None
    done_after_s: float = 0.0
    sent_late_s: float = 0.0


async def speak(recording: Recording, caller: Caller, watch: Watch) -> Streamed:
    """Stream a recording from its first sample to the server's `done`.

    Raises:
        TraxError: The session failed.
    """
    clock = asyncio.get_running_loop().time
    async with connect(
        caller.url,
        caller.token,
        language=caller.language,
        lookahead_ms=caller.lookahead_ms,
        diarization=caller.diarization,
        finals=caller.finals,
    ) as session:
        streamed = Streamed(session.info, recording.duration_s)
        began_s = clock()
        sending = asyncio.create_task(_send(recording.audio, session, caller.pace, streamed))
        try:
            async for event in session:
                watch(event)
                if isinstance(event, Stats):
                    if not sending.done():
                        streamed.lag_at_end_s = event.lag_ms / 1000
                elif caller.keeps_partials or not isinstance(event, Partial):
                    streamed.arrivals.append(Arrival(clock() - began_s, event))
        finally:
            sending.cancel()
            await asyncio.wait([sending])
        streamed.done_after_s = clock() - began_s - recording.duration_s
    return streamed


async def _send(audio: bytes, session: Session, pace: Pace, streamed: Streamed) -> None:
    clock = asyncio.get_running_loop().time
    began_s = clock()
    for number, start in enumerate(range(0, len(audio), PIECE_BYTES), start=1):
        if pace is Pace.REAL_TIME:
            # Not one piece's length each time: that would add up what everything else takes.
            await asyncio.sleep(max(0.0, began_s + number * PIECE_S - clock()))
        await session.send(audio[start : start + PIECE_BYTES])
        if pace is Pace.REAL_TIME:
            late_s = clock() - began_s - number * PIECE_S
            streamed.sent_late_s = max(streamed.sent_late_s, late_s)
    await session.end()
