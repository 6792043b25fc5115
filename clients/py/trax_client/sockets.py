"""How connections to the server are opened, and what their ends mean."""

from __future__ import annotations

from collections.abc import Sequence

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from trax_client.address import Address

CLOSE_TIMEOUT_S = 2.0
"""How long the server may take to answer a close: nothing is at stake any more."""

KEEPALIVE_S = 10.0
"""Interval of WebSocket pings."""

KEEPALIVE_TIMEOUT_S = 20.0
"""Time for the answer to one: a dead network is noticed within 30 s, a busy server is not dead."""

DONE = 1000
GOING_AWAY = 1001
FINAL_CLOSE_CODES = frozenset({1009, *range(4400, 4500)})


async def open_socket(
    address: Address, *, max_message_bytes: int, subprotocols: Sequence[str] | None = None
) -> ClientConnection:
    """Open a WebSocket; takes as long as its caller lets it.

    Raises:
        OSError: There is no connection.
        InvalidHandshake: What answers is no WebSocket of ours.
    """
    token = address.token
    return await connect(
        address.url,
        subprotocols=None if subprotocols is None else [*map(Subprotocol, subprotocols)],
        additional_headers={"Authorization": f"Bearer {token}"} if token else None,
        compression=None,  # speech does not deflate, and the server is spared the memory
        proxy=None if address.loopback else True,
        open_timeout=None,  # our callers' include the greeting
        ping_interval=KEEPALIVE_S,
        ping_timeout=KEEPALIVE_TIMEOUT_S,
        close_timeout=CLOSE_TIMEOUT_S,
        max_size=max_message_bytes,
    )
