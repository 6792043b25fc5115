"""How long final words take from the speaker, who is told them, into the documents of editors.

The speaker is told of a final when it is on disk; at the same time it goes into the document, is
committed there, and is sent to everybody. So the difference is what the document costs.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loadtest.speaker import Speaker
from loadtest.tasks import grouped
from trax_client import Final, Session, connect

_SEGMENT = re.compile(rb'"([0-9A-Za-z-]+):([0-9]+):([0-9]+)"')
"""A machine's segment, as it stands in updates: the attribute of the text that it wrote."""


class FinalsWatch:
    """When each final was told, and when it came to each editor; owned by the measurement."""

    def __init__(self) -> None:
        self._told: list[tuple[int, float]] = []
        self._words = 0
        self._live: bytes | None = None
        self._came: dict[int, list[tuple[int, float]]] = {}

    def tell(self, words: int, now_s: float) -> None:
        """The speaker was told so many final words."""
        self._words += words
        self._told.append((self._words, now_s))

    def note(self, editor: int, update: bytes, now_s: float) -> None:
        """An update came to an editor."""
        for live, _, end in _SEGMENT.findall(update):
            # The first pass that writes anything is the session's own.
            self._live = self._live or live
            if live == self._live:
                self._came.setdefault(editor, []).append((int(end), now_s))

    @property
    def latencies_ms(self) -> list[float]:
        """From when the speaker was told a final to when an editor had it, for each of both."""
        return [
            1000 * (at_s - told_s)
            for words, told_s in self._told
            for came in self._came.values()
            if (at_s := next((at_s for end, at_s in came if end >= words), None)) is not None
        ]

    @property
    def missing(self) -> int:
        """Finals that did not come to an editor to whom others came."""
        return len(self._told) * len(self._came) - len(self.latencies_ms)


@asynccontextmanager
async def spoken_meanwhile(
    server_url: str, transcript: str, audio: bytes
) -> AsyncIterator[FinalsWatch]:
    """Speak into a transcript until the context is left.

    Args:
        server_url: As the server prints it.
        transcript: Its id.
        audio: What is said, at the pace of people, again and again.

    Raises:
        TraxError: The session failed.
    """
    watch = FinalsWatch()
    async with (
        connect(server_url, transcript=transcript, language="en") as session,
        grouped() as group,
    ):
        speaking = group.create_task(Speaker(session).speak(audio))
        listening = group.create_task(_listen(session, watch))
        yield watch
        for task in (speaking, listening):
            task.cancel()


async def _listen(session: Session, watch: FinalsWatch) -> None:
    clock = asyncio.get_running_loop().time
    async for event in session:
        if isinstance(event, Final):
            watch.tell(len(event.words), clock())
