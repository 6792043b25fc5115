"""What a request may do with a transcript: by the server's token, or by a link to it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from server.auth import Gate, fingerprint, presented
from server.disk import Disk
from server.lifecycle import Lifecycle
from server.recordings import unix_ms
from server.storage import values
from server.storage.values import Link


class Role(StrEnum):
    """What somebody may do in a transcript."""

    OWNER = "owner"
    """Everything, also with all other transcripts."""
    EDITOR = "editor"
    VIEWER = "viewer"

    @property
    def writes(self) -> bool:
        """Whether what it sends changes the document."""
        return self is not Role.VIEWER


_ROLES: Mapping[values.Role, Role] = {
    values.Role.EDITOR: Role.EDITOR,
    values.Role.VIEWER: Role.VIEWER,
}


class Access:
    """Decides about requests for one transcript each."""

    def __init__(self, gate: Gate, lifecycle: Lifecycle, threads: Disk) -> None:
        self._gate = gate
        self._lifecycle = lifecycle
        self._threads = threads

    async def role(
        self, transcript: str, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> Role | None:
        """Return what a request may do, or `None` if it may do nothing.

        Raises:
            Refusal: The server does not serve now.
            StorageError: It cannot be known now.
        """
        if self._gate.knows(headers, query):
            return Role.OWNER
        link = await self.link(headers, query)
        return None if link is None or link.transcript != transcript else _ROLES[link.role]

    async def link(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Link | None:
        """Return the valid link that a request comes by, if it comes by one.

        Raises:
            Refusal: The server does not serve now.
            StorageError: It cannot be known now.
        """
        token = presented(headers, query)
        if not token:
            return None
        links = self._lifecycle.serving().store.links
        link = await self._threads.run(lambda: links.find(fingerprint(token)))
        return link if link is not None and link.is_valid(unix_ms()) else None
