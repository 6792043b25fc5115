"""How much of the time an event loop goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

LONGEST_GAP_S = 0.02
BEAT_S = 0.002

SHARE_BLOCKED = 0.3
"""Work in the event loop, and threads that keep the interpreter's lock, would block nearly all of
the time; other programs do so now and then."""


@dataclass
class Heartbeat:
    """Measures how long the event loop lets a task wait that wants to go on at once."""

    gaps_s: list[float] = field(default_factory=list)

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat inside."""
        task = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            task.cancel()

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before_s = loop.time()
            await asyncio.sleep(BEAT_S)
            self.gaps_s.append(loop.time() - before_s - BEAT_S)

    @property
    def share_blocked(self) -> float:
        """The part of the time that went by in gaps longer than `LONGEST_GAP_S`."""
        assert len(self.gaps_s) > 100, "time to measure"
        long_s = sum(gap for gap in self.gaps_s if gap > LONGEST_GAP_S)
        return long_s / (sum(self.gaps_s) + len(self.gaps_s) * BEAT_S)
