"""A server of our own to measure: `trax serve` in a process of its own, and what it uses.

It gets a free port and a new folder, keeps every other setting from the environment, and is
stopped as by Ctrl-C.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import psutil

from loadtest.errors import ServerGone, ServerNotStarted

ROOT = Path(__file__).parents[1]

START_S = 120.0
"""How long models may take to load: two seconds from a warm disk, much more from a cold one."""

STOP_S = 20.0

SAMPLE_S = 0.2
"""How often memory is looked at; a peak between two looks goes unseen."""

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_URL = re.compile(r"https?://\S+\?token=\S+")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a server used by now.

    Attributes:
        cpu_s: Processor time of the server and its children, since it started.
        rss_bytes: Memory of all of them, what they share counted for each.
    """

    cpu_s: float
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class MeasuredServer:
    """A running server; made by `running_server`.

    Attributes:
        url: Where clients find it, token included.
        process: It.
    """

    url: str
    process: Process

    def usage(self) -> Usage:
        """Return what it uses now; costs about a millisecond."""
        return usage_of(self.process.pid)


@dataclass(frozen=True, slots=True)
class OtherServer:
    """A server that somebody else started on this machine; found by `listening_on`."""

    pid: int

    def usage(self) -> Usage:
        """Return what it uses now; costs about a millisecond."""
        return usage_of(self.pid)


class Measurable(Protocol):
    """A server that can be looked at."""

    def usage(self) -> Usage:
        """Return what it uses now."""
        ...


def usage_of(pid: int) -> Usage:
    """Return what a process and its children use now, and what those used that ended.

    Raises:
        ServerGone: There is no such process any more.
    """
    try:
        server = psutil.Process(pid)
        family = [server, *server.children(recursive=True)]
    except psutil.NoSuchProcess:
        raise ServerGone("a server that runs expected, but it ended") from None
    cpu_s, rss_bytes = 0.0, 0
    for each in family:
        with suppress(psutil.NoSuchProcess):  # A child may end meanwhile.
            times = each.cpu_times()
            cpu_s += times.user + times.system + times.children_user + times.children_system
            rss_bytes += each.memory_info().rss
    return Usage(cpu_s, rss_bytes)


def listening_on(url: str) -> OtherServer | None:
    """Return the server behind a URL, if it runs on this machine and may be looked at."""
    address = urlsplit(url)
    if address.hostname not in LOOPBACK:
        return None
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            for socket in process.net_connections("tcp"):
                if socket.status == psutil.CONN_LISTEN and socket.laddr.port == address.port:
                    return OtherServer(process.pid)
    return None


@asynccontextmanager
async def running_server(options: Sequence[str] = ()) -> AsyncIterator[MeasuredServer]:
    """Run a server until the context is left.

    Args:
        options: Flags of `trax serve`.

    Raises:
        ServerNotStarted: It did not come up; the message has its own last words.
    """
    with tempfile.TemporaryDirectory(prefix="trax-loadtest-") as folder:
        log = Path(folder) / "server.log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "server", "serve", "--port", "0"),
                *("--data-dir", str(Path(folder) / "data"), *options),
                stdout=PIPE,
                stderr=errors,
                cwd=ROOT,
            )
        try:
            yield MeasuredServer(await _announced_url(process, log), process)
        finally:
            await _stop(process)


async def _announced_url(process: Process, log: Path) -> str:
    """Return the URL that the server prints when it is ready."""
    assert process.stdout is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(START_S):
            while line := await process.stdout.readline():
                if found := _URL.search(line.decode()):
                    return found[0]
    raise ServerNotStarted("\n".join(["the server did not start:", *_last_lines(log)]))


def _last_lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(STOP_S):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()


@asynccontextmanager
async def sampled(server: Measurable | None, take: Callable[[Usage], None]) -> AsyncIterator[None]:
    """Tell `take` what a server uses, again and again while the context lasts.

    With no server, nothing is told: what another machine uses is not known. That one ended is for
    those to tell who speak to it.
    """
    if server is None:
        yield
        return
    measured = server

    async def sample() -> None:
        while True:
            take(measured.usage())
            await asyncio.sleep(SAMPLE_S)

    sampling = asyncio.create_task(sample())
    try:
        yield
    finally:
        sampling.cancel()
        with suppress(asyncio.CancelledError, ServerGone):
            await sampling
        with suppress(ServerGone):
            take(measured.usage())
