"""The default microphone, through sounddevice (PortAudio); the boundary to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import SupportsBytes

import sounddevice

from trax_client.sources import BLOCK_BYTES, BLOCK_MS, SAMPLE_RATE, SourceError

WAITING_MS = 600_000
"""Sound kept while the server takes none: 19 MB. Longer than any session is kept without us."""


class Microphone:
    """Live sound. Blocks that came while nobody asked for them wait, up to `WAITING_MS`."""

    name = "microphone"

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield sound as it comes; never ends by itself.

        Raises:
            SourceError: If there is no microphone, or more sound waits than is kept.
        """
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[bytes] = asyncio.Queue()

        def take(block: SupportsBytes, *_about: object) -> None:
            # Called from PortAudio's own thread, which reuses the buffer.
            loop.call_soon_threadsafe(waiting.put_nowait, bytes(block))

        try:
            stream = sounddevice.RawInputStream(
                samplerate=SAMPLE_RATE,
                channels=1,
                dtype="int16",
                blocksize=BLOCK_BYTES // 2,
                callback=take,
            )
        except (sounddevice.PortAudioError, ValueError) as error:
            raise SourceError(f"no microphone: {error}") from error
        with stream:
            while True:
                if waiting.qsize() * BLOCK_MS > WAITING_MS:
                    raise SourceError("the server took no audio for too long")
                yield await waiting.get()
