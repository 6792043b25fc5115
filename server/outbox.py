"""What one connection has still to be told, bounded however slowly its client reads.

The journal itself is the queue of lasting events: an outbox only counts up to where its client was
told, so that a replay after a resume and a slow reader are the same thing. Of partials only the
newest is kept, and only while it is true.
"""

from __future__ import annotations

import asyncio
from collections import deque

from server.codes import ErrorCode
from server.errors import PeerMistake, Refusal
from server.journal import Entry
from server.messages import Done, Pong
from streaming.core.events import Final, Partial, UtteranceEnded

UNREAD_PONGS = 64
"""Answers to `ping` that may wait: a client that sends so many reads none of them."""

Ending = Done | Refusal


class Outbox:
    """Filled by a session, emptied by the connection that owns it; both in the event loop.

    Attributes:
        sent: Number of the last lasting event that was sent.
        ending: What ends the connection, once something does: the first reason, but see `end`.
        wake: Set when there may be something to send.
        cut: Set when a refusal ends the connection, whatever is still unsaid.
    """

    def __init__(self, after: int, last_seq: int, unread_limit: int) -> None:
        """Begin for a client that has seen the events up to `after`.

        Args:
            after: As the client says.
            last_seq: Number of the newest event: what lies between is replayed, and does not
                count as unread.
            unread_limit: How many newer events may wait.
        """
        self.sent = after
        self.ending: Ending | None = None
        self.wake = asyncio.Event()
        self.cut = asyncio.Event()
        self._last_seq = last_seq
        self._since = last_seq
        self._unread_limit = unread_limit
        self._partial: Partial | None = None
        self._pongs: deque[Pong] = deque()

    @property
    def caught_up(self) -> bool:
        """Whether every lasting event was sent."""
        return self.sent >= self._last_seq

    def add_entry(self, entry: Entry) -> None:
        """A lasting event was journaled; the outbox ends if too many wait."""
        self._last_seq = entry.seq
        if isinstance(entry.event, Final | UtteranceEnded):
            self._partial = None  # It shows words that are final now, or gone.
        unread = entry.seq - max(self.sent, self._since)
        if unread > self._unread_limit:
            self._overflow(f"at most {self._unread_limit} unread events", f"{unread}")
        self.wake.set()

    def add_partial(self, partial: Partial) -> None:
        """Replace the partial that waits, if one does."""
        self._partial = partial
        self.wake.set()

    def add_pong(self, pong: Pong) -> None:
        """Answer a ping; the outbox ends if too many answers wait."""
        self._pongs.append(pong)
        if len(self._pongs) > UNREAD_PONGS:
            self._overflow(f"at most {UNREAD_PONGS} unread answers", f"{len(self._pongs)}")
        self.wake.set()

    def end(self, ending: Ending) -> None:
        """End the connection: with `Done` after everything else, with a refusal at once.

        `Done` waits for the client's `end`, so it gives way to a mistake: a client that sends audio
        instead would be told nothing, for ever.
        """
        mistaken = isinstance(self.ending, Done) and isinstance(ending, PeerMistake)
        if self.ending is None or mistaken:
            self.ending = ending
            if isinstance(ending, Refusal):
                self.cut.set()
        self.wake.set()

    def take_pongs(self) -> list[Pong]:
        """Return the answers that wait."""
        pongs = list(self._pongs)
        self._pongs.clear()
        return pongs

    def take_partial(self) -> Partial | None:
        """Return the partial that waits, once all lasting events before it were sent."""
        if not self.caught_up:
            return None
        partial, self._partial = self._partial, None
        return partial

    def _overflow(self, expected: str, got: str) -> None:
        self.end(
            PeerMistake(
                ErrorCode.NOT_READING,
                "The client does not read what it is sent",
                expected=expected,
                got=got,
            )
        )
