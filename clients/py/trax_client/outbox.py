"""Audio between the caller and the server: numbered, held until acknowledged, sent within credit.

Positions are sample indices of the session, as on the wire:

    0 ......... base ......... cursor ......... until ......... end
       forgotten     sent, kept       may be sent    must wait

`end` may pass `until`: what a caller has handed over is kept, and the caller waits. It may also
pass what the session takes (`limit`): then `End` is said there, and the rest is for the next one.
"""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass

from trax_client.errors import ProtocolViolation
from trax_client.requests import Audio, End, Finalize

MAX_FRAME_BYTES = 32_768
"""Largest audio frame: a second of 16 kHz speech. Larger gain nothing and make credit coarse."""

FRAME_OVERHEAD_BYTES = 64
"""What msgpack adds to the samples of an `audio` message, generously."""


@dataclass(slots=True)
class _Flush:
    """A `finalize` that the caller asked for after the sample before `at`."""

    at: int
    sent: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """Audio that a caller handed over: where it ends, and when, as Unix time."""

    end: int
    taken_ms: int


class Outbox:
    """What one session has to send; owned by its `Dialogue`. No socket, no clock.

    Args:
        sample_bytes: Size of one sample; bytes of an incomplete one wait for their rest.
    """

    def __init__(self, sample_bytes: int) -> None:
        self._sample_bytes = sample_bytes
        self._kept = bytearray()
        self._pieces: deque[_Piece] = deque()
        self._base = 0
        self._cursor = 0
        self._until = 0
        self._most = sys.maxsize
        self._frame_samples = 1
        self._flushes: list[_Flush] = []
        self._end_asked = False
        self._end_sent = False

    @property
    def base(self) -> int:
        """The server holds everything before this sample."""
        return self._base

    @property
    def end(self) -> int:
        """One past the last whole sample taken from the caller."""
        return self._base + len(self._kept) // self._sample_bytes

    @property
    def has_room(self) -> bool:
        """Whether all that was taken may be sent: the caller need not wait."""
        return self.end <= min(self._until, self._most)

    @property
    def sent(self) -> int:
        """Samples sent on this connection, or that the server had before."""
        return self._cursor

    @property
    def has_frame(self) -> bool:
        """Whether a full frame is waiting: time to let the sender run."""
        return self.end - self._cursor >= self._frame_samples

    @property
    def ended(self) -> bool:
        """Whether the caller said that no more audio follows."""
        return self._end_asked

    def put(self, pcm: bytes | bytearray | memoryview, taken_ms: int) -> None:
        """Take audio of any length; it is copied.

        Args:
            pcm: Bytes; those of an incomplete sample wait for their rest.
            taken_ms: Unix time now.
        """
        self._kept += pcm
        self._pieces.append(_Piece(self.end, taken_ms))

    def forget(self, samples: int) -> None:
        """Forget audio before `samples`, which the server turned out to have."""
        self._drop(min(max(samples, self._base), self.end))

    def recorded_ms(self, sample_rate: int) -> int | None:
        """When the first sample that is kept was recorded, as Unix time; `None` if none is."""
        if self._base == self.end:
            return None
        first = self._pieces[0]
        return first.taken_ms - (first.end - self._base) * 1000 // sample_rate

    def renumber(self) -> int:
        """Count from 0 again, from the first sample kept; return how many there were before."""
        before = self._base
        self._pieces = deque(_Piece(each.end - before, each.taken_ms) for each in self._pieces)
        self._flushes = [_Flush(max(0, flush.at - before), sent=False) for flush in self._flushes]
        self._base = self._cursor = self._until = 0
        self._most = sys.maxsize
        return before

    def limit(self, samples: int) -> None:
        """End the session before this sample, at the latest: what follows is for another one."""
        self._most = min(self._most, samples)

    def finalize(self) -> None:
        """Ask for everything so far to become final, once it has been sent."""
        if self._flushes and self._flushes[-1].at == self.end:
            self._flushes[-1].sent = False
        else:
            self._flushes.append(_Flush(at=self.end, sent=False))

    def finish(self) -> None:
        """Say that no more audio follows; bytes of an incomplete last sample are dropped."""
        self._end_asked = True

    def limit_frames(self, message_bytes: int) -> None:
        """Learn the largest message that the server takes."""
        size = min(MAX_FRAME_BYTES, message_bytes - FRAME_OVERHEAD_BYTES)
        self._frame_samples = max(1, size // self._sample_bytes)

    def rewind(self, next_sample: int, until: int) -> None:
        """Begin a connection whose server wants `next_sample` and gives credit up to `until`.

        Raises:
            ProtocolViolation: If that sample is forgotten, or was never sent.
        """
        if not self._base <= next_sample <= self.end:
            expected = f"{self._base}..{self.end}"
            raise ProtocolViolation(expected, str(next_sample), field="ready.next")
        self._cursor = next_sample
        self._until = until
        self._end_sent = False
        for flush in self._flushes:
            flush.sent = False

    def acknowledge(self, samples: int, until: int) -> bool:
        """Forget audio before `samples`, take credit up to `until`; return whether any was new.

        Raises:
            ProtocolViolation: If the server acknowledges what it was not sent.
        """
        if samples > self._cursor:
            raise ProtocolViolation(f"at most {self._cursor}", str(samples), field="ack.samples")
        self._until = max(self._until, until)
        if samples <= self._base:
            return False
        self._drop(samples)
        return True

    def next_message(self) -> Audio | Finalize | End | None:
        """Return what to send next and count it as sent, or `None` if there is nothing to do."""
        stop = min(self.end, self._until, self._most, self._cursor + self._frame_samples)
        for flush in self._flushes:
            if not flush.sent:
                if flush.at <= self._cursor:
                    flush.sent = True
                    return Finalize()
                stop = min(stop, flush.at)
        if stop > self._cursor:
            return self._take(stop)
        full = self._cursor >= self._most and self.end > self._most
        if (full or (self._end_asked and self._cursor == self.end)) and not self._end_sent:
            self._end_sent = True
            return End()
        return None

    def _drop(self, samples: int) -> None:
        del self._kept[: (samples - self._base) * self._sample_bytes]
        self._base = samples
        while self._pieces and self._pieces[0].end <= samples:
            self._pieces.popleft()
        # Audio after it arrived, and frames arrive in order: so did the finalize.
        self._flushes = [flush for flush in self._flushes if flush.at >= samples]

    def _take(self, stop: int) -> Audio:
        first = (self._cursor - self._base) * self._sample_bytes
        last = (stop - self._base) * self._sample_bytes
        audio = Audio(at=self._cursor, pcm=bytes(self._kept[first:last]))
        self._cursor = stop
        return audio
