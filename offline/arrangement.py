"""Turns where voices change: markers follow what is known of who said which word.

Voices are known later than words, and revised. Whenever that happens, each boundary between two
neighbouring words is looked at: a turn begins there if and only if the speaker changes, or a pause
made one begin. Turns whose words all went are joined to the next. Words that people changed, moved
or wrote are nobody's business here; a turn whose speaker a person named is left as it is, and where
people joined turns none begins again.

Somebody may name the speaker of a turn while a machine joins it to another. So machines remember
which turns they took away, and such a one begins again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile

from offline.domain import SpeakerId, TurnId, WordRef
from offline.edits import AssignTurn, Delete, DropTurn, Edit, InsertText, InsertTurn
from offline.history import History
from offline.placement import NEW_TURN_AFTER_MS, turn_id
from offline.view import Marker, Standing, View


def arrange(view: View, said_by: Mapping[WordRef, SpeakerId]) -> list[Edit]:
    """Return the edits after which turns agree with newly known speakers.

    Args:
        view: The transcript.
        said_by: Who said some words, as they stand in the text (`spread`); other words keep the
            speakers of their turns.
    """
    lost = _lost(view)
    edits = [edit for turn, word in lost.items() for edit in _insert_turn(view, word, turn)]
    for before, markers, word in _boundaries(view.items(view.around(said_by))):
        known = any(each is not None and each.ref in said_by for each in (before, word))
        if known and word not in lost.values():
            edits += _boundary(view, said_by, before, markers, word)
    return edits


def spread(said_by: Mapping[WordRef, SpeakerId], history: History) -> dict[WordRef, SpeakerId]:
    """Return who said the words that stand in the text for those of a pass.

    These are its own, and older ones that it heard as well. What a later pass heard is left out:
    that knows better.
    """
    told = {word: speaker for word, speaker in said_by.items() if word not in history.aliases}
    return told | {
        old: speaker for new, speaker in said_by.items() for old in history.timed_by(new)
    }


def _lost(view: View) -> dict[TurnId, Standing]:
    """Return the turns that people name whose beginnings machines took away, without knowing it.

    With the words at which they began, where these stand.
    """
    turns = [turn for turn in view.dropped if turn in view.pinned and turn not in view.turns]
    words = {turn: view.beginning(turn) for turn in sorted(turns)}
    found = view.found([word for word in words.values() if word is not None])
    lost: dict[TurnId, Standing] = {}
    for turn, word in words.items():
        if word in found and found[word] not in lost.values():
            lost[turn] = found[word]
    return lost


def _boundaries(
    items: Iterable[Standing | Marker],
) -> Iterator[tuple[Standing | None, list[Marker], Standing | None]]:
    """Yield each word with the word before it and the markers between them.

    At the end there may be markers without a word after them.
    """
    before: Standing | None = None
    markers: list[Marker] = []
    for item in items:
        if isinstance(item, Marker):
            markers.append(item)
        else:
            yield before, markers, item
            before, markers = item, []
    if markers:
        yield before, markers, None


def _boundary(
    view: View,
    said_by: Mapping[WordRef, SpeakerId],
    before: Standing | None,
    markers: list[Marker],
    word: Standing | None,
) -> list[Edit]:
    """Return what to change between a word and the word before it."""
    empty = _empty(view, markers)
    edits: list[Edit] = [DropTurn(marker.at, marker.turn) for marker in empty]
    if word is None or word.turn is None or word.turn in view.pinned:
        return edits
    speaker = _speaker(view, said_by, word)
    if speaker is None:
        return edits
    last = None if before is None else _speaker(view, said_by, before)
    if not markers:
        if last is None:
            return [] if view.speakers.get(word.turn) else [AssignTurn(word.turn, speaker)]
        if last == speaker or word.ref in view.joined:
            return []
        turn = turn_id(view, word.ref)
        return [*_insert_turn(view, word, turn), AssignTurn(turn, speaker)]
    if before is not None and last == speaker and _only_marker(view, before, markers, word, empty):
        return edits + _join(view, word, markers[-1])
    if view.speakers.get(word.turn) != speaker:
        edits.append(AssignTurn(word.turn, speaker))
    return edits + _unspace(view, word, markers[-1])


def _empty(view: View, markers: list[Marker]) -> list[Marker]:
    """Return the markers by machines whose turns have nothing in them any more."""

    def is_empty(marker: Marker) -> bool:
        behind = marker.at + 1
        last = behind == len(view.text)
        return (
            (last or (view.text[behind] == "\n" and view.page.begins_turn(behind + 1)))
            and marker.turn not in view.pinned
            and view.by_machine(marker.at, behind)
        )

    return [marker for marker in markers if is_empty(marker)]


def _insert_turn(view: View, word: Standing, turn: TurnId) -> list[Edit]:
    """Return what has a turn begin at a word, which loses its space."""
    edits: list[Edit] = [InsertTurn(word.start, turn)]
    if view.text[word.start].isspace() and view.by_machine(word.start, word.start + 1):
        edits.append(Delete(word.start, word.start + 1))
    return edits


def _only_marker(
    view: View, before: Standing, markers: list[Marker], word: Standing, empty: list[Marker]
) -> bool:
    """Return whether only a machine's marker keeps two words apart, and no pause does."""
    pause_ms = view.heard(word.ref).start_ms - view.heard(before.ref).end_ms
    return (
        before.turn not in view.pinned
        and len(markers) == len(empty) + 1
        and word.start - before.end == len(markers)
        and pause_ms < NEW_TURN_AFTER_MS
        and view.by_machine(markers[-1].at, word.start)
    )


def _join(view: View, word: Standing, marker: Marker) -> list[Edit]:
    edits: list[Edit] = [DropTurn(marker.at, marker.turn)]
    spaced = view.heard(word.ref).text[:1].isspace()
    if spaced and not view.text[word.start].isspace():
        edits.append(InsertText(word.start, " ", word.segment))
    return edits


def _unspace(view: View, word: Standing, marker: Marker) -> list[Edit]:
    """Return what takes away a space of a machine's at the beginning of a turn."""
    space = "".join(takewhile(str.isspace, view.text[word.start : word.end]))
    at_start = word.start == marker.at + 1 and word.exact
    if not space or not at_start or not view.by_machine(word.start, word.start + len(space)):
        return []
    return [Delete(word.start, word.start + len(space))]


def _speaker(view: View, said_by: Mapping[WordRef, SpeakerId], word: Standing) -> SpeakerId | None:
    said = said_by.get(word.ref)
    if said is None and word.turn is not None:
        return view.speakers.get(word.turn)
    return said
