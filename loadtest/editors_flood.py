"""Members who send without end: what others feel of it is for `editors` to measure."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count

from websockets.exceptions import ConnectionClosed

from loadtest.editors_link import EMPTY_STATE, Link
from server.transcript import make_client_id
from server.yjs import messages
from server.yjs.varints import write_text, write_varuint


async def flood(link: Link) -> None:
    """Show a cursor that jumps, and ask for the document, as fast as the server takes it.

    Ends when it is sent away, or cancelled.
    """
    client = make_client_id()
    reading = asyncio.create_task(_read(link))
    try:
        with suppress(ConnectionClosed):
            for clock in count(1):
                state = write_text(f'{{"cursor": {clock}}}')
                shown = write_varuint(1) + write_varuint(client) + write_varuint(clock) + state
                await link.send(messages.Awareness(shown))
                await link.send(messages.SyncStep1(EMPTY_STATE))
                await asyncio.sleep(0)
    finally:
        reading.cancel()


async def _read(link: Link) -> None:
    """Read, so that it is not for that that it is sent away."""
    async for _ in link.received():
        pass
