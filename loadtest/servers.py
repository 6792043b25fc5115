"""Servers of our own, one after another over the same data folder: what survives a crash."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from loadtest.measured_server import MeasuredServer, running_server


class Servers:
    """One server after another, on the same port and data folder; owned by a measurement.

    Attributes:
        port: Where each of them listens.
    """

    def __init__(self, folder: Path, flags: Sequence[str]) -> None:
        """Start none yet.

        Args:
            folder: Their data folder.
            flags: Of `trax serve`.
        """
        self.port = free_port()
        self._options = (*flags, "--port", str(self.port), "--data-dir", str(folder))
        self._life = AsyncExitStack()
        self._running: MeasuredServer | None = None

    async def start(self) -> str:
        """Start the next one; return its URL, which is always the same."""
        self._running = await self._life.enter_async_context(running_server(self._options))
        return self._running.url

    async def kill(self) -> None:
        """Kill it at once."""
        assert self._running is not None
        self._running.process.kill()
        await self._running.process.wait()
        await self.stop()

    async def stop(self) -> None:
        """Stop it as by Ctrl-C, if it is there."""
        await self._life.aclose()


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
