"""Events on their way from the connection to the caller."""

from __future__ import annotations

import asyncio
from collections import deque

from trax_client.events import Event, Partial, Stats

UNREAD_LIMIT = 256
"""Unread events from which on outdated ones are dropped."""


class Inbox:
    """Events that the caller has not read yet, in order; owned by its `Session`.

    The connection must be read whether the caller reads or not: the acknowledgements that let it
    send come the same way. So putting never waits. Partials and statistics that newer ones have
    replaced are dropped when too much is unread; all other events are kept, which the length of a
    session
    bounds: some hundred bytes a spoken word.
    """

    def __init__(self) -> None:
        self._unread: deque[Event] = deque()
        self._prune_at = UNREAD_LIMIT
        self._closed = False
        self._changed = asyncio.Event()

    def put(self, event: Event) -> None:
        """Add an event."""
        self._unread.append(event)
        if len(self._unread) > self._prune_at:
            self._prune()
        self._changed.set()

    def close(self) -> None:
        """Say that no more events come; what is unread can still be read."""
        self._closed = True
        self._changed.set()

    async def get(self) -> Event | None:
        """Return the next event as soon as there is one, or `None` when there will be none."""
        while not self._unread:
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._unread.popleft()

    def _prune(self) -> None:
        """Keep only the newest partial and statistics; looked at again when twice as much came."""
        last_partial = _last(self._unread, Partial)
        last_stats = _last(self._unread, Stats)
        self._unread = deque(
            event
            for event in self._unread
            if not isinstance(event, Partial | Stats)
            or event is last_partial
            or event is last_stats
        )
        self._prune_at = max(UNREAD_LIMIT, 2 * len(self._unread))


def _last(events: deque[Event], kind: type[Event]) -> Event | None:
    return next((event for event in reversed(events) if isinstance(event, kind)), None)
