"""What can go wrong in `offline`.

    OfflineError
    ├── QueueUnavailable    the broker cannot be reached; what was to be sent waits in the database
    ├── BoardUnavailable    the database of jobs cannot be used now; trying again may help
    └── Unheard             a task cannot be done; carries the failure that its job shows

The messages say what was expected and what came.
"""

from __future__ import annotations

from offline.jobs import Failure


class OfflineError(Exception):
    """Base of every error that `offline` raises on purpose."""


class QueueUnavailable(OfflineError):
    """The broker cannot be reached.

    Attributes:
        place: Where it should be, without user and password.
        got: What happened instead.
    """

    def __init__(self, place: str, got: str) -> None:
        super().__init__(f"{place}: expected a Redis that answers, got {got}")
        self.place = place
        self.got = got


class BoardUnavailable(OfflineError):
    """The database of jobs cannot be used now."""


class Unheard(OfflineError):
    """A task cannot be done.

    Attributes:
        failure: Why, as its job shows it.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure
