"""One connection in a room, as the room knows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.allowance import Allowance
from server.mailbox import Mailbox


@dataclass(eq=False, slots=True)
class Member:
    """One connection in a room; owned by the room and by its connection.

    Attributes:
        writes: Whether its updates are taken.
        mailbox: What it has to be sent.
        allowance: How much of everybody's time it may take.
        held: Updates that it sent before it had synchronised.
    """

    writes: bool
    mailbox: Mailbox
    allowance: Allowance
    held: list[bytes] = field(default_factory=list)
    asked: bool = False
    """Whether it was asked to synchronise and has not answered yet."""

    @property
    def held_bytes(self) -> int:
        """How much is held back."""
        return sum(map(len, self.held))
