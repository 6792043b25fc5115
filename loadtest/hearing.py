"""One session heard without server, clock or threads: equal audio, equal settings, equal words.

Each piece of work is carried out before the next is asked for, as on a machine that computes in no
time. What a client would be told goes through both codecs, so that it is exactly what it would get.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, assert_never

from loadtest.arrivals import Arrival
from server import messages, wire
from server.journal import Entry
from server.translation import lasting_message, partial_message
from streaming.core.domain import SAMPLE_RATE, Pcm, Samples, Span, Turn
from streaming.core.events import EngineFailed, Event, Partial
from streaming.core.ports import Diarization, Effort
from streaming.core.session import StreamSession
from streaming.core.settings import SessionSettings
from streaming.core.work import (
    Diarize,
    Diarized,
    Recognize,
    Recognized,
    Result,
    Score,
    Scored,
    Work,
)
from streaming.engines.loading import EngineSet
from streaming.errors import EngineError
from trax_client import events as client_events
from trax_client.events import Ack, Error, Pong, Ready
from trax_client.wire import Subprotocol, decode

PIECE = SAMPLE_RATE // 10
"""Audio comes in pieces of 100 ms, as from a client."""

T = TypeVar("T")


@dataclass(slots=True)
class Cost:
    """Processor time that one kind of work took, of all threads, and how many pieces there were."""

    cpu_s: float = 0.0
    pieces: int = 0


@dataclass(slots=True)
class Costs:
    """What hearing a recording took, by kind of work."""

    vad: Cost = field(default_factory=Cost)
    live: Cost = field(default_factory=Cost)
    utterance: Cost = field(default_factory=Cost)
    diarizer: Cost = field(default_factory=Cost)

    @property
    def cpu_s(self) -> float:
        """All of it."""
        return sum(cost.cpu_s for cost in (self.vad, self.live, self.utterance, self.diarizer))


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a recording.

    Attributes:
        arrivals: What a client was told, each `at_s` the end of the audio that led to it.
        turns: Who spoke when, as the diarizer fixed it; empty without one.
        costs: What it took.
    """

    arrivals: tuple[Arrival, ...]
    turns: tuple[Turn, ...]
    costs: Costs


def hear(pcm: Pcm, engines: EngineSet, settings: SessionSettings) -> Heard:
    """Hear a recording.

    Raises:
        EngineError: An engine failed.
    """
    listener = _Listener(engines, settings)
    for start in range(0, len(pcm), PIECE):
        listener.feed(pcm[start : start + PIECE])
    listener.finish()
    return Heard(tuple(listener.arrivals), tuple(listener.turns), listener.costs)


class _Listener:
    """Drives one session and keeps what it says."""

    def __init__(self, engines: EngineSet, settings: SessionSettings) -> None:
        self.arrivals: list[Arrival] = []
        self.turns: list[Turn] = []
        self.costs = Costs()
        self._session = StreamSession(settings)
        self._vad = engines.vad(Samples(0))
        make = engines.diarizer
        self._diarizer = None if make is None else make(settings.diarization_latency, ())
        self._recognizer = engines.recognizer
        self._fixed_until = Samples(0)
        self._last_seq = 0

    def feed(self, pcm: Pcm) -> None:
        self._session.feed(pcm)
        self._work()

    def finish(self) -> None:
        self._session.finish()
        self._work()
        assert self._session.finished, "finish leaves no work"

    def _work(self) -> None:
        self._tell()
        while (work := self._session.next_work()) is not None:
            self._session.complete(self._carry_out(work))
            self._tell()

    def _carry_out(self, work: Work) -> Result:
        match work:
            case Score():
                return Scored(work.id, _timed(lambda: self._score(work), self.costs.vad))
            case Diarize():
                return Diarized(work.id, _timed(lambda: self._label(work), self.costs.diarizer))
            case Recognize(window=window):
                live = window.effort is Effort.LIVE
                cost = self.costs.live if live else self.costs.utterance
                heard = _timed(lambda: self._recognizer.recognize([window])[0], cost)
                return Recognized(work.id, heard)
            case _:
                assert_never(work)

    def _score(self, work: Score) -> tuple[float, ...]:
        return tuple(self._vad.score(frame) for frame in work.frames)

    def _label(self, work: Diarize) -> Diarization:
        assert self._diarizer is not None
        answer = self._diarizer.label(work.window, work.start)
        # What an earlier answer said of what was not fixed then, this one says anew.
        kept = (_clipped(turn, self._fixed_until) for turn in self.turns)
        self.turns = [turn for turn in (*kept, *answer.turns) if turn.span.length]
        self._fixed_until = answer.fixed_until
        return answer

    def _tell(self) -> None:
        now_s = self._session.received / SAMPLE_RATE
        for event in self._session.events():
            self.arrivals.append(Arrival(now_s, self._as_received(event)))

    def _as_received(self, event: Event) -> client_events.Event:
        message: messages.ServerMessage
        if isinstance(event, EngineFailed):
            raise EngineError(f"the {event.engine} failed: {event.reason}")
        if isinstance(event, Partial):
            message = partial_message(event)
        else:
            self._last_seq += 1
            message = lasting_message(Entry(self._last_seq, event))
        frame = wire.encode(message, wire.Subprotocol.MSGPACK)
        received = decode(frame, Subprotocol.MSGPACK)
        assert received is not None, "our own client knows all events"
        assert not isinstance(received, Ready | Ack | Pong | Error), "events only"
        return received


def _clipped(turn: Turn, end: Samples) -> Turn:
    return Turn(Span(turn.span.start, max(turn.span.start, min(turn.span.end, end))), turn.speaker)


def _timed(call: Callable[[], T], cost: Cost) -> T:
    began_s = time.process_time()
    outcome = call()
    cost.cpu_s += time.process_time() - began_s
    cost.pieces += 1
    return outcome
