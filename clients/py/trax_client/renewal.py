"""How much of a session arrived that the server knows no more, so that the rest can follow."""

from __future__ import annotations

import asyncio

from trax_client.address import Address
from trax_client.errors import ServerUnreachable
from trax_client.library import Library

PATIENCE_S = 600.0
"""How long an outage may last that a session into a transcript goes on after, by default."""

MOST_ASKED = 120
"""How often it is asked whether a session is finished."""

ASK_S = 0.5


class Renewal:
    """Asks over HTTP about the sessions of transcripts; holds no connection.

    Args:
        address: Of their server.
    """

    def __init__(self, address: Address) -> None:
        self._url = address.url
        self._library = Library(address.url, address.token)

    async def stored_ms(self, session: str, transcript: str) -> int:
        """Return how much of a session the server has, once it is finished; 0 of an unknown one.

        Raises:
            ServerUnreachable: There is no connection, or it does not finish the session.
            TraxError: As the methods of `Library`.
        """
        for _ in range(MOST_ASKED):
            sessions = (await self._library.get(transcript)).sessions
            found = next((each for each in sessions if each.id == session), None)
            if found is None or not found.live:
                return 0 if found is None else found.duration_ms
            await asyncio.sleep(ASK_S)  # what it had received is still being heard
        raise ServerUnreachable(self._url, "it does not finish the session")
