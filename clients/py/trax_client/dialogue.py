"""The client's side of the protocol across all connections of one session: no socket, no clock.

Per connection: send `opening()`, then whatever `next_message()` returns, and give each message that
comes to `receive()`. What was lost with a connection is sent again on the next one by itself, and
events that come twice are returned once. See python-hyper/h11 for the style.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import assert_never

from trax_client.continuation import Continuation
from trax_client.errors import ProtocolViolation
from trax_client.events import (
    Ack,
    Correction,
    Done,
    DurableEvent,
    Error,
    Event,
    Final,
    Language,
    Partial,
    Pong,
    Ready,
    ServerMessage,
    Speaker,
    SpeechStart,
    Stats,
    UtteranceEnd,
)
from trax_client.outbox import Outbox
from trax_client.requests import SAMPLE_BYTES, Audio, End, Finalize, Resume, Start

OLDEST_MS = 86_400_000
"""The age of audio may not be greater."""

NEARLY_FULL = 0.9
"""From this part of the longest session on it ends in a pause, so that no word is cut in two."""


class Dialogue:
    """State of one session, and of those that it goes on in; owned by its `Link`.

    Attributes:
        outbox: The session's audio.
        info: The latest `ready`, or `None` before the first.
        stats: As last reported, counted on through all sessions.
        done: The last event, once it came.
        progress: Grows with each new event and each acknowledgement: tells a connection that gets
            somewhere from one that only opens and fails.
        connected: Whether this connection's `ready` has come.
        before: Samples of the sessions before, from which this one went on.
    """

    def __init__(self, start: Start, *, renews: bool = True) -> None:
        """Begin without a connection.

        Args:
            start: How the session is to be.
            renews: Whether another one follows where the server takes no more into it.
        """
        self.outbox = Outbox(SAMPLE_BYTES[start.encoding])
        self.info: Ready | None = None
        self.stats: Stats | None = None
        self.done: Done | None = None
        self.progress = 0
        self.connected = False
        self.before = 0
        self._start = start
        self._renews = renews
        self._renewing = False
        self._continuation = Continuation()
        self._seq = 0

    @property
    def sample_rate(self) -> int:
        """Of the session's audio, in which the outbox counts."""
        return self._start.sample_rate

    @property
    def unacknowledged_ms(self) -> int:
        """Of the audio taken from the caller, how much the server may not have."""
        return (self.outbox.end - self.outbox.base) * 1000 // self.sample_rate

    @property
    def arrived(self) -> bool:
        """Whether no more audio follows, and the server has all of it.

        What it has is known to a millisecond at times: less than that may seem to be missing.
        """
        return self.outbox.ended and self.unacknowledged_ms == 0

    def renew(self, stored: int) -> bool:
        """Go on in a new session with what the server does not have: this one takes no more.

        Args:
            stored: Samples of this session that the server has, as far as is known.

        Returns:
            Whether there is anything to go on with.
        """
        self.outbox.forget(stored)
        self._renewing = not self.arrived
        return self._renewing

    def opening(self, now_ms: int) -> Start:
        """Return the first message of a new connection.

        Args:
            now_ms: Unix time.
        """
        self.connected = False
        if self.info is None:
            return self._start
        if self._renewing:
            recorded_ms = self.outbox.recorded_ms(self.sample_rate)
            age_ms = 0 if recorded_ms is None else now_ms - recorded_ms
            age_ms = min(max(0, age_ms), OLDEST_MS)
            return dataclasses.replace(self._start, transcript=self.info.transcript, age_ms=age_ms)
        resume = Resume(session=self.info.session, token=self.info.token, after=self._seq)
        return dataclasses.replace(self._start, resume=resume)

    def next_message(self) -> Audio | Finalize | End | None:
        """Return what to send now; nothing before `ready`."""
        return self.outbox.next_message() if self.connected else None

    def receive(self, message: ServerMessage) -> Event | None:
        """Take a message in; return it if the caller of the session should see it.

        Raises:
            ProtocolViolation: If the server may not say this now. `Error` is not for here.
        """
        if isinstance(message, Ready):
            return self._open(message)
        if not self.connected:
            raise ProtocolViolation("ready", message.type)
        match message:
            case Ack():
                self.progress += self.outbox.acknowledge(message.samples, message.until)
                return None
            case Pong():
                return None
            case Stats():
                self.stats = self._continuation.place(message)
                return self.stats
            case Done():
                return self._finish(message)
            case Partial():
                return self._continuation.place(message)
            case SpeechStart() | Final() | Speaker() | UtteranceEnd() | Correction() | Language():
                return self._place(message)
            case Error():
                raise ProtocolViolation("messages before an error", "an error")
            case _:
                assert_never(message)

    def _place(self, event: DurableEvent) -> Event | None:
        """Return an event as one of all sessions, if it did not come before."""
        if not self._is_new(event.seq):
            return None
        if isinstance(event, UtteranceEnd):
            self._pause()
        return self._continuation.place(event)

    def _finish(self, done: Done) -> Done | None:
        """Take in that the session is done: the last one, or one that was full."""
        if self.outbox.sent < self.outbox.end and self.renew(self.outbox.sent):
            self.connected = False
            return None
        self.done = done
        return done

    def _pause(self) -> None:
        """End a session here that is nearly full."""
        if self.info is not None and self.outbox.sent >= NEARLY_FULL * self._longest(self.info):
            self.outbox.limit(self.outbox.sent)

    def _longest(self, ready: Ready) -> int:
        """Return how many samples a session takes, where another one may follow."""
        return ready.limits.session_ms * self.sample_rate // 1000 if self._renews else sys.maxsize

    def _open(self, ready: Ready) -> Event | None:
        if self.connected:
            raise ProtocolViolation("one ready in a connection", "another")
        known = None if self._renewing else self.info
        if known is not None and (ready.session != known.session or not ready.resumed):
            raise ProtocolViolation(
                "the session that was resumed", "another", field="ready.session"
            )
        if self._start.transcript is not None and ready.transcript is None:
            # Better no session than one whose words go nowhere.
            raise ProtocolViolation(
                "the transcript that was asked for", "none", field="ready.transcript"
            )
        withdrawn = self._begin() if self._renewing else None
        self.outbox.limit_frames(ready.limits.message_bytes)
        self.outbox.rewind(ready.next, ready.until)
        self.outbox.limit(ready.next if ready.ended else self._longest(ready))
        self.info = ready
        self.connected = True
        return withdrawn

    def _begin(self) -> Event | None:
        """Count on from the session before."""
        self.before += self.outbox.renumber()
        self._seq = 0
        self._renewing = False
        return self._continuation.begin(self.before * 1000 // self.sample_rate)

    def _is_new(self, seq: int) -> bool:
        if seq > self._seq + 1:
            raise ProtocolViolation(str(self._seq + 1), str(seq), field="seq")
        if seq <= self._seq:
            return False
        self._seq = seq
        self.progress += 1
        return True
