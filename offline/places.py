"""Where in a text words belong that were said at some time: in the order of its turns.

A turn begins when the first word does that stands in it. Words go into the last turn that began
before they did, and those that were said after the next turn began, into that one. In a turn they
go behind the last word that began before them, or further behind: people talk at once, so that some
words stand before others that began earlier, whatever is done. The turn is split where these are
fewest::

    we went | yes | back               one word that interrupts many
    we went back | yes we did then     many words that begin while another one ends

Promised is that turns which stand in the order in which they began do so once words were placed,
and that text which stands is not moved. It is not split where the rest of a turn would begin after
the next turn, in the middle of a word or of what people highlighted, or if a person named the
turn's speaker. What people made of words goes by the times of these.

Not promised is that turns stay in this order. Of people who talk at once, words in one turn overlap
those in another; and such a turn begins later if its first words turn out not to have been said,
and it is cut where another voice turns out to have said some of them. With two to four microphones
that talk all the time this leaves one turn in a hundred before one that began earlier, by a quarter
of a second as a rule (`tests/offline/test_turn_order.py`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from offline.domain import PassId, PassWord, Segment, TurnId, WordRef
from offline.standing import shape
from offline.view import Standing, View


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the text.

    Attributes:
        at: Where.
        on_at: Where words are written that belong to the turn: not in the middle of a piece.
        turn: In which turn; `None` before the first one.
        inside: Whether the turn goes on after it.
        spoken_until_ms: When the words before it ended; `None` when there are none.
        pass_id: Whose these are.
    """

    at: int
    on_at: int
    turn: TurnId | None
    inside: bool
    spoken_until_ms: int | None = None
    pass_id: PassId | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """A word that stands in a run, or what people made of words of which none does any more."""

    at: int
    run: int
    start_ms: int
    end_ms: int
    pass_id: PassId


def places(view: View, segment: Segment) -> Iterator[tuple[Place, Segment]]:
    """Yield words in as few pieces as go to one place each, with these places.

    Looks at as many turns, and words of one, as were said later.
    """
    pass_id, first, end = segment
    while first < end:
        said = view.said(Segment(pass_id, first, end))
        turn, following = _turn(view, said[0].start_ms)
        if following is not None:
            said = said[: _begun_by(said, following.start_ms)]
        place = _in_front(view, following) if turn is None else _in(view, turn, said, following)
        yield place, Segment(pass_id, first, first + len(said))
        first += len(said)


def _begun_by(said: Sequence[PassWord], at_ms: int) -> int:
    """Return how many words are written in one piece because they began by some time."""
    later = (n for n, word in enumerate(said) if word.start_ms > at_ms and _is_apart(word.text[:1]))
    return next(later, len(said))


def _turn(view: View, start_ms: int) -> tuple[range | None, _Said | None]:
    """Return the runs of the last turn that began at or before a time, and what began next."""
    stop = len(view.runs)
    while stop:
        turn = range(view.page.turn_start(stop - 1), stop)
        if not _is_later(view, turn, start_ms):
            first = _first(view, turn)
            if first is not None and first.start_ms <= start_ms:
                return turn, _first(view, range(stop, len(view.runs)))
        stop = turn.start
    return None, _first(view, range(len(view.runs)))


def _is_later(view: View, turn: range, start_ms: int) -> bool:
    """Return whether a turn begins with a piece of which no word began by some time.

    To find the words takes twenty times as long.
    """
    segments = (view.runs[run].segment for run in turn)
    segment = next((each for each in segments if each is not None and each in view.pieces), None)
    if segment is None:
        return False
    return view.heard(WordRef(segment.pass_id, segment.first)).start_ms > start_ms


def _first(view: View, runs: range) -> _Said | None:
    """Return the first word that stands in some runs."""
    return next((word for run in runs for word in _said(view, run)), None)


