"""The threads that wait for files, so that the event loop never does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from server.journal import Entry
from server.recordings import Recording
from server.resampling import Pcm16
from streaming.core.domain import Samples

logger = logging.getLogger(__name__)

T = TypeVar("T")

THREADS = 4
"""Writes wait for one disk: more threads would only wait longer."""

GATHER_S = 0.25
"""How long audio waits for more of it: a write wakes a thread, and is told to a client."""


class Disk:
    """Runs blocking file work in a few threads of its own; one for the whole server.

    Never give it work for the database: what waits for a lock there would hold up all audio.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="disk")

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` in a thread. Once begun it is done, even if its caller is cancelled."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Finish what was begun; blocks for that long."""
        self._threads.shutdown()


class Scribe:
    """Writes one session's audio and journal in the order given; owned by the session.

    While one write is under way the next ones gather, so that a slow disk makes writes larger
    rather than more. What is added is bounded by the client's credit and by what the core says.
    """

    def __init__(self, recording: Recording, disk: Disk) -> None:
        self._recording = recording
        self._disk = disk
        self._audio: list[Pcm16] = []
        self._entries: list[Entry] = []
        self._writing = asyncio.Lock()
        self._added = asyncio.Event()
        self._samples = recording.samples
        self._failure: OSError | None = None

    @property
    def samples(self) -> Samples:
        """Length of the audio with what is not written yet."""
        return self._samples

    @property
    def written(self) -> Samples:
        """Length of the audio that is written."""
        return self._recording.samples

    def add_audio(self, audio: Pcm16) -> None:
        """Have audio written; never blocks."""
        if len(audio):
            self._audio.append(audio)
            self._samples = Samples(self._samples + len(audio))
            self._added.set()

    def add_entry(self, entry: Entry) -> None:
        """Have a journal entry written, after all audio added before it; never blocks."""
        self._entries.append(entry)
        self._added.set()

    async def wait(self) -> None:
        """Wait until something is to be written, and for what comes soon after it."""
        await self._added.wait()
        await asyncio.sleep(GATHER_S)

    async def flush(self) -> None:
        """Write what was added so far; returns when it is written.

        Raises:
            OSError: The file system refuses, or did so before: what came later would stand where
                that belongs. What was not written is lost to this scribe.
        """
        async with self._writing:
            if self._failure is not None:
                raise self._failure
            self._added.clear()
            audio = b"".join(piece.tobytes() for piece in self._audio)
            entries = tuple(self._entries)
            self._audio.clear()
            self._entries.clear()
            if audio or entries:
                await self._write(audio, entries)

    async def finish(self) -> None:
        """Write what nobody waits for any more, if the file system takes it."""
        if self._failure is not None:
            return
        try:
            await self.flush()
        except OSError:
            logger.exception("recording not written")

    async def _write(self, audio: bytes, entries: tuple[Entry, ...]) -> None:
        """Write, and keep the next write waiting for this one even if the caller is cancelled."""
        write = asyncio.ensure_future(self._append(audio, entries))
        try:
            await asyncio.shield(write)
        except asyncio.CancelledError:
            await asyncio.wait([write])
            if not write.cancelled() and (failure := write.exception()) is not None:
                # Nobody waits for it any more; who cancelled us has a reason of its own.
                logger.exception("recording not written", exc_info=failure)
            raise

    async def _append(self, audio: bytes, entries: tuple[Entry, ...]) -> None:
        try:
            await self._disk.run(lambda: self._recording.append(audio, entries))
        except OSError as failure:
            self._failure = failure
            raise
