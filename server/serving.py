"""Running a server in this process: its folder, its socket, its signals, its end.

Everything that can be wrong is found before or while models load, and said in one line. The end
is clean: clients are told to come back (1012), recordings are complete, the exit code is 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import packages_distributions
from types import FrameType

import uvicorn

from server.app import Application, build_app
from server.auth import kept_token
from server.errors import StartError
from server.gone import WebSocketProtocol
from server.logs import OUR_PACKAGES
from server.memory import bound_arenas
from server.punctuality import PunctualProtocol
from server.settings import Settings
from server.storage.errors import StorageError
from streaming.errors import StreamingError

logger = logging.getLogger(__name__)

OURS = "trax-server"

SEND_BUFFER_BYTES = 256 * 1024
"""What the system keeps for a client that reads slowly. More would hold minutes of old partials,
and would hide from us that it does not read."""

BACKLOG = 512
"""Connections that may wait to be accepted; clients of a restarted server all come at once."""

DEAD_PEER_MS = 30_000
"""How long sent data may stay unread before the system drops the connection (RFC 5482)."""

PING_S = 20.0
"""WebSocket pings find connections that broke without a word."""

PATIENCE_S = 4.5
"""How long a stop may take, all in all."""

SWITCH_S = 0.0005
"""How long a thread that computes may go on when the event loop wants to: each time that the loop
comes back from the system, which is for every frame, it waits so long for Python. With Python's own
5 ms it was 5 ms late at the median while words were written; with this 0.7 ms
(`python -m loadtest editors`)."""

MADE_TURNS = 3
"""Turns of the event loop in which an accepted connection is certainly made."""

STOP_S = 1
"""How long uvicorn waits for requests under way; streams were told goodbye before."""


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Run a server until it is asked to stop (SIGINT, SIGTERM); a second time stops it at once.

    Args:
        settings: Of the server.
        announce: Told the URL with the token, once it can be used.

    Raises:
        StartError: The server cannot start, in one line.
    """
    check_packages()
    bound_arenas()
    sys.setswitchinterval(SWITCH_S)
    with _locked_folder(settings):
        token = settings.token or kept_token(settings.data_dir)
        listener = listen(settings)
        with contextlib.closing(listener):
            port = int(listener.getsockname()[1])
            app = build_app(settings, token)
            url = f"http://{_host(settings.host)}:{port}/?token={token}"
            loaded = asyncio.run(_serve(app, settings, listener, lambda: announce(url)))
    if not loaded:
        # The thread that loads models cannot be stopped, and libraries written in C++ abort when
        # Python ends under them. There were no sessions yet.
        logging.shutdown()
        os._exit(0)


def check_packages() -> None:
    """Refuse to run when another distribution owns one of our package names.

    Raises:
        StartError: Names it.
    """
    owners = packages_distributions()
    for package in OUR_PACKAGES:
        others = sorted(set(owners.get(package, [])) - {OURS})
        if others:
            raise StartError(
                f"the package {package!r} is also installed by {', '.join(others)}: "
                f"expected {OURS} alone; use a virtual environment of its own"
            )


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens where the settings say.

    Raises:
        StartError: The address is not ours, or the port is taken.
    """
    where = f"{settings.host}:{settings.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(f"cannot listen on {where}: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        with contextlib.suppress(AttributeError, OSError):  # Linux only
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)
        listener.bind(address)
        # Now, not when uvicorn is there: on Linux two sockets can be bound until one listens.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(_why_not(settings, error)) from error
    return listener


def web_config(app: Application, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn serves us: nothing logged with a URL, no compression, bounded messages."""
    return uvicorn.Config(
        app.asgi,
        lifespan="off",
        http=PunctualProtocol,
        ws=WebSocketProtocol,
        # Beyond this a frame is not even read (1009); up to it the client is told (4413).
        ws_max_size=2 * max(settings.message_bytes, settings.update_bytes),
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=2 * settings.max_connections,
        timeout_graceful_shutdown=STOP_S,
    )


class WebServer(uvicorn.Server):
    """uvicorn, but with a goodbye before it closes connections, and exit code 0 after it."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye, then let uvicorn close what is still open."""
        await self._drain()
        await self._accept_no_more()
        await super().shutdown(sockets)

    async def _accept_no_more(self) -> None:
        """Let connections that were accepted be made, so that they are closed with the others.

        Python 3.11 gets an `AssertionError` from one whose server closes in between, and forgets it
        open (`asyncio.Server._attach`).
        """
        loop = asyncio.get_running_loop()
        for listener in (sock for server in self.servers for sock in server.sockets):
            loop.remove_reader(listener.fileno())
        for _ in range(MADE_TURNS):
            await asyncio.sleep(0)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """Stop; the second time at once. uvicorn would raise the signal again after its end."""
        if self.should_exit:
            os._exit(1)
        self.should_exit = True
        # A thread in a long call of a model cannot be stopped, and Python would wait for it. What
        # was acknowledged is on disk by now.
        last_resort = threading.Timer(PATIENCE_S, os._exit, args=(0,))
        last_resort.daemon = True
        last_resort.start()


async def _serve(
    app: Application, settings: Settings, listener: socket.socket, ready: Callable[[], None]
) -> bool:
    """Answer while models load, then serve until asked to stop; return whether they were loaded."""
    web = WebServer(web_config(app, settings), app.drain)
    serving = asyncio.create_task(web.serve([listener]))
    loading = asyncio.create_task(app.load())
    try:
        await asyncio.wait({serving, loading}, return_when=asyncio.FIRST_COMPLETED)
        if loading.done() and not serving.done():
            await loading
            ready()
        await serving
    except (StorageError, StreamingError) as error:
        raise StartError(str(error)) from error
    finally:
        web.should_exit = True
        await serving
        loaded = loading.done()
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await app.aclose()
    return loaded


@contextlib.contextmanager
def _locked_folder(settings: Settings) -> Iterator[None]:
    """Make the data folder, and keep other servers out of it."""
    folder = settings.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(
            f"--data-dir: expected a folder that can be written, got {folder}: {error.strerror}"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StartError(f"another server uses the data folder {folder}") from error
    try:
        yield
    finally:
        os.close(lock)


def _why_not(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {settings.port} on {settings.host} is taken, perhaps by another Trax; "
            "choose one with --port, or --port 0"
        )
    return f"cannot listen on {settings.host}:{settings.port}: {error.strerror}"


def _host(host: str) -> str:
    """Return a host as it stands in a URL that works on this machine."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104
    return f"[{host}]" if ":" in host else host
