"""Changes of a transcript's text, planned before they are made.

A plan is a row of edits whose places all refer to the text as it was before the first of them, in
code points. Edits at one place are made in their order; nothing is inserted inside of what the
same plan deletes. What several edits delete goes once, see `disjoint`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from offline.decisions import Alias, Decision
from offline.domain import Segment, SpeakerId, TurnId
from offline.suggestions import Suggestion


@dataclass(frozen=True, slots=True)
class InsertText:
    """A pass writes words of its own.

    Attributes:
        at: Where.
        text: What.
        segment: Which words these are.
        highlight: The colour that people gave to what stood there.
    """

    at: int
    text: str
    segment: Segment
    highlight: str | None = None


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


@dataclass(frozen=True, slots=True)
class Suggest:
    """People are shown what a pass heard where they had edited."""

    suggestion: Suggestion


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A suggestion goes, because there is no reason for it any more."""

    suggestion: str


@dataclass(frozen=True, slots=True)
class WithdrawName:
    """A speaker is nobody after all, and is not called anything by machines any more."""

    speaker: SpeakerId


@dataclass(frozen=True, slots=True)
class DropTurn:
    """A machine takes away the newline at `at` that begins a turn.

    It is remembered, because somebody may choose the turn's speaker at the same moment.
    """

    at: int
    turn: TurnId


Edit = InsertText | InsertTurn | Delete | DropTurn | AssignTurn | Suggest | Withdraw | WithdrawName


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written in one step, all of it or nothing.

    Attributes:
        edits: Changes of the document.
        decisions: What became of hunks.
        aliases: Words that stay in the text and have the times of others from now on.
    """

    edits: tuple[Edit, ...] = ()
    decisions: tuple[Decision, ...] = ()
    aliases: tuple[Alias, ...] = ()


def disjoint(edits: Iterable[Edit]) -> Iterator[Edit]:
    """Yield edits of which no two delete the same character.

    A word may take a space along that goes with another one too.
    """
    deleted: set[int] = set()
    for edit in edits:
        if not isinstance(edit, Delete):
            yield edit
            continue
        left = [at for at in range(edit.start, edit.end) if at not in deleted]
        deleted.update(left)
        starts = [n for n, at in enumerate(left) if n == 0 or left[n - 1] != at - 1]
        for first, end in pairwise((*starts, len(left))):
            yield Delete(left[first], left[end - 1] + 1)
