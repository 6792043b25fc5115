"""What operators see: Prometheus metrics of one server, and how late words are."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from server.codes import ErrorCode
from server.journal import Entry
from server.storage.jobs import Census
from streaming.core.domain import SAMPLE_RATE, Samples, UtteranceId
from streaming.core.events import Final, Partial

LATENCIES_S = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 30.0)
LOOP_LAGS_S = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
BEAT_S = 0.05
"""How often the event loop is asked whether it is awake. What is found is how late a callback comes
that is due at any moment, and all that blocks it for longer than this; each time costs 0.1 ms."""

REMEMBERED_ARRIVALS = 3_000
"""Pieces of audio whose arrival a session remembers: a minute of pieces of 20 ms."""


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the server is at the moment somebody asks."""

    sessions: int
    connections: int
    lag: Samples
    step: Samples
    waiting: int


class Telemetry:
    """The metrics of one server, in a registry of their own; used in the event loop only.

    Latencies are wall time from the arrival of the audio with a word's end to the event that
    tells the word, so the network is not in them. Client names, words and tokens never are.
    """

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._sessions = Gauge("trax_sessions", "Sessions that are being heard", registry=registry)
        self._connections = Gauge("trax_connections", "Open connections", registry=registry)
        self._lag = Gauge(
            "trax_lag_seconds",
            "Audio received and not heard yet, its voices included, of the session that has most",
            registry=registry,
        )
        self._step = Gauge(
            "trax_step_seconds",
            "Audio between two live passes, of the slowest session",
            registry=registry,
        )
        self._waiting = Gauge(
            "trax_queue_depth", "Pieces of work that wait for a model", registry=registry
        )
        self._audio = Counter("trax_audio_seconds", "Audio received", registry=registry)
        self._opened = Counter(
            "trax_sessions_opened",
            "Sessions begun, and taken up again",
            ["how"],
            registry=registry,
        )
        self._closed = Counter(
            "trax_connections_refused",
            "Connections ended with an error, by its code",
            ["code"],
            registry=registry,
        )
        self._failures = Counter(
            "trax_engine_failures",
            "Sessions that a failing model interrupted",
            ["engine"],
            registry=registry,
        )
        self._left_out = Counter(
            "trax_utterance_passes_left_out",
            "Utterances that were not heard once more because the server was too busy",
            registry=registry,
        )
        self._finals = Histogram(
            "trax_final_latency_seconds",
            "From the end of a word to its being final",
            buckets=LATENCIES_S,
            registry=registry,
        )
        self._partials = Histogram(
            "trax_first_partial_latency_seconds",
            "From the end of an utterance's first word to the first partial that shows it",
            buckets=LATENCIES_S,
            registry=registry,
        )
        self._jobs = Gauge("trax_jobs", "Jobs, by their state", ["state"], registry=registry)
        self._jobs_wait = Gauge(
            "trax_jobs_wait_seconds",
            "How long the job has waited that could have begun first",
            registry=registry,
        )
        self._loop_lag = Histogram(
            "trax_event_loop_lag_seconds",
            "How late the event loop wakes up",
            buckets=LOOP_LAGS_S,
            registry=registry,
        )

    def audio_received(self, samples: int) -> None:
        """Count audio, in samples at 16 kHz."""
        self._audio.inc(samples / SAMPLE_RATE)

    def session_opened(self, *, resumed: bool) -> None:
        """Count a session."""
        self._opened.labels("resumed" if resumed else "new").inc()

    def connection_refused(self, code: ErrorCode) -> None:
        """Count a connection that ended with an error."""
        self._closed.labels(code.value).inc()

    def engine_failed(self, engine: str) -> None:
        """Count a failure of `vad`, `diarizer` or `recognizer`."""
        self._failures.labels(engine).inc()

    def passes_left_out(self, count: int) -> None:
        """Count utterance passes that were left out under load."""
        self._left_out.inc(count)

    def word_final(self, latency_s: float) -> None:
        """Count a final word."""
        self._finals.observe(latency_s)

    def first_partial(self, latency_s: float) -> None:
        """Count an utterance whose first word was shown."""
        self._partials.observe(latency_s)

    def jobs_counted(self, census: Census, now_ms: int) -> None:
        """Note how many jobs there are, all servers' together."""
        for state, count in census.of_state.items():
            self._jobs.labels(state.value).set(count)
        since_ms = census.waiting_since_ms
        self._jobs_wait.set(0 if since_ms is None else max(0, now_ms - since_ms) / 1000)

    def render(self, load: Load) -> bytes:
        """Return all metrics in Prometheus' text format."""
        self._sessions.set(load.sessions)
        self._connections.set(load.connections)
        self._lag.set(load.lag / SAMPLE_RATE)
        self._step.set(load.step / SAMPLE_RATE)
        self._waiting.set(load.waiting)
        return generate_latest(self._registry)

    async def listen_to_the_loop(self) -> None:
        """Measure for ever how late the event loop is; to be run as a task."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self._loop_lag.observe(max(0.0, loop.time() - due))


class Arrivals:
    """When the audio of one session arrived; bounded, so old audio is forgotten."""

    def __init__(self) -> None:
        self._ends: deque[Samples] = deque(maxlen=REMEMBERED_ARRIVALS)
        self._times_s: deque[float] = deque(maxlen=REMEMBERED_ARRIVALS)

    def add(self, end: Samples, now_s: float) -> None:
        """Audio up to `end` is there now."""
        self._ends.append(end)
        self._times_s.append(now_s)

    def since(self, point: Samples, now_s: float) -> float | None:
        """Return how long ago the audio at `point` arrived; `None` when that is not known."""
        index = bisect_left(self._ends, point)
        forgotten = index == 0 and len(self._ends) == self._ends.maxlen
        if index == len(self._ends) or forgotten:
            return None
        return now_s - self._times_s[index]


class SessionTelemetry:
    """What one session has to report; owned by it."""

    def __init__(self, telemetry: Telemetry, received: Samples) -> None:
        """Begin for a session of which so much audio was received before."""
        self._telemetry = telemetry
        self._arrivals = Arrivals()
        self._received = received
        self._shown: UtteranceId | None = None
        self._left_out = 0

    def audio_received(self, end: Samples) -> None:
        """The session's audio ends here now."""
        self._telemetry.audio_received(end - self._received)
        self._received = end
        self._arrivals.add(end, _now_s())

    def entry_told(self, entry: Entry, left_out: int) -> None:
        """Note how late the words of an event are, and how many passes were left out by now."""
        self._telemetry.passes_left_out(left_out - self._left_out)
        self._left_out = left_out
        if isinstance(entry.event, Final):
            for word in entry.event.words:
                latency_s = self._arrivals.since(word.span.end, _now_s())
                if latency_s is not None:
                    self._telemetry.word_final(latency_s)

    def partial_shown(self, partial: Partial) -> None:
        """Note how late the first word of an utterance is."""
        if partial.words and partial.utterance != self._shown:
            self._shown = partial.utterance
            latency_s = self._arrivals.since(partial.words[0].span.end, _now_s())
            if latency_s is not None:
                self._telemetry.first_partial(latency_s)

    def engine_failed(self, engine: str) -> None:
        """Count a failure."""
        self._telemetry.engine_failed(engine)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
