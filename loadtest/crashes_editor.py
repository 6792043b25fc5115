"""An editor that carries on by itself whenever its server dies, and knows what it has seen."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from loadtest.editors_link import Link, linked
from loadtest.editors_typing import Mark, Typist, find_marks
from server.transcript import Transcript, make_client_id
from server.yjs import messages

LONGEST_WAIT_S = 0.5
"""Before it tries again. y-websocket's 2.5 s, which it reaches, would be measured instead of the
server."""

LEAST_PAUSE_S, MOST_PAUSE_S = 0.02, 0.2
"""Between two edits."""


class Editor:
    """A replica, what is typed into it, and its connection while there is one.

    Attributes:
        typist: Types into it, connected or not.
        seen: What others typed, as it came from the server.
        online: Set while a connection stands over which both sides sent what the other lacked.
        offline: Set while none does, and all that came over the last one was taken in.
    """

    def __init__(self, number: int, chance: random.Random) -> None:
        self.typist = Typist(number, make_client_id())
        self.seen: set[Mark] = set()
        self.online = asyncio.Event()
        self.offline = asyncio.Event()
        self.offline.set()
        self._number = number
        self._chance = chance
        self._replica = Transcript(make_client_id())
        self._link: Link | None = None

    @property
    def text(self) -> str:
        """What it shows."""
        return self._replica.text

    async def stay(self, server_url: str, transcript: str) -> None:
        """Be connected, again and again, until cancelled."""
        while True:
            try:
                async with linked(server_url, transcript) as link:
                    self.offline.clear()
                    self._link = link
                    await self._listen(link)
            except (OSError, ConnectionClosed, InvalidHandshake):
                pass  # It is down, or going down: that is what is being measured.
            finally:
                self._link = None
                self.online.clear()
                self.offline.set()
            await asyncio.sleep(self._chance.uniform(0, LONGEST_WAIT_S))

    async def type(self) -> None:
        """Type marks at random moments, until cancelled."""
        while True:
            await asyncio.sleep(self._chance.uniform(LEAST_PAUSE_S, MOST_PAUSE_S))
            update = self.typist.type()
            self._replica.apply(update)
            if self._link is not None:
                # It is in the replica, and goes out when there is a connection again.
                with suppress(ConnectionClosed):
                    await self._link.send(messages.Update(update))

    async def _listen(self, link: Link) -> None:
        await link.send(messages.SyncStep1(self._replica.state_vector()))
        async for message in link.received():
            match message:
                case messages.SyncStep1(state_vector=state_vector):
                    lacking = self._replica.update_since(state_vector)
                    await link.send(messages.SyncStep2(lacking))
                case messages.SyncStep2(update=update):
                    self._take(update)
                    self.online.set()
                case messages.Update(update=update):
                    self._take(update)
                case _:
                    pass

    def _take(self, update: bytes) -> None:
        self._replica.apply(update)
        self.seen |= {mark for mark in find_marks(update) if mark.editor != self._number}
