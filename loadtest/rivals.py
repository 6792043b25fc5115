"""Servers measured in turn: ours, and others beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

from loadtest.clients import Caller, Client, trax
from loadtest.measured_server import Measurable, running_server
from loadtest.options import starting
from loadtest.peers.calling import Peer

OURS = "trax"


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs: how clients speak to it, and what can be looked at."""

    client: Client
    server: Measurable | None


@dataclass(frozen=True, slots=True)
class Rival:
    """A server that can be measured.

    Attributes:
        name: In tables.
        running: Runs it for so many streams; one of others runs already.
    """

    name: str
    running: Callable[[int], AbstractAsyncContextManager[Running]]


def ours(caller: Caller, name: str = OURS, flags: Sequence[str] = ()) -> Rival:
    """Return a server of our own, a new one each time it is asked for.

    Args:
        caller: How clients connect; its URL is not known yet.
        name: In tables.
        flags: Of `trax serve`.
    """

    @asynccontextmanager
    async def running(streams: int) -> AsyncIterator[Running]:
        # One more than that would be turned away.
        with starting() as status:
            async with running_server(("--max-sessions", str(streams), *flags)) as server:
                status.stop()
                yield Running(trax(replace(caller, url=server.url)), server)

    return Rival(name, running)


def theirs(peers: Sequence[Peer], language: str, token: str | None) -> list[Rival]:
    """Return servers that somebody else runs; those of one kind are named with where they are."""
    kinds = Counter(peer.kind for peer in peers)
    return [
        _theirs(peer, peer.kind if kinds[peer.kind] == 1 else str(peer), language, token)
        for peer in peers
    ]


def _theirs(peer: Peer, name: str, language: str, token: str | None) -> Rival:
    @asynccontextmanager
    async def running(_streams: int) -> AsyncIterator[Running]:
        yield Running(peer.client(language, token), peer.server())

    return Rival(name, running)
