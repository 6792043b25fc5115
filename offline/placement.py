"""Where newly heard words go in the text: behind what was said before them.

Words of several microphones arrive interleaved and late. Words of one speaker are put behind the
last segment that began before them, into the turn of the same speaker if there is one, else into a
turn of their own, for which the turn that they interrupt is split. A turn whose speaker a person
named is never split: what interrupts it comes after it.
"""

from __future__ import annotations

from dataclasses import dataclass

from offline.domain import PassWord, Segment, SpeakerId, TurnId
from offline.edits import AssignTurn, Delete, Edit, InsertText, InsertTurn
from offline.view import View

NEW_TURN_AFTER_MS = 3_000
"""After so long a pause a speaker begins a new turn, as writers begin a new paragraph."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in the text.

    Attributes:
        at: Where.
        turn: In which turn; `None` before the first one.
        inside: Whether the turn goes on after it.
        spoken_until_ms: When the words before it ended; `None` when there are none.
    """

    at: int
    turn: TurnId | None
    inside: bool
    spoken_until_ms: int | None


def place(view: View, segment: Segment, speaker: SpeakerId | None) -> list[Edit]:
    """Return the edits that write words which stand nowhere yet.

    Args:
        view: Whose passes have the words already.
        segment: The words, all of one speaker.
        speaker: Who said them, or `None` while nobody knows.
    """
    words = view.said(segment)
    text = "".join(word.text for word in words)
    where = _find(view, words[0].start_ms)
    if _goes_on(view, where, words[0], speaker):
        return [InsertText(where.at, text, segment)]
    turn = turn_id(segment)
    edits: list[Edit] = [InsertTurn(where.at, turn), InsertText(where.at, text.lstrip(), segment)]
    if speaker is not None:
        edits.append(AssignTurn(turn, speaker))
    if where.inside:
        rest = TurnId(f"{turn}r")
        edits.append(InsertTurn(where.at, rest))
        if view.text[where.at].isspace():
            edits.append(Delete(where.at, where.at + 1))
        interrupted = None if where.turn is None else view.speakers.get(where.turn)
        if interrupted is not None:
            edits.append(AssignTurn(rest, interrupted))
    return edits


def turn_id(segment: Segment) -> TurnId:
    """Return the id of a turn that begins with the first word of a segment."""
    return TurnId(f"{segment.pass_id}.{segment.first}")


def _find(view: View, start_ms: int) -> _Place:
    """Return the place behind the last segment that began at or before a time."""
    first: int | None = None
    for number in range(len(view.runs) - 1, -1, -1):
        segment = view.runs[number].segment
        if segment is None or segment not in view.pieces:
            continue
        words = view.said(segment)
        if words[0].start_ms <= start_ms:
            return _behind(view, number, words[-1].end_ms)
        first = number
    # Nothing was said before: in front of all that was, or behind what people wrote first.
    at = len(view.runs) if first is None else view.turn_start(first)
    return _Place(view.starts[at], None, inside=False, spoken_until_ms=None)


def _behind(view: View, run: int, spoken_until_ms: int) -> _Place:
    turn = view.turn_at(run)
    after = run + 1
    if turn in view.pinned:
        after = view.turn_end(run)
    inside = after < len(view.runs) and view.runs[after].turn is None
    return _Place(view.starts[after], turn, inside, spoken_until_ms)


def _goes_on(view: View, where: _Place, word: PassWord, speaker: SpeakerId | None) -> bool:
    """Return whether words belong to the turn before them."""
    if where.turn is None or where.spoken_until_ms is None:
        return False
    if speaker is not None and speaker != view.speakers.get(where.turn):
        return False
    return where.inside or word.start_ms - where.spoken_until_ms < NEW_TURN_AFTER_MS
