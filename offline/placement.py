"""Where newly heard words go in the text: behind what was said before them.

Words of several microphones arrive interleaved and late. Words of one speaker are put in the order
of turns (`offline.places`), into the turn of the same speaker if there is one, else into a turn of
their own, for which the turn that they interrupt is split; what goes on in a turn is not written
into the middle of what was written in one piece. A turn whose speaker a person named is never
split: what interrupts it comes after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count, groupby
from operator import itemgetter

from offline.decisions import refs
from offline.domain import PassId, Segment, SpeakerId, TurnId, WordRef
from offline.edits import AssignTurn, Delete, Edit, InsertText, InsertTurn
from offline.places import Place, places
from offline.view import View

NEW_TURN_AFTER_MS = 3_000
"""After so long a pause a speaker begins a new turn, as writers begin a new paragraph."""


@dataclass(frozen=True, slots=True)
class Group:
    """Words that are written in one piece.

    Attributes:
        segment: The words.
        speaker: Who said them, or `None` while nobody knows.
    """

    segment: Segment
    speaker: SpeakerId | None


def place(view: View, segment: Segment, speaker: SpeakerId | None) -> list[Edit]:
    """Return the edits that write words which stand nowhere yet.

    Args:
        view: Whose passes have the words already.
        segment: The words, all of one speaker.
        speaker: Who said them, or `None` while nobody knows.
    """
    return place_all(view, [Group(segment, speaker)])


def place_all(view: View, groups: Iterable[Group]) -> list[Edit]:
    """Return the edits that write words of several speakers, in the order of time."""
    edits: list[Edit] = []
    pieces = (
        (where, Group(segment, group.speaker))
        for group in groups
        for where, segment in places(view, group.segment)
    )
    for where, together in groupby(pieces, key=itemgetter(0)):
        edits += _place(view, where, [piece for _, piece in together])
    return edits


def _place(view: View, where: Place, groups: Sequence[Group]) -> list[Edit]:
    first = groups[0]
    if _goes_on(view, where, first):
        edits: list[Edit] = [InsertText(where.on_at, _text(view, first), first.segment)]
        groups = groups[1:]
        turn = where.turn
    else:
        edits, turn = [], None
    for group in groups:
        turn = turn_id(view, refs(group.segment)[0])
        edits.append(InsertTurn(where.at, turn))
        edits.append(InsertText(where.at, _text(view, group).lstrip(), group.segment))
        if group.speaker is not None:
            edits.append(AssignTurn(turn, group.speaker))
    if where.inside and groups:
        edits += _resume(view, where, _first_word(view, where.at), TurnId(f"{turn}r"))
    return edits


def _first_word(view: View, at: int) -> WordRef | None:
    """Return the machine's word that stands at a place, if one does."""
    segment = next((run.segment for run in view.page.runs_in(at, at + 1)), None)
    if segment is None or segment not in view.pieces:
        return None
    return next((word.ref for word in view.standing(segment) if word.start == at), None)


def _resume(view: View, where: Place, first: WordRef | None, unnamed: TurnId) -> list[Edit]:
    """Return the edits with which a turn goes on that was interrupted."""
    rest = unnamed if first is None else turn_id(view, first)
    edits: list[Edit] = [InsertTurn(where.at, rest)]
    if view.text[where.at].isspace() and view.by_machine(where.at, where.at + 1):
        edits.append(Delete(where.at, where.at + 1))
    interrupted = None if where.turn is None else view.speakers.get(where.turn)
    if interrupted is not None:
        edits.append(AssignTurn(rest, interrupted))
    return edits


def _start_ms(view: View, group: Group) -> int:
    return view.said(group.segment)[0].start_ms


def _text(view: View, group: Group) -> str:
    return "".join(word.text for word in view.said(group.segment))


def turn_id(view: View, first: WordRef) -> TurnId:
    """Return an id for a turn that begins with a word.

    It is the same whoever plans it, and no turn has it that stands in the text: one may, if words
    were put before its first one since.
    """
    return next(
        turn
        for number in count(1)
        if (turn := TurnId(f"{first}" if number == 1 else f"{first}-{number}")) not in view.turns
    )


def _goes_on(view: View, where: Place, group: Group) -> bool:
    """Return whether words belong to the turn before them."""
    if where.turn is None or where.spoken_until_ms is None:
        return False
    if group.speaker is not None and group.speaker != view.speakers.get(where.turn):
        return False
    if group.speaker is None and not _is_same_session(view, where.pass_id, group):
        return False
    return where.inside or _start_ms(view, group) - where.spoken_until_ms < NEW_TURN_AFTER_MS


def _is_same_session(view: View, pass_id: PassId | None, group: Group) -> bool:
    known = None if pass_id is None else view.sessions.get(pass_id)
    return known == view.sessions.get(group.segment.pass_id)
