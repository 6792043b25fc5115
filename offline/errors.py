"""What can go wrong in `offline`.

    OfflineError
    ├── LanguageError   a recognizer does not know the language that was asked for
    └── PassesError     a description of the passes cannot be understood

The messages say what was expected and what came.
"""

from __future__ import annotations


class OfflineError(Exception):
    """Base of every error that `offline` raises on purpose."""


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


class PassesError(OfflineError):
    """A description of the passes cannot be understood."""
