"""Changes of a transcript's text, planned before they are made.

A plan is a row of edits whose places all refer to the text as it was before the first of them, in
code points. Edits at one place are made in their order; nothing is inserted inside of what the
same plan deletes.
"""

from __future__ import annotations

from dataclasses import dataclass

from offline.domain import Segment, SpeakerId, TurnId


@dataclass(frozen=True, slots=True)
class InsertText:
    """A pass writes words of its own."""

    at: int
    text: str
    segment: Segment


@dataclass(frozen=True, slots=True)
class InsertTurn:
    """A turn begins: a newline with its id."""

    at: int
    turn: TurnId


@dataclass(frozen=True, slots=True)
class Delete:
    """The text `[start, end)` goes."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AssignTurn:
    """A machine says who speaks in a turn; what a person said about it stands above that."""

    turn: TurnId
    speaker: SpeakerId


Edit = InsertText | InsertTurn | Delete | AssignTurn
