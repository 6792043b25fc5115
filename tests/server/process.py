"""`trax serve` as a process of its own, to be stopped or killed."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.server.talking import DEADLINE_S, TOKEN, Running, prepared

_URL = re.compile(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)")


@dataclass
class Process:
    """A running `trax serve`, and what it has printed."""

    process: asyncio.subprocess.Process
    output: list[str] = field(default_factory=list)
    port: int = 0
    token: str = ""

    async def ready(self) -> None:
        """Wait for the URL."""
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            while line := (await self.process.stdout.readline()).decode():
                self.output.append(line)
                if found := _URL.search(line):
                    self.port, self.token = int(found[1]), found[2]
                    return
        raise AssertionError("".join(self.output))

    async def ended(self) -> int:
        """Wait for the end; return the exit code."""
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            self.output.append((await self.process.stdout.read()).decode())
            return await self.process.wait()

    def text(self) -> str:
        return "".join(self.output)


@asynccontextmanager
async def process(*flags: str, **variables: str) -> AsyncIterator[Process]:
    """Run `trax serve`; killed at the end if it is still there."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "server", "serve", *flags),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **variables},
    )
    running = Process(started)
    try:
        yield running
    finally:
        if started.returncode is None:
            started.kill()
            await running.ended()


@asynccontextmanager
async def serving_process(folder: Path, words: str, *flags: str) -> AsyncIterator[Process]:
    """Run `trax serve` over a folder with a script, until it is ready."""
    settings = prepared(folder, words)
    options = ["--port", "0", "--data-dir", str(settings.data_dir)]
    options += ["--live-model", settings.live_model, "--passes", str(settings.passes), *flags]
    async with process(*options, TRAX_TOKEN=TOKEN) as running:
        await running.ready()
        yield running


def as_running(folder: Path, server: Process) -> Running:
    """Return what the client of `talking` needs to know."""
    settings = prepared(folder, (folder / "script.json").read_text())
    return Running(None, server.port, settings.data_dir, settings)  # type: ignore[arg-type]
