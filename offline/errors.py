"""What can go wrong in `offline`.

    OfflineError
    ├── QueueUnavailable    the broker cannot be reached; what was to be sent waits in the database
    ├── BoardUnavailable    the database of jobs cannot be used now; trying again may help
    ├── Unheard             a task cannot be done; carries the failure that its job shows
    ├── LanguageError       a recognizer does not know the language that was asked for
    ├── NoStage             no pass hears what is to be heard
    └── PassesError         a description of the passes cannot be understood

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


class LanguageError(OfflineError):
    """A recognizer does not know the language that was asked for.

    Attributes:
        language: What was asked for.
        known: What it knows.
    """

    def __init__(self, language: str, recognizer: str, known: frozenset[str]) -> None:
        super().__init__(
            f"{recognizer}: a language of {', '.join(sorted(known))} expected, got {language!r}"
        )
        self.language = language
        self.known = known


class NoStage(OfflineError):
    """No pass hears what is to be heard: it would seem that nobody said a word there.

    Attributes:
        moment: The `offline.passes.Moment` of the stages that are missing.
    """

    def __init__(self, moment: str) -> None:
        super().__init__(f"passes: a stage of the moment {moment} expected, got none")
        self.moment = moment


class PassesError(OfflineError):
    """A description of the passes cannot be understood."""
