"""Who is here by a link, and leaves with it.

Links are looked up when somebody comes; a connection then stands for hours. One whose link expires
is sent away at that moment, and one whose link is revoked as soon as that is known: at once where
it was revoked through this server, otherwise the next time that all of them are looked up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from server.recordings import unix_ms
from server.storage.errors import StorageError
from server.storage.links import Links
from server.storage.values import Link
from server.store_threads import StoreThreads

logger = logging.getLogger(__name__)

CHECK_S = 5.0
"""How often all links are looked up that somebody is here by: another server may revoke one."""

REVOKED = "this link was revoked"
EXPIRED = "this link expired"

SendAway = Callable[[str], None]
"""Ends a connection for a reason; must not raise."""


class Visits:
    """The connections of one server that stand by a link; used in its event loop."""

    def __init__(self, links: Links, threads: StoreThreads) -> None:
        self._links = links
        self._threads = threads
        self._here: dict[str, set[SendAway]] = {}

    @asynccontextmanager
    async def stay(self, link: Link | None, send_away: SendAway) -> AsyncIterator[None]:
        """Have a connection sent away when its link ends, for as long as this is entered.

        Args:
            link: Was valid a moment ago; `None` for who came by the server's token.
            send_away: Told why, once or several times.

        Raises:
            StorageError: The link cannot be looked up now.
        """
        if link is None:
            yield
            return
        visitors = self._here.setdefault(link.fingerprint, set())
        visitors.add(send_away)
        expiry = None
        if link.expires_ms is not None:
            left_s = (link.expires_ms - unix_ms()) / 1000
            expiry = asyncio.get_running_loop().call_later(left_s, send_away, EXPIRED)
        try:
            # It may have ended after it was looked at, and before this visitor was known.
            await self._check([link.fingerprint])
            yield
        finally:
            if expiry is not None:
                expiry.cancel()
            visitors.discard(send_away)
            if not visitors:
                self._here.pop(link.fingerprint, None)

    def end(self, fingerprint: str, reason: str = REVOKED) -> None:
        """Send everybody away who is here by a link."""
        for send_away in list(self._here.get(fingerprint, ())):
            send_away(reason)

    async def look_after(self) -> None:
        """Look up all links now and then, until cancelled."""
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                await self._check(list(self._here))
            except StorageError:  # Whoever was let in stays until it is known.
                logger.exception("links not looked up")

    async def _check(self, fingerprints: Collection[str]) -> None:
        if not fingerprints:
            return
        found = await self._threads.read(lambda: self._links.among(fingerprints))
        links, now_ms = {link.fingerprint: link for link in found}, unix_ms()
        for fingerprint in fingerprints:
            link = links.get(fingerprint)
            if link is None or not link.is_valid(now_ms):
                # One that is gone was deleted with its transcript.
                expired = link is not None and link.revoked_ms is None
                self.end(fingerprint, EXPIRED if expired else REVOKED)
