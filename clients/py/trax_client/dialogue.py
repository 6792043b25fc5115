"""The client's side of the protocol across all connections of one session: no socket, no clock.

Per connection: send `opening()`, then whatever `next_message()` returns, and give each message that
comes to `receive()`. What was lost with a connection is sent again on the next one by itself, and
events that come twice are returned once. See python-hyper/h11 for the style.
"""

from __future__ import annotations

import dataclasses
from typing import assert_never

from trax_client.errors import ProtocolViolation
from trax_client.events import (
    Ack,
    Correction,
    Done,
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


class Dialogue:
    """State of one session; owned by its `Link`.

    Attributes:
        outbox: The session's audio.
        info: The latest `ready`, or `None` before the first.
        stats: The latest `stats`.
        done: The last event, once it came.
        progress: Grows with each new event and each acknowledgement: tells a connection that gets
            somewhere from one that only opens and fails.
        connected: Whether this connection's `ready` has come.
    """

    def __init__(self, start: Start) -> None:
        self.outbox = Outbox(SAMPLE_BYTES[start.encoding])
        self.info: Ready | None = None
        self.stats: Stats | None = None
        self.done: Done | None = None
        self.progress = 0
        self.connected = False
        self._start = start
        self._seq = 0

    @property
    def sample_rate(self) -> int:
        """Of the session's audio, in which the outbox counts."""
        return self._start.sample_rate

    def opening(self) -> Start:
        """Return the first message of a new connection."""
        self.connected = False
        if self.info is None:
            return self._start
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
            self._open(message)
            return None
        if not self.connected:
            raise ProtocolViolation("ready", message.type)
        match message:
            case Ack():
                self.progress += self.outbox.acknowledge(message.samples, message.until)
                return None
            case Pong():
                return None
            case Stats():
                self.stats = message
                return message
            case Done():
                self.done = message
                return message
            case Partial():
                return message
            case SpeechStart() | Final() | Speaker() | UtteranceEnd() | Correction() | Language():
                return message if self._is_new(message.seq) else None
            case Error():
                raise ProtocolViolation("messages before an error", "an error")
            case _:
                assert_never(message)

    def _open(self, ready: Ready) -> None:
        if self.connected:
            raise ProtocolViolation("one ready in a connection", "another")
        if self.info is not None and (ready.session != self.info.session or not ready.resumed):
            raise ProtocolViolation(
                "the session that was resumed", "another", field="ready.session"
            )
        if self._start.transcript is not None and ready.transcript is None:
            # Better no session than one whose words go nowhere.
            raise ProtocolViolation(
                "the transcript that was asked for", "none", field="ready.transcript"
            )
        self.outbox.limit_frames(ready.limits.message_bytes)
        self.outbox.rewind(ready.next, ready.until)
        self.info = ready
        self.connected = True

    def _is_new(self, seq: int) -> bool:
        if seq > self._seq + 1:
            raise ProtocolViolation(str(self._seq + 1), str(seq), field="seq")
        if seq <= self._seq:
            return False
        self._seq = seq
        self.progress += 1
        return True
