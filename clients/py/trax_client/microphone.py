"""The default microphone, through sounddevice (PortAudio); the boundary to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import SupportsBytes

import sounddevice

from trax_client.sources import BLOCK_BYTES, BLOCK_MS, SAMPLE_RATE, SourceError

WAITING_MS = 600_000
"""Sound kept while the server takes none: 19 MB. Longer than any session is kept without us."""


class Microphone:
    """Live sound. Blocks that came while nobody asked for them wait, up to `WAITING_MS`."""

    name = "microphone"

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """Yield sound as it comes; never ends by itself.

        Raises:
            SourceError: If there is no microphone, it stops, or more sound waits than is kept.
        """
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue()

        def put(block: bytes | None) -> None:
            # Called from PortAudio's own thread.
            loop.call_soon_threadsafe(waiting.put_nowait, block)

        def take(block: SupportsBytes, *_about: object) -> None:
            put(bytes(block))  # its buffer is reused

        try:
            stream = sounddevice.RawInputStream(
                samplerate=SAMPLE_RATE,
                channels=1,
                dtype="int16",
                blocksize=BLOCK_BYTES // 2,
                callback=take,
                finished_callback=lambda: put(None),
            )
            stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise SourceError(f"no microphone: {error}") from error
        try:
            while (block := await waiting.get()) is not None:
                if waiting.qsize() * BLOCK_MS > WAITING_MS:
                    raise SourceError("the server took no audio for too long")
                yield block
        finally:
            stream.close()
        raise SourceError("the microphone stopped")
