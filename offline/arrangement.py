"""Turns where voices change: markers follow what is known of who said which word.

Voices are known later than words, and revised. Whenever that happens, each boundary between two
neighbouring words is looked at: a turn begins there if and only if the speaker changes, or a pause
made one begin. Words that people changed, moved or wrote are nobody's business here, and a turn
whose speaker a person named is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from offline.domain import PassWord, Segment, SpeakerId, WordRef
from offline.edits import AssignTurn, Delete, Edit, InsertText, InsertTurn
from offline.placement import NEW_TURN_AFTER_MS, turn_id
from offline.view import Marker, Standing, View


def arrange(view: View, said_by: Mapping[WordRef, SpeakerId]) -> list[Edit]:
    """Return the edits after which turns agree with newly known speakers.

    Args:
        view: The transcript.
        said_by: Who said some words; other words keep the speakers of their turns.
    """
    if not said_by:
        return []
    runs = view.around(said_by.keys())
    edits: list[Edit] = []
    for before, markers, word in _boundaries(view.items(runs)):
        known = before is not None and before.ref in said_by
        if known or word.ref in said_by:
            edits += _boundary(view, said_by, before, markers, word)
    return edits


def _boundaries(
    items: Iterable[Standing | Marker],
) -> Iterator[tuple[Standing | None, list[Marker], Standing]]:
    """Yield each word with the word before it and the markers between them."""
    before: Standing | None = None
    markers: list[Marker] = []
    for item in items:
        if isinstance(item, Marker):
            markers.append(item)
        else:
            yield before, markers, item
            before, markers = item, []


def _boundary(
    view: View,
    said_by: Mapping[WordRef, SpeakerId],
    before: Standing | None,
    markers: list[Marker],
    word: Standing,
) -> list[Edit]:
    """Return what to change between a word and the word before it."""
    speaker = _speaker(view, said_by, word)
    if speaker is None or word.turn is None or word.turn in view.pinned:
        return []
    last = None if before is None else _speaker(view, said_by, before)
    if not markers:
        if last is None:
            return [] if view.speakers.get(word.turn) else [AssignTurn(word.turn, speaker)]
        return _begin_turn(view, word, speaker) if last != speaker else []
    if before is not None and last == speaker and _only_marker(view, before, markers, word):
        return _join(view, word, markers[0])
    return [] if view.speakers.get(word.turn) == speaker else [AssignTurn(word.turn, speaker)]


def _begin_turn(view: View, word: Standing, speaker: SpeakerId) -> list[Edit]:
    turn = turn_id(Segment(word.pass_id, word.word, word.word + 1))
    edits: list[Edit] = [InsertTurn(word.start, turn), AssignTurn(turn, speaker)]
    if view.text[word.start].isspace() and view.by_machine(word.start, word.start + 1):
        edits.append(Delete(word.start, word.start + 1))
    return edits


def _only_marker(view: View, before: Standing, markers: list[Marker], word: Standing) -> bool:
    """Return whether only a machine's marker keeps two words apart, and no pause does."""
    pause_ms = _heard(view, word).start_ms - _heard(view, before).end_ms
    return (
        before.turn not in view.pinned
        and word.start - before.end == 1
        and pause_ms < NEW_TURN_AFTER_MS
        and view.by_machine(markers[0].at, word.start)
    )


def _join(view: View, word: Standing, marker: Marker) -> list[Edit]:
    edits: list[Edit] = [Delete(marker.at, marker.at + 1)]
    spaced = _heard(view, word).text[:1].isspace()
    if spaced and not view.text[word.start].isspace():
        edits.append(InsertText(word.start, " ", word.segment))
    return edits


def _heard(view: View, word: Standing) -> PassWord:
    return view.passes[word.pass_id][word.word]


def _speaker(view: View, said_by: Mapping[WordRef, SpeakerId], word: Standing) -> SpeakerId | None:
    said = said_by.get(word.ref)
    if said is None and word.turn is not None:
        return view.speakers.get(word.turn)
    return said
