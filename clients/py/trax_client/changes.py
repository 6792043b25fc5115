"""Changes of a shared transcript on their way to whoever follows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from weakref import WeakSet

from trax_client.document import Change, Part


class Changes(AsyncIterator[Change]):
    """What changes from when this was made; from `SharedTranscript.changes`.

    What nobody has read yet is kept as the names of parts, so that nothing piles up.
    """

    def __init__(self, read: Callable[[Part], Change], ended: Callable[[], bool]) -> None:
        """Follow.

        Args:
            read: Returns what a part says now.
            ended: Whether nothing changes any more; raises why, if something went wrong.
        """
        self._read = read
        self._ended = ended
        self._parts: set[Part] = set()
        self._woken = asyncio.Event()

    def note(self, parts: frozenset[Part]) -> None:
        """Note that parts changed, or, without any, that nothing will any more."""
        self._parts |= parts
        self._woken.set()

    async def __anext__(self) -> Change:
        """Return the next change.

        Raises:
            StopAsyncIteration: The transcript was closed.
            TraxError: It was lost for good.
        """
        while not self._parts:
            if self._ended():
                raise StopAsyncIteration
            self._woken.clear()
            await self._woken.wait()
        part = min(self._parts)
        self._parts.discard(part)
        return self._read(part)


class Audience:
    """All who follow one transcript; who is not referred to any more is forgotten."""

    def __init__(self) -> None:
        self._following: WeakSet[Changes] = WeakSet()

    def admit(self, changes: Changes) -> Changes:
        """Have somebody be told from now on."""
        self._following.add(changes)
        return changes

    def tell(self, parts: frozenset[Part]) -> None:
        """Tell everybody."""
        for changes in self._following:
            changes.note(parts)
