"""How slowly a file may come that is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from server.errors import UploadError, UploadFault

IDLE_S = 60.0
"""How long a client may send nothing of a file that it has begun, or be behind `LEAST_RATE`."""

LEAST_RATE = 4096
"""Bytes a second that a file has to come with: less than any network has where people meet."""


async def in_time(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what comes of a file, as long as it is not too little; only waiting for it counts.

    Raises:
        UploadError: It comes too slowly.
    """
    clock, pieces, patience_s = asyncio.get_running_loop().time, aiter(body), IDLE_S
    while True:
        begun_s = clock()
        try:
            async with asyncio.timeout(patience_s):
                piece = await anext(pieces, None)
        except TimeoutError:
            expected = f"{LEAST_RATE} bytes a second, but for {IDLE_S:g} s"
            raise UploadError(UploadFault.TOO_SLOW, expected, "less") from None
        if piece is None:
            return
        patience_s -= clock() - begun_s
        patience_s = min(IDLE_S, patience_s + len(piece) / LEAST_RATE)
        yield piece
