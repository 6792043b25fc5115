"""`connect` and `Session`: what a program that transcribes speech uses."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from trax_client.address import find_address
from trax_client.backoff import Reconnect
from trax_client.dialogue import Dialogue
from trax_client.errors import TraxError
from trax_client.events import Event, Ready
from trax_client.inbox import Inbox
from trax_client.link import Link
from trax_client.renewal import Renewal
from trax_client.requests import SAMPLE_BYTES, Encoding, Finals, Start
from trax_client.wire import Subprotocol


@dataclass(frozen=True, slots=True)
class SessionStats:
    """Where a session is now.

    Attributes:
        taken_ms: Audio taken from the caller.
        acknowledged_ms: Of it, stored by the server, which survives a crash there.
        processed_ms: Of it, heard by the models, as last reported.
        lag_ms: How far hearing is behind what the server received, as last reported.
        connected: Whether a connection stands. Without one, audio is kept and events wait.
        reconnections: How many connections were lost and resumed.
    """

    taken_ms: int
    acknowledged_ms: int
    processed_ms: int
    lag_ms: int
    connected: bool
    reconnections: int


class Session:
    """One session, made by `connect`: send audio, and iterate over what was said.

    Iterating and sending may go on in different tasks, and should, for live audio; sending all
    audio first and reading then works too. Either may be cancelled at any await. Iteration ends
    after `Done`, or raises why the session ended before it; from then on `send` raises the same.
    """

    def __init__(self, dialogue: Dialogue, inbox: Inbox, link: Link) -> None:
        self._dialogue = dialogue
        self._inbox = inbox
        self._link = link
        self._carrier = asyncio.create_task(link.run(), name="trax session")
        # A callback, because a task that is cancelled before its first step runs no `finally`.
        self._carrier.add_done_callback(lambda _task: link.stop())
        self._failure_raised = False

    @property
    def info(self) -> Ready:
        """What the session is: id, settings as granted, limits, models."""
        assert self._dialogue.info is not None, "connect() waits for `ready`"
        return self._dialogue.info

    @property
    def transcript(self) -> str | None:
        """Id of the transcript that the session speaks into, also of a new one; `None` without."""
        return self.info.transcript

    @property
    def stats(self) -> SessionStats:
        """Where the session is now."""
        outbox, reported = self._dialogue.outbox, self._dialogue.stats
        rate, before = self._dialogue.sample_rate, self._dialogue.before
        return SessionStats(
            taken_ms=(before + outbox.end) * 1000 // rate,
            acknowledged_ms=(before + outbox.base) * 1000 // rate,
            processed_ms=reported.processed_ms if reported else 0,
            lag_ms=reported.lag_ms if reported else 0,
            connected=self._link.connected,
            reconnections=self._link.reconnections,
        )

    async def send(self, pcm: bytes | bytearray | memoryview) -> None:
        """Send audio, and wait while the server has no room for it.

        Args:
            pcm: Bytes in the session's encoding, any number of them: those of an incomplete sample
                wait for their rest. Copied at once: when the wait is cancelled, or while the
                connection is lost, the audio counts as sent.

        Raises:
            TraxError: If the session has ended.
            RuntimeError: After `end`.
        """
        outbox = self._dialogue.outbox
        if outbox.ended:
            raise RuntimeError("send() after end()")
        self._raise_if_over()
        outbox.put(pcm, time.time_ns() // 1_000_000)
        self._link.wake()
        if outbox.has_frame:
            # Neither sending nor reading may starve while a caller sends without ever waiting.
            await asyncio.sleep(0)
        if not outbox.has_room:
            await self._link.wait_for_room()
            self._raise_if_over()

    async def finalize(self) -> None:
        """Make everything sent so far final now, without waiting for a pause. Does not wait."""
        self._raise_if_over()
        self._dialogue.outbox.finalize()
        self._link.wake()

    async def end(self) -> None:
        """Say that no more audio follows. Does not wait: iterate until the end for the rest.

        Bytes of an incomplete last sample are dropped. Doing it twice does nothing.
        """
        self._dialogue.outbox.finish()
        self._link.wake()

    def __aiter__(self) -> AsyncIterator[Event]:
        """Iterate over the events; each comes to only one of several iterations."""
        return self

    async def __anext__(self) -> Event:
        """Return the next event.

        Raises:
            StopAsyncIteration: After `Done`.
            TraxError: If the session ended before.
        """
        event = await self._inbox.get()
        if event is None:
            self._raise_failure()
            raise StopAsyncIteration
        return event

    async def close(self) -> None:
        """Break off, unless the session is done. `connect` does it on leaving its context.

        Raises:
            TraxError: If the session failed and nobody was told.
        """
        self._carrier.cancel()
        await asyncio.wait([self._carrier])
        await self._link.close()
        if not self._failure_raised:
            self._raise_failure()

    def _raise_if_over(self) -> None:
        if self._carrier.done():
            self._raise_failure()
            raise RuntimeError("the session is over")

    def _raise_failure(self) -> None:
        """Raise why the session ended, if it was not by its end or ours."""
        if not self._carrier.cancelled() and (failure := self._carrier.exception()) is not None:
            self._failure_raised = True
            raise failure


@asynccontextmanager
async def connect(  # noqa: PLR0913 - options by name are what a caller reads best
    url: str | None = None,
    token: str | None = None,
    *,
    transcript: str | None = None,
    person: str | None = None,
    microphone: str | None = None,
    language: str = "auto",
    lookahead_ms: int | None = None,
    max_delay_ms: int | None = None,
    diarization: bool = True,
    diarization_latency_ms: int | None = None,
    hotwords: Sequence[str] = (),
    partials: bool = True,
    finals: Finals = "word",
    sample_rate: int = 16_000,
    encoding: Encoding = "pcm_s16le",
    reconnect: Reconnect | None = None,
    renew: bool = True,
    subprotocol: Subprotocol = Subprotocol.MSGPACK,
) -> AsyncIterator[Session]:
    """Connect to a server and begin a session; leaving the context closes it.

    Once begun, the session survives lost connections and restarts of the server: audio is kept
    until it is acknowledged and sent again, events are neither lost nor doubled. Leaving the
    context before `Done` breaks off: call `end` and iterate to the end to have everything.

    Args:
        url: The URL that the server prints, or any of `find_address`; default: `TRAX_URL`, else
            this machine's port 8000.
        token: Default: the URL's `?token=`, else `TRAX_TOKEN`.
        transcript: Id of the transcript to write into, or `"new"` to have one made.
        person: Name of the one person who speaks into this microphone: speakers are not told
            apart, `Word.speaker` is `None`, and in the transcript all words are this person's.
        microphone: What to call the microphone in the transcript.
        language: ISO 639-1 code, or `auto`.
        lookahead_ms: Audio heard after a word before it is final, 0..5000: less is faster, more is
            surer; default: the server's.
        max_delay_ms: A word is final at the latest this long after its end, 500..30000.
        diarization: Tell speakers apart.
        diarization_latency_ms: 500..5000; default: tied to the look-ahead.
        hotwords: Words to favour.
        partials: Receive `Partial`.
        finals: `word`: final one by one, corrected later; `utterance`: later, and for good.
        sample_rate: Of the audio, 8000..48000.
        encoding: Of the audio, mono.
        reconnect: How to resume a lost connection.
        renew: Go on in a new session with all that the server does not have: where the old one is
            as long as the server lets it be, or, if it speaks into a transcript, where the server
            knows it no more, after an outage of up to ten minutes.
        subprotocol: How messages are written; JSON is for watching the traffic.

    Raises:
        ValueError: On a URL, an encoding or finals that are none.
        ServerUnreachable: If there is no connection. One attempt is made: nothing is lost yet.
        SessionError: If the server refuses: wrong token, unsupported option, no such transcript,
            no room.
    """
    if encoding not in SAMPLE_BYTES:
        raise ValueError(f"encoding {' or '.join(SAMPLE_BYTES)} expected, got {encoding!r}")
    address = find_address(url, token, os.environ)
    start = Start(
        transcript=transcript,
        person=person,
        microphone=microphone,
        sample_rate=sample_rate,
        encoding=encoding,
        language=language,
        lookahead_ms=lookahead_ms,
        max_delay_ms=max_delay_ms,
        diarization=diarization,
        diarization_latency_ms=diarization_latency_ms,
        hotwords=tuple(hotwords),
        partials=partials,
        finals=finals,
    )
    dialogue, inbox = Dialogue(start, renews=renew), Inbox()
    renewal = Renewal(address) if renew else None
    link = Link(address, dialogue, inbox, reconnect or Reconnect(), subprotocol, renewal)
    await link.open()
    session = Session(dialogue, inbox, link)
    try:
        yield session
    except BaseException:
        # The body's own error says more than what became of the session.
        with suppress(TraxError):
            await session.close()
        raise
    await session.close()
