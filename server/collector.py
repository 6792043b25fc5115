"""Python's cyclic garbage collector, kept from what is old while anybody is being served.

It looks through all objects that have been there for a while in one go, and nothing else of the
process runs meanwhile: 60 to 180 ms where transcripts of three hours are open. What is new it looks
through in a millisecond, and there nearly all cycles end: those of errors and tasks. So old objects
are left to quiet moments. Most go without the collector, when nothing refers to them any more.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

NEVER = 2**31 - 1
"""Collections of what is new after which Python would look through what is old (a C int)."""

LOOK_S = 60.0
"""How often it is asked whether anybody is being served."""

MOST_S = 6 * 60 * 60.0
"""A server that is never quiet looks through old objects so rarely all the same."""


class Collector:
    """The collector of this process; one for the whole server, used in its event loop."""

    def __init__(self, quiet: Callable[[], bool]) -> None:
        """Change nothing yet.

        Args:
            quiet: Returns whether nobody would notice a tenth of a second.
        """
        self._quiet = quiet

    async def run(self) -> None:
        """Collect what is old in quiet moments only, until cancelled; then as Python does.

        What is there already is not looked through again.
        """
        loop = asyncio.get_running_loop()
        young, middle, old = gc.get_threshold()
        gc.collect()
        gc.freeze()
        gc.set_threshold(young, middle, NEVER)
        collected_s = loop.time()
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                if self._quiet() or loop.time() - collected_s >= MOST_S:
                    gc.collect()
                    collected_s = loop.time()
        finally:
            gc.set_threshold(young, middle, old)
            gc.unfreeze()
