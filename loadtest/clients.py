"""Virtual clients: people who speak a recording into a server, and write down what comes back.

The clock is an open loop: each piece of audio is due when its last sample has been spoken, counted
from the first, and times of arrival are counted from there too. A server that makes its clients
wait therefore only makes its own latencies longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

from loadtest.arrivals import Arrival, corrected_words
from loadtest.recordings import SAMPLE_BYTES, Recording
from loadtest.scoring import Token, tokens_heard
from loadtest.word_latency import HeardWord, count_retracted, final_words
from streaming.core.domain import SAMPLE_RATE
from trax_client import Correction, Event, Partial, Ready, Stats, connect
from trax_client.requests import Finals

PIECE_S = 0.1
"""Audio is sent in pieces of 100 ms, each when its last sample has been spoken."""

PIECE_BYTES = round(PIECE_S * SAMPLE_RATE) * SAMPLE_BYTES

PATIENCE_S = 60.0
"""A server that is not done so long after the audio is not listened to any longer."""

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


@dataclass(frozen=True, slots=True)
class Granted:
    """What a session was (its token is nobody's business); `None`: the server does not say."""

    recognizer: str
    lookahead_ms: int | None = None
    diarization: bool | None = None
    diarization_latency_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What one client got of one recording, from a server of any kind.

    Attributes:
        granted: What the session was.
        words: The final words, in the order in which they were said.
        standing: The words that stood at the end, after corrections.
        retracted: Words that were shown and taken back.
        corrections: Corrections.
        timed: Whether the server says when words were said.
        complete: Whether the server came to its end; else the client gave up.
        lag_at_end_s: As in `Streamed`; likewise the following.
    """

    granted: Granted
    words: tuple[HeardWord, ...]
    standing: tuple[Token, ...]
    retracted: int
    corrections: int
    timed: bool
    complete: bool
    lag_at_end_s: float | None
    done_after_s: float
    sent_late_s: float


Client = Callable[[Recording, Watch], Awaitable[Heard]]
"""Speaks a recording into its server."""


@dataclass(slots=True)
class Streamed:
    """What became of one recording.

    Attributes:
        granted: What the server said the session would be.
        arrivals: What came, and when; without `Stats`.
        audio_s: How long the recording is.
        complete: Whether the server came to its end; in real time, a client gives up `PATIENCE_S`
            after the last sample.
        lag_at_end_s: How far the server said it was behind when the last sample had been sent;
            `None` if it said nothing until then.
        done_after_s: From the last sample, as spoken, to the end of the session.
        sent_late_s: How much later than spoken a piece was sent, at most. Much of it means that
            the client was too slow, or had to wait for credit: its latencies are not the server's.
    """

    granted: Ready
    audio_s: float
    arrivals: list[Arrival] = field(default_factory=list)
    complete: bool = False
    lag_at_end_s: float | None = None
    done_after_s: float = 0.0
    sent_late_s: float = 0.0


def trax(caller: Caller) -> Client:
    """Return a client of ours."""

    async def listen(recording: Recording, watch: Watch) -> Heard:
        streamed = await speak(recording, caller, watch)
        granted, arrivals = streamed.granted, streamed.arrivals
        return Heard(
            granted=Granted(
                granted.models.recognizer,
                granted.lookahead_ms,
                granted.diarization,
                granted.diarization_latency_ms,
            ),
            words=tuple(final_words(arrivals)),
            standing=tokens_heard(corrected_words(arrivals)),
            retracted=count_retracted(arrivals),
            corrections=sum(isinstance(each.event, Correction) for each in arrivals),
            timed=True,
            complete=streamed.complete,
            lag_at_end_s=streamed.lag_at_end_s,
            done_after_s=streamed.done_after_s,
            sent_late_s=streamed.sent_late_s,
        )

    return listen


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

        async def send() -> None:
            streamed.sent_late_s = await say(recording.audio, session.send, caller.pace, began_s)
            await session.end()

        sending = asyncio.create_task(send())
        give_up_s = began_s + recording.duration_s + PATIENCE_S
        try:
            async with patience(give_up_s if caller.pace is Pace.REAL_TIME else None):
                async for event in session:
                    watch(event)
                    if isinstance(event, Stats):
                        if not sending.done():
                            streamed.lag_at_end_s = event.lag_ms / 1000
                    elif caller.keeps_partials or not isinstance(event, Partial):
                        streamed.arrivals.append(Arrival(clock() - began_s, event))
                streamed.complete = True
        finally:
            sending.cancel()
            await asyncio.wait([sending])
        streamed.done_after_s = clock() - began_s - recording.duration_s
        if sending.cancelled():  # It never caught up.
            streamed.sent_late_s = streamed.done_after_s
    return streamed


@asynccontextmanager
async def patience(until_s: float | None) -> AsyncIterator[None]:
    """Leave the context at a time of the event loop's clock; with `None`, never before its end."""
    waiting = asyncio.timeout_at(until_s)
    try:
        async with waiting:
            yield
    except TimeoutError:
        if not waiting.expired():  # Somebody else's.
            raise


async def say(
    audio: bytes, send: Callable[[bytes], Awaitable[None]], pace: Pace, began_s: float
) -> float:
    """Send a recording in pieces, each when it was spoken; what is late is caught up with.

    Args:
        audio: 16 kHz mono, 16-bit.
        send: Takes a piece.
        pace: How fast.
        began_s: When the first sample was spoken, on the event loop's clock.

    Returns:
        How much later than spoken a piece was sent, at most; zero for `Pace.FAST`.
    """
    clock = asyncio.get_running_loop().time
    latest_s = 0.0
    for number, start in enumerate(range(0, len(audio), PIECE_BYTES), start=1):
        if pace is Pace.REAL_TIME:
            # Not one piece's length each time: that would add up what everything else takes.
            await asyncio.sleep(max(0.0, began_s + number * PIECE_S - clock()))
        await send(audio[start : start + PIECE_BYTES])
        if pace is Pace.REAL_TIME:
            latest_s = max(latest_s, clock() - began_s - number * PIECE_S)
    return latest_s
