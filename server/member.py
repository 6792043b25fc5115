"""The connections in a room, as the room knows them, and under which Yjs client ids they write."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from server.allowance import Allowance
from server.codes import CloseCode
from server.mailbox import Dismissal, Mailbox
from server.yjs.errors import check_limit

MOST_HELD = 10_000
MOST_HELD_BYTES = 1024 * 1024
"""Kept of a member that is ahead of us, until it has synchronised. By one key after the other one
types less in a quarter of an hour, and it is asked at once."""


class Held:
    """Updates that are held back; owned by their member."""

    __slots__ = ("_size_bytes", "_updates")

    def __init__(self) -> None:
        self._updates: list[bytes] = []
        self._size_bytes = 0

    def __len__(self) -> int:
        return len(self._updates)

    def add(self, update: bytes) -> None:
        """Hold one more back.

        Raises:
            LimitExceeded: It is too much.
        """
        size_bytes = self._size_bytes + len(update)
        check_limit("bytes before synchronising", MOST_HELD_BYTES, size_bytes)
        check_limit("updates before synchronising", MOST_HELD, len(self._updates) + 1)
        self._updates.append(update)
        self._size_bytes = size_bytes

    def release(self) -> list[bytes]:
        """Return all, and hold nothing back any more."""
        updates, self._updates, self._size_bytes = self._updates, [], 0
        return updates


@dataclass(eq=False, slots=True)
class Member:
    """One connection in a room; owned by the room and by its connection.

    Attributes:
        number: Those who came later have higher ones.
        writes: Whether its updates are taken.
        mailbox: What it has to be sent.
        allowance: How much of everybody's time it may take.
        held: What it sent before it had synchronised.
    """

    number: int
    writes: bool
    mailbox: Mailbox
    allowance: Allowance
    held: Held = field(default_factory=Held)
    asked: bool = False
    """Whether it was asked to synchronise and has not answered yet."""


class Writers:
    """Who writes under which Yjs client id; owned by the room.

    Two live documents under one id would each lose what the other wrote: of two members who write
    under it, the one that came first has to go.
    """

    def __init__(self) -> None:
        self._members: dict[int, Member] = {}

    def admit(self, member: Member, clients: Collection[int]) -> bool:
        """Return whether a member may write under these ids, if nothing else stands against it.

        If one who came later writes under them, it is dismissed, and what it wrote is not what
        others have under these numbers.
        """
        for client in clients:
            writer = self._members.get(client)
            if writer is not None and writer.number > member.number:
                member.mailbox.dismiss(_replaced(client))
                return False
        return True

    def others(self, member: Member, clients: Collection[int]) -> list[int]:
        """Return those of the ids under which another member writes."""
        return [client for client in clients if self._members.get(client, member) is not member]

    def note(self, member: Member, clients: Collection[int]) -> None:
        """Note that a member wrote under ids; who wrote under them before is dismissed."""
        for client in clients:
            before = self._members.get(client)
            if before is not None and before is not member:
                before.mailbox.dismiss(_replaced(client))
            self._members[client] = member

    def leave(self, member: Member) -> None:
        """Free the ids of a member."""
        for client in [client for client, writer in self._members.items() if writer is member]:
            del self._members[client]


def lost(client: int) -> Dismissal:
    """Return why somebody has to go who wrote what others do not see."""
    reason = f"client id {client} is used by another connection, which wrote before"
    return Dismissal(CloseCode.REPLACED, reason)


def _replaced(client: int) -> Dismissal:
    reason = f"client id {client} is used by a newer connection"
    return Dismissal(CloseCode.REPLACED, reason)
