"""A sliding stretch of a session's audio, addressed by the session clock.

`AudioBuffer` is appended to at one end and forgotten from the other; in between any window can be
read. It grows to what its owner keeps and no further: `StreamSession.room` bounds that.
"""

from __future__ import annotations

import numpy as np

from streaming.core.domain import Pcm, Samples, Span


class AudioBuffer:
    """Audio of one session from `start` to `end`; owned by its `StreamSession`."""

    def __init__(self, start: Samples) -> None:
        """Make an empty buffer whose next sample is number `start`."""
        self._store: Pcm = np.zeros(1 << 15, dtype=np.float32)
        self._offset = 0
        self._start = start
        self._end = start

    @property
    def start(self) -> Samples:
        """First sample still held."""
        return self._start

    @property
    def end(self) -> Samples:
        """One past the newest sample."""
        return self._end

    def append(self, pcm: Pcm) -> None:
        """Add audio at the end; it is copied, the caller may reuse `pcm`.

        Args:
            pcm: Mono float32 at 16 kHz, any length.
        """
        held = self._end - self._start
        if self._offset + held + len(pcm) > len(self._store):
            self._make_room(held + len(pcm))
        tail = self._offset + held
        self._store[tail : tail + len(pcm)] = pcm
        self._end = Samples(self._end + len(pcm))

    def forget(self, before: Samples) -> None:
        """Drop what lies before `before`; asking for what is gone already does nothing."""
        dropped = min(max(before, self._start), self._end) - self._start
        self._offset += dropped
        self._start = Samples(self._start + dropped)

    def read(self, span: Span) -> Pcm:
        """Return a copy of `span`; parts outside of what is held read as silence.

        Args:
            span: May begin before the first or end after the last sample of the session.
        """
        window = np.zeros(span.length, dtype=np.float32)
        first, last = max(span.start, self._start), min(span.end, self._end)
        if first < last:
            at = self._offset + first - self._start
            window[first - span.start : last - span.start] = self._store[at : at + last - first]
        return window

    def _make_room(self, needed: int) -> None:
        """Move what is held to the front of a store with twice the room needed.

        Doubling makes appending linear in all; a store that a burst made large shrinks again.
        """
        held = self._end - self._start
        store = np.zeros(max(1 << 15, 2 * needed), dtype=np.float32)
        store[:held] = self._store[self._offset : self._offset + held]
        self._store, self._offset = store, 0
