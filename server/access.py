"""What a request may do with a transcript: by the server's token, or by a link to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from server.auth import Gate, fingerprint, presented
from server.lifecycle import Lifecycle
from server.recordings import unix_ms
from server.storage import values
from server.storage.values import Link
from server.store_threads import StoreThreads


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


@dataclass(frozen=True, slots=True)
class Grant:
    """That somebody may come in.

    Attributes:
        role: As what.
        link: By which link; `None`: by the server's token.
    """

    role: Role
    link: Link | None = None


class Access:
    """Decides about requests for one transcript each."""

    def __init__(self, gate: Gate, lifecycle: Lifecycle, threads: StoreThreads) -> None:
        self._gate = gate
        self._lifecycle = lifecycle
        self._threads = threads

    async def grant(
        self, transcript: str, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> Grant | None:
        """Return as what and by what a request comes in, or `None` if it does not.

        Raises:
            Refusal: The server does not serve now.
            StorageError: It cannot be known now.
        """
        if self._gate.knows(headers, query):
            return Grant(Role.OWNER)
        link = await self.link(headers, query)
        if link is None or link.transcript != transcript:
            return None
        return Grant(_ROLES[link.role], link)

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
        link = await self._threads.read(lambda: links.find(fingerprint(token)))
        return link if link is not None and link.is_valid(unix_ms()) else None
