"""What a request may do with a transcript: by the server's token, or by a link to it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from server.auth import Gate, fingerprint, presented
from server.disk import Disk
from server.lifecycle import Lifecycle
from server.recordings import unix_ms
from server.storage import values


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
        token = presented(headers, query)
        links = self._lifecycle.serving().store.links
        link = await self._threads.run(lambda: links.find(fingerprint(token)))
        if link is None or link.transcript != transcript or not link.is_valid(unix_ms()):
            return None
        return _ROLES[link.role]
