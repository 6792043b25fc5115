"""Errors of the Yjs formats: all of them the peer's mistakes.

ServerError
└── YjsError               what came may not be applied
    ├── MalformedYjs       the bytes are not what the format says
    ├── ForbiddenContent   an update is well formed, but holds what no transcript may hold
    ├── Misplaced          an update writes where this document cannot be written
    └── LimitExceeded      there is more of something than is allowed
"""

from __future__ import annotations

from server.errors import ServerError


class YjsError(ServerError):
    """Base of every error that `server.yjs` raises.

    Attributes:
        expected: What would have been right.
        got: What came instead; kinds and numbers, never anybody's words.
    """

    def __init__(self, message: str, expected: str, got: str) -> None:
        super().__init__(f"{message}: expected {expected}, got {got}")
        self.expected = expected
        self.got = got


class MalformedYjs(YjsError):
    """Bytes that no Yjs would have written.

    Attributes:
        at: Offset of the byte where it was seen, within the frame or the update.
    """

    def __init__(self, at: int, expected: str, got: str) -> None:
        super().__init__(f"byte {at}", expected, got)
        self.at = at


class ForbiddenContent(YjsError):
    """An update that brings a kind of content which no transcript holds.

    Attributes:
        kind: Name of the kind, such as `subdocument`.
    """

    def __init__(self, kind: str) -> None:
        super().__init__("content of an update", "text, formats, plain values, maps, arrays", kind)
        self.kind = kind


class Misplaced(YjsError):
    """An update that would break the document that it is for.

    Attributes:
        client: Whose struct cannot be used as the update says.
        clock: Of the tick within it.
    """

    def __init__(self, client: int, clock: int, expected: str, got: str) -> None:
        super().__init__(f"tick {clock} of client {client}", expected, got)
        self.client = client
        self.clock = clock


class LimitExceeded(YjsError):
    """There is more of something than may be.

    Attributes:
        what: What there is too much of, such as `structs of an update`.
        limit: How much there may be.
    """

    def __init__(self, what: str, limit: int, got: int) -> None:
        super().__init__(what, f"at most {limit}", f"{got}")
        self.what = what
        self.limit = limit


def check_limit(what: str, limit: int, got: int) -> None:
    """Raise `LimitExceeded` if there is more than a limit allows."""
    if got > limit:
        raise LimitExceeded(what, limit, got)