def _in_front(view: View, following: _Said | None) -> Place:
    """Return the place in front of all that was said, or behind what people wrote first."""
    if following is None:
        return Place(len(view.text), len(view.text), None, inside=False)
    marker = view.page.turn_start(following.run)
    inside = view.runs[marker].turn is None
    at = following.at if inside else view.page.starts[marker]
    return Place(at, at, None, inside)


def _in(view: View, turn: range, said: Sequence[PassWord], following: _Said | None) -> Place:
    """Return the place in a turn that began before words did."""
    words = (word for run in reversed(turn) for word in reversed(_said(view, run)))
    before, later = next(words), list[_Said]()
    while before.start_ms > said[0].start_ms:
        later.append(before)
        before = next(words)
    name, starts = view.page.turn_at(turn.start), view.page.starts
    split = None if name in view.pinned else _split(view, later, said, following)
    if split is not None:
        at, inside = split.at, True
        on_at = starts[split.run + (at > starts[split.run])]
    else:
        written = (run + 1 for run in reversed(turn) if view.runs[run].segment in view.pieces)
        end = turn.stop if name in view.pinned else next(written)
        at = on_at = starts[end]
        inside = end < turn.stop
    return Place(at, on_at, name, inside, before.end_ms, before.pass_id)


def _split(
    view: View, later: Sequence[_Said], said: Sequence[PassWord], following: _Said | None
) -> _Said | None:
    """Return the word of a turn before which others are put; `None` for behind the turn.

    Args:
        view: The text.
        later: The words of the turn that began later than the first of the others, the last first.
        said: The others.
        following: The first word of the next turn.
    """
    begun = [word.start_ms for word in said]
    earliest_ms = None if following is None else following.start_ms
    best, least, pairs = None, 0, 0
    for word in later:
        # So many pairs are out of order if the others are put before it, less those behind it.
        pairs += len(begun) - bisect_right(begun, word.start_ms)
        pairs -= bisect_left(begun, word.start_ms)
        if earliest_ms is None or word.start_ms <= earliest_ms:
            earliest_ms = word.start_ms
            if pairs < least and _may_begin(view, word):
                best, least = word, pairs
    return best


def _may_begin(view: View, word: _Said) -> bool:
    """Return whether a turn may begin with a word."""
    text, at = view.text, word.at
    if at > view.page.starts[word.run] and view.runs[word.run].highlight is not None:
        return False
    return text[at - 1].isspace() or _is_apart(text[at])


def _is_apart(character: str) -> bool:
    """Return whether what begins with a character is no part of the word before it."""
    return shape(character) in {"s", "c"}


def _said(view: View, run: int) -> Sequence[_Said]:
    """Return what was said in a run."""
    segment = view.runs[run].segment
    if segment is None or segment not in view.pieces:
        return ()
    start, end = view.page.starts[run : run + 2]
    standing = view.standing(segment)
    first = bisect_left(standing, start, key=_start)
    stop = bisect_left(standing, end, first, key=_start)
    if first < stop:
        words = ((word.start, view.heard(word.ref)) for word in standing[first:stop])
        return [_Said(at, run, word.start_ms, word.end_ms, segment.pass_id) for at, word in words]
    low = standing[first - 1].word + 1 if first else segment.first
    high = standing[stop].word if stop < len(standing) else segment.end
    began = _first_left(view, segment, range(low, high))
    ended = _first_left(view, segment, range(low, high)[::-1])
    if began is None or ended is None:
        return ()
    return [_Said(start, run, began.start_ms, ended.end_ms, segment.pass_id)]


def _first_left(view: View, segment: Segment, words: Iterable[int]) -> PassWord | None:
    """Return the first of some words that machines did not take out; as a rule that is the first.

    To ask for all that are left would take long where editors made up many pieces.
    """
    refs = (WordRef(segment.pass_id, word) for word in words)
    return next((view.heard(ref) for ref in refs if ref not in view.history.gone), None)


def _start(word: Standing) -> int:
    return word.start
