"""Where a server is between start and stop, in one place that endpoints ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from server.codes import ErrorCode
from server.errors import Overload, ServerFault
from server.jobs import Jobs
from server.messages import Models
from server.rooms import Rooms
from server.sessions import Sessions
from server.storage.store import Store
from server.uploads import Uploads
from server.visits import Visits

LOADING_RETRY_MS = 1_000
"""Loading takes a few seconds: whoever came early tries again soon."""


@dataclass(frozen=True, slots=True)
class Loading:
    """The server listens, but its models are not there yet."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Sessions can be opened.

    Attributes:
        sessions: All of them.
        rooms: Where transcripts are shared.
        store: Where they are kept.
        visits: Who is here by a link.
        jobs: What is to be heard again.
        uploads: Takes recordings that come as files.
        models: What hears them.
        languages: ISO 639-1 codes that the recognizer knows.
        waiting: Returns how many pieces of work wait for a model.
    """

    sessions: Sessions
    rooms: Rooms
    store: Store
    visits: Visits
    jobs: Jobs
    uploads: Uploads
    models: Models
    languages: frozenset[str]
    waiting: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Stopping:
    """Nothing new is taken; what runs is being put away."""


State = Loading | Serving | Stopping


class Lifecycle:
    """The present state of one server; used in its event loop.

    Attributes:
        state: Where the server is; written by its `Application` only.
    """

    def __init__(self) -> None:
        self.state: State = Loading()
        self._connections = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def connections(self) -> int:
        """How many streaming connections are open."""
        return self._connections

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Count a streaming connection."""
        self._connections += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._connections -= 1
            if self._connections == 0:
                self._quiet.set()

    async def quiet(self) -> None:
        """Wait until no streaming connection is open."""
        await self._quiet.wait()

    def serving(self) -> Serving:
        """Return what serves.

        Raises:
            Refusal: Nothing does yet, or any more.
        """
        match self.state:
            case Serving() as serving:
                return serving
            case Loading():
                raise Overload(
                    ErrorCode.OVERLOADED,
                    "The server is starting",
                    expected="loaded models",
                    got="models that are still being loaded",
                    retry_after_ms=LOADING_RETRY_MS,
                )
            case Stopping():
                raise restart()


def restart() -> ServerFault:
    """Return what clients are told when the server stops."""
    return ServerFault(
        ErrorCode.RESTART,
        "The server stops",
        expected="to be resumed once it is back",
        got="a request to stop",
    )
