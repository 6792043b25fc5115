"""What the command shows: events as JSON, plain lines, or a live screen (`screen.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TextIO

from trax_client.events import Done, Event, Final, Partial, Stats
from trax_client.folding import Transcript
from trax_client.lines import SettlingLines, clock
from trax_client.wire import as_json

PLAIN_PATIENCE_MS = 3_000
"""The utterance pass is heard about a second after a pause, and printed lines stay."""


class View(Protocol):
    """Shows one session, from when it is made; `finish` comes last, however the session ended."""

    def show(self, event: Event) -> None:
        """Show an event."""

    def finish(self, latency: Latency) -> None:
        """Show what is left, and the totals."""


class Latency:
    """How long after it was said a word was final, on average; known for real-time audio only."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._words = 0
        self._total_s = 0.0

    def begin(self, now_s: float) -> None:
        """Say that the first sample is being spoken now."""
        self._began = now_s

    def take(self, event: Event, now_s: float) -> None:
        """Count the words of a final that came now."""
        if isinstance(event, Final) and self._began is not None:
            for word in event.words:
                self._words += 1
                self._total_s += now_s - self._began - word.end_ms / 1000

    @property
    def mean_s(self) -> float | None:
        """The mean, or `None` when nothing was measured."""
        return self._total_s / self._words if self._words else None


def totals(done: Done, latency: Latency) -> str:
    """Return a session's totals as a sentence."""
    parts = [
        f"{clock(done.audio_ms)} of audio",
        _counted(done.words, "word"),
        _counted(done.utterances, "utterance"),
        _counted(done.speakers, "speaker"),
        _counted(done.corrections, "correction"),
    ]
    if latency.mean_s is not None:
        parts.append(f"words final after {latency.mean_s:.1f} s on average")
    return ", ".join(parts)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@dataclass(slots=True)
class JsonView:
    """One event a line, as the protocol writes it, at once."""

    out: TextIO

    def show(self, event: Event) -> None:
        """Write the event."""
        _write_line(self.out, as_json(event))

    def finish(self, latency: Latency) -> None:
        """Show nothing."""


class PlainView:
    """Lines that stay: what is final, as `[0:12] S1: text`. Totals go to `log`."""

    def __init__(self, out: TextIO, log: TextIO, name: str) -> None:
        self._out = out
        self._log = log
        self._transcript = Transcript()
        self._lines = SettlingLines(self._transcript, PLAIN_PATIENCE_MS)
        self._done: Done | None = None
        _write_line(self._log, f"{name}:")

    def show(self, event: Event) -> None:
        """Write the lines that have settled."""
        if isinstance(event, Partial):
            return
        self._transcript.apply(event)
        if isinstance(event, Stats):
            self._write(processed_ms=event.processed_ms)
        elif isinstance(event, Done):
            self._done = event

    def finish(self, latency: Latency) -> None:
        """Write the rest, also of a session that failed."""
        self._write(processed_ms=None)
        if self._done is not None:
            _write_line(self._log, totals(self._done, latency))

    def _write(self, processed_ms: int | None) -> None:
        lines = self._lines
        settled = lines.take_all() if processed_ms is None else lines.take(processed_ms)
        for line in settled:
            speaker = f"{line.speaker}: " if line.speaker else ""
            text = f"[{clock(line.start_ms)}] {speaker}{line.text}"
            _write_line(self._out, text)


def _write_line(stream: TextIO, text: str) -> None:
    """Write a line at once: whoever reads our output waits for it."""
    stream.write(text + "\n")
    stream.flush()
