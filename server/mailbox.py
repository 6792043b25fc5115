"""What one member of a room has still to be sent, bounded however slowly it reads."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from server.codes import CloseCode


@dataclass(frozen=True, slots=True)
class Dismissal:
    """Why a member has to leave.

    Attributes:
        code: The WebSocket's close code: whether to come again.
        reason: A sentence for a person.
    """

    code: CloseCode
    reason: str


TOO_SLOW = Dismissal(CloseCode.OVERLOADED, "too much is unread: come again, and synchronise")


class Mailbox:
    """Filled by a room, emptied by the connection of one member; both in the event loop.

    A member that reads too slowly is dismissed: coming again it gets everything at once, which is
    less than all the changes that it missed.
    """

    def __init__(self, unread_bytes: int) -> None:
        """Begin empty.

        Args:
            unread_bytes: So much may wait, or one frame of any size.
        """
        self._unread_bytes = unread_bytes
        self._frames: deque[bytes] = deque()
        self._size_bytes = 0
        self._wake = asyncio.Event()
        self._dismissed = asyncio.Event()
        self.dismissal: Dismissal | None = None
        """Set once, when the member has to leave, whatever it has not read."""

    def put(self, frame: bytes) -> None:
        """Have a frame sent; never blocks."""
        if self.dismissal is not None:
            return
        if self._frames and self._size_bytes + len(frame) > self._unread_bytes:
            self.dismiss(TOO_SLOW)
            return
        self._frames.append(frame)
        self._size_bytes += len(frame)
        self._wake.set()

    def dismiss(self, dismissal: Dismissal) -> None:
        """Send the member away; only the first reason counts."""
        if self.dismissal is None:
            self.dismissal = dismissal
            self._frames.clear()
            self._size_bytes = 0
            self._dismissed.set()
        self._wake.set()

    async def dismissed(self) -> None:
        """Wait until the member has to leave."""
        await self._dismissed.wait()

    async def take(self) -> bytes | None:
        """Return the next frame; `None` once the member is dismissed."""
        while not self._frames:
            if self.dismissal is not None:
                return None
            self._wake.clear()
            await self._wake.wait()
        frame = self._frames.popleft()
        self._size_bytes -= len(frame)
        return frame
