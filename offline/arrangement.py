"""Turns where voices change: markers follow what is known of who said which word.

Voices are known later than words, and revised. Whenever that happens, each boundary between two
neighbouring words is looked at: a turn begins there if and only if the speaker changes, or a pause
made one begin. Turns whose words all went are joined to the next. What people changed, moved or
wrote stays as they left it, and goes along with the words around it; a turn whose speaker a person
named is left as it is, and where people joined turns none begins again. Lines that people began
keep turns apart.

Somebody may name the speaker of a turn while a machine joins it to another. So machines remember
which turns they took away, and such a one begins again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise, takewhile, zip_longest

from offline.domain import Segment, SpeakerId, TurnId, WordRef
from offline.edits import AssignTurn, Delete, DropTurn, Edit, InsertText, InsertTurn
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
    items = _with_rests(view, _reach(view, said_by))
    said_by = {**said_by, **_going_along(view, said_by, items)}
    for before, markers, word in _boundaries(items):
        known = any(each is not None and each.ref in said_by for each in (before, word))
        if known and word not in lost.values():
            edits += _boundary(view, said_by, before, markers, word)
    return edits


def spread(view: View, said_by: Mapping[WordRef, SpeakerId]) -> dict[WordRef, SpeakerId]:
    """Return who said the words that stand in the text for those of a pass.

    These are its own, and older ones that it heard as well, or heard otherwise, while people kept
    it from saying so. What a later pass heard is left out: that knows better.
    """
    history = view.history
    old = [old for new in said_by for old in history.timed_by(new)]
    latest = {word: _latest(view, word) for word in (*said_by, *old, *history.disputed)}
    return {word: said_by[new] for word, new in latest.items() if new and new in said_by}


def _latest(view: View, word: WordRef | None) -> WordRef | None:
    """Return as what the last pass heard a word; `None` if it did not hear any."""
    while word is not None:
        alias, dispute = view.history.aliases.get(word), view.history.disputed.get(word)
        if dispute is None:
            return alias or word
        if alias is not None and view.rank(alias.pass_id) >= view.rank(dispute.pass_id):
            return alias
        word = _nearest(view, word, dispute)
    return None


def _nearest(view: View, word: WordRef, others: Segment) -> WordRef | None:
    """Return which of some words was said the nearest to a word."""
    heard = view.heard(word)
    middle = heard.start_ms + heard.end_ms
    far = [abs(other.start_ms + other.end_ms - middle) for other in view.said(others)]
    return WordRef(others.pass_id, others.first + far.index(min(far))) if far else None


def _reach(view: View, said_by: Mapping[WordRef, SpeakerId]) -> range:
    """Return the runs around some words, and past turns of which nothing is left."""
    near = view.around(said_by)
    start, stop = near.start, near.stop
    while stop < len(view.runs) and start < stop and view.runs[stop - 1].turn is not None:
        stop = view.page.turn_end(stop)
    while start > 0 and start + 1 < stop and view.runs[start + 1].turn is not None:
        start = view.page.turn_start(start - 1)
    return range(start, stop)


def _with_rests(view: View, runs: range) -> list[Standing | Marker]:
    """Return words and markers, and what is left of turns in which no word stands any more.

    If people changed all words of a turn, the first one still tells who speaks in it.
    """
    items = view.items(runs)
    found: list[Standing | Marker] = []
    for item, following in zip_longest(items, items[1:]):
        found.append(item)
        if isinstance(item, Marker) and not isinstance(following, Standing):
            end = view.page.starts[runs.stop] if following is None else following.at
            rest = _rest(view, item, end)
            found += [] if rest is None else [rest]
    return found


def _rest(view: View, marker: Marker, end: int) -> Standing | None:
    start = marker.at + 1
    pieces = (run.segment for run in view.page.runs_in(start, end) if run.segment in view.pieces)
    segment = next(pieces, None)
    if segment is None or "\n" in view.text[start:end]:
        return None
    standing = view.standing(segment)
    before = max((word.word for word in standing if word.start < start), default=-1)
    following = min((word.word for word in standing if word.start >= end), default=segment.end)
    changed = [ref for ref in view.left(segment) if before < ref.word < following]
    began = view.beginning(marker.turn)
    word = began if began in changed else next(iter(changed), None)
    if word is None:
        return None
    return Standing(start, end, segment, word.word, exact=False, turn=marker.turn)


def _going_along(
    view: View, said_by: Mapping[WordRef, SpeakerId], items: Iterable[Standing | Marker]
) -> dict[WordRef, SpeakerId]:
    """Return the speakers of words that stand because of people though they were not said.

    They go along with the word before them, if that is in the same turn, or else with the next.
    """
    words = [item for item in items if isinstance(item, Standing)]
    along: dict[WordRef, SpeakerId] = {}
    for row in (words, words[::-1]):
        for before, word in pairwise(row):
            speaker = along.get(before.ref, said_by.get(before.ref))
            unheard = word.ref not in said_by and _latest(view, word.ref) is None
            if unheard and speaker is not None and before.turn == word.turn:
                along.setdefault(word.ref, speaker)
    return along


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
        return edits + _join(view, before, markers, word)
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
    """Return whether only a machine's marker keeps two words apart, and no pause does.

    Between them may be what people wrote.
    """
    at = markers[-1].at
    return (
        before.turn not in view.pinned
        and len(markers) == len(empty) + 1
        and view.text.count("\n", before.end, word.start) == len(markers)
        and _pause_ms(view, before, markers[-1], word) < NEW_TURN_AFTER_MS
        and view.by_machine(at, at + 1)
    )


def _pause_ms(view: View, before: Standing, marker: Marker, word: Standing) -> int:
    """Return how long nobody spoke before a turn, words included that people took away."""
    first = view.beginning(marker.turn)
    if first is None or first.word >= len(view.passes.get(first.pass_id, ())):
        first = word.ref
    best = view.history.aliases.get(first, first)
    said = view.passes.get(best.pass_id, ())
    heard = said[best.word - 1 : best.word] if best.word else ()
    ends_ms = [each.end_ms for each in (view.heard(before.ref), *heard)]
    return view.heard(first).start_ms - max(ends_ms)


def _join(view: View, before: Standing, markers: list[Marker], word: Standing) -> list[Edit]:
    at = markers[-1].at
    edits: list[Edit] = [DropTurn(at, markers[-1].turn)]
    spaced = view.text[markers[0].at - 1].isspace() or view.text[at + 1].isspace()
    if not spaced and view.heard(word.ref).text[:1].isspace():
        segment = word.segment if word.start == at + 1 else before.segment
        edits.append(InsertText(at + 1, " ", segment))
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
