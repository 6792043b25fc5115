"""When each word of a transcript was said, as it stands now, after people edited it.

The document holds no times, only which stretch of text which words of a pass were written to (see
`offline.domain`). Times come back in three steps::

    pass        Hello(1.0-1.4)  bold(1.5-1.8)  word(1.9-2.3)
    text        Hello          [brave][new]    word  [again]

1. Words that still stand (`offline.standing`) have the pass's times. A segment may have come to
   lie in several places, between typed text or over turns: all its text is searched together.
2. Text typed where words of the segment are gone shares the time of these: `brave new`, 1.5-1.8.
3. All other typed text lies between its neighbours in the turn, or at the only one: `again`, 2.3.
   A turn without any time has the time at which the turn before it ends.

What is promised of the result, whatever people and editors did:

- The tokens of a turn, joined, are the turn's text.
- A word that stands has the pass's own times, and stands for the same word of the pass only once.
- No time lies outside of what the passes heard, and no token ends before it starts.
- Typed text ends before the next token of its turn starts.
- Where the standing words of a turn start in order of time, so do all its tokens. Text moved about
  with its attributes, or two microphones in one turn, may break that order, and are left so.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, groupby, pairwise

from offline.domain import PassId, PassWord, Segment, Turn
from offline.standing import shape, standing
from streaming.core.domain import Permille

Passes = Mapping[PassId, Sequence[PassWord]]


@dataclass(frozen=True, slots=True)
class WordSource:
    """Which word of which pass a token is."""

    pass_id: PassId
    word: int


@dataclass(frozen=True, slots=True)
class TimedToken:
    """A word as it stands in the document, with the space and punctuation around it.

    Attributes:
        text: Tokens of a turn, joined, are its text. Never empty.
        start_ms: When it began.
        end_ms: When it ended; not before `start_ms`.
        confidence: The model's probability; `None` for what people typed.
        source: The word that the pass heard, if only its case or punctuation was changed; `None`
            for what people typed.
    """

    text: str
    start_ms: int
    end_ms: int
    confidence: Permille | None
    source: WordSource | None


@dataclass(frozen=True, slots=True)
class TimedTurn:
    """A turn and its tokens: none if nothing stands in it."""

    turn: Turn
    tokens: tuple[TimedToken, ...]


@dataclass(frozen=True, slots=True)
class AudioSpan:
    """A stretch of the transcript's recording: `[start_ms, end_ms)`."""

    start_ms: int
    end_ms: int


def align(turns: Sequence[Turn], passes: Passes) -> list[TimedTurn]:
    """Return the turns with the time of every word.

    Typed text is cut at spaces; in scripts without spaces every letter is a token. A segment of an
    unknown pass, with words that the pass does not have, or with words of a segment that stands
    before it is taken for typed text: attributes come from editors too.

    Takes 0.3 s for three hours of speech: 27,000 words in 3,000 segments, a third of them edited
    (`tests/server/test_alignment.py`). An edited segment costs up to the square of its length.

    Args:
        turns: In the order of the document.
        passes: All words of each pass, at least of those that the turns name.
    """
    layouts = _lay_out(turns, passes)
    drafts = [_cut(layout, passes) for layout in layouts]
    _time_replacements(drafts, passes)
    _time_insertions(drafts)
    return [
        TimedTurn(turn, tuple(draft.finish() for draft in inside))
        for turn, inside in zip(turns, drafts, strict=True)
    ]


def span_of(timed: TimedTurn, start: int, end: int) -> AudioSpan | None:
    """Return when a part of a turn was said: the span of all tokens it touches.

    Args:
        timed: The turn; `None` is returned if it says nothing.
        start: First code point in the turn's text.
        end: After the last one. An empty range is a cursor, and means the token it stands in.
    """
    if not timed.tokens:
        return None
    starts = list(accumulate((len(token.text) for token in timed.tokens[:-1]), initial=0))
    first = max(bisect_right(starts, start) - 1, 0)
    last = max(bisect_right(starts, end - 1), first + 1)
    touched = timed.tokens[first:last]
    return AudioSpan(
        min(token.start_ms for token in touched), max(token.end_ms for token in touched)
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a turn in one segment, or in none; highlights do not divide it."""

    start: int
    text: str
    segment: Segment | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a word stands in its turn: word number `word` of its segment's pass."""

    start: int
    end: int
    segment: Segment
    word: int


@dataclass(frozen=True, slots=True)
class _Layout:
    """A turn as pieces, and the words that stand in it."""

    pieces: list[_Piece]
    places: list[_Place]


@dataclass(slots=True)
class _Draft:
    """A token on the way to its time.

    Attributes:
        text: As it stands.
        segment: The segment that it stands in or, if in none, next to.
        word: Which word of the segment's pass it is, if it is one.
        confidence: Of that word.
        timed: Whether its time is known yet.
    """

    text: str
    segment: Segment | None
    word: int | None = None
    confidence: Permille | None = None
    timed: bool = False
    start_ms: int = 0
    end_ms: int = 0

    def finish(self) -> TimedToken:
        """Return the token."""
        source: WordSource | None = None
        if self.segment is not None and self.word is not None:
            source = WordSource(self.segment.pass_id, self.word)
        return TimedToken(self.text, self.start_ms, self.end_ms, self.confidence, source)


def _lay_out(turns: Sequence[Turn], passes: Passes) -> list[_Layout]:
    """Find the words of every segment in all the pieces of it, over turns."""
    known = _known_segments(turns, passes)
    layouts = [_Layout(_pieces(turn, known), []) for turn in turns]
    pieces: dict[Segment, list[tuple[_Layout, _Piece]]] = {}
    for layout in layouts:
        for piece in layout.pieces:
            if piece.segment is not None:
                pieces.setdefault(piece.segment, []).append((layout, piece))
    for segment, parts in pieces.items():
        words = passes[segment.pass_id][segment.first : segment.end]
        for stood in standing([piece.text for _, piece in parts], words):
            layout, piece = parts[stood.text]
            start, end = piece.start + stood.start, piece.start + stood.end
            layout.places.append(_Place(start, end, segment, segment.first + stood.word))
    return layouts


def _known_segments(turns: Sequence[Turn], passes: Passes) -> set[Segment]:
    """Return the segments that passes really have, and that share no words with one another.

    This bounds the work as well: a forged document cannot have the same words sought many times.
    """
    segments = dict.fromkeys(run.segment for turn in turns for run in turn.runs)
    taken: dict[PassId, bytearray] = {}
    known: set[Segment] = set()
    for segment in segments:
        if segment is None or segment.end > len(passes.get(segment.pass_id, ())):
            continue
        words = taken.setdefault(segment.pass_id, bytearray(len(passes[segment.pass_id])))
        if words.find(1, segment.first, segment.end) < 0:
            words[segment.first : segment.end] = b"\1" * (segment.end - segment.first)
            known.add(segment)
    return known


def _pieces(turn: Turn, known: set[Segment]) -> list[_Piece]:
    marked = [(run.segment if run.segment in known else None, run.text) for run in turn.runs]
    pieces: list[_Piece] = []
    start = 0
    for segment, runs in groupby(marked, key=lambda run: run[0]):
        text = "".join(text for _, text in runs)
        pieces.append(_Piece(start, text, segment))
        start += len(text)
    return pieces


_TYPED = re.compile(r"[spm]*+(c[mp]*|w[wmp]*)?")
"""In shapes: a typed word with what stands before it and the punctuation after; or what is left."""


def _cut(layout: _Layout, passes: Passes) -> list[_Draft]:
    """Cut a turn into tokens: the words that stand in it, and what was typed around them."""
    text = "".join(piece.text for piece in layout.pieces)
    starts = _token_starts(text, sorted(layout.places, key=lambda place: place.start))
    ends = [start for start, _ in starts[1:]] + [len(text)]
    drafts: list[_Draft] = []
    for (start, place), end in zip(starts, ends, strict=True):
        if start == end:
            continue  # A word without any characters is no token.
        if place is None:
            drafts.append(_Draft(text[start:end], _segment_at(layout.pieces, end - 1)))
        else:
            word = passes[place.segment.pass_id][place.word]
            draft = _Draft(text[start:end], place.segment, place.word, word.confidence)
            draft.timed, draft.start_ms, draft.end_ms = True, word.start_ms, word.end_ms
            drafts.append(draft)
    return drafts


def _token_starts(text: str, places: Sequence[_Place]) -> list[tuple[int, _Place | None]]:
    """Return where each token begins, and which word it is; it ends where the next begins."""
    starts: list[tuple[int, _Place | None]] = []
    at = 0
    for place in [*places, None]:
        between = shape(text[at : len(text) if place is None else place.start])
        # Punctuation directly after a word is part of its token.
        rest = len(between) - len(between.lstrip("pm")) if starts else 0
        for found in _TYPED.finditer(between, rest):
            if found[1] is not None:
                starts.append((at + found.start(), None))
                rest = found.end()
        if place is not None:
            starts.append((at + rest, place))
            at = place.end
    return starts or [(0, None)]


def _segment_at(pieces: Sequence[_Piece], at: int) -> Segment | None:
    """Return the segment that a character stands in, else the one before it, else after it.

    Editors let typed text have the attributes of what stands before it. If one does not, the text
    belongs there nevertheless.
    """
    index = bisect_right(pieces, at, key=lambda piece: piece.start) - 1
    near = (pieces[index], *pieces[max(index - 1, 0) : index], *pieces[index + 1 : index + 2])
    return next((piece.segment for piece in near if piece.segment is not None), None)


def _time_replacements(drafts: Iterable[list[_Draft]], passes: Passes) -> None:
    """Let typed text have the time of the words that it replaced, over turns."""
    inside: dict[Segment, list[_Draft]] = {}
    for draft in chain.from_iterable(drafts):
        if draft.segment is not None:
            inside.setdefault(draft.segment, []).append(draft)
    for segment, tokens in inside.items():
        words = passes[segment.pass_id]
        expected = segment.first
        typed: list[_Draft] = []
        for draft in tokens:
            if draft.word is None:
                typed.append(draft)
            else:
                _replace(words[expected : draft.word], typed)
                expected, typed = draft.word + 1, []
        _replace(words[expected : segment.end], typed)


def _replace(gone: Sequence[PassWord], typed: Sequence[_Draft]) -> None:
    if gone and typed:
        _share(min(word.start_ms for word in gone), max(word.end_ms for word in gone), typed)


def _time_insertions(drafts: Sequence[list[_Draft]]) -> None:
    """Let all other typed text lie between its neighbours in the turn, else between turns."""
    before: _Draft | None = None
    for inside, after in zip(drafts, _first_timed_after(drafts), strict=True):
        runs = [list(run) for _, run in groupby(inside, key=lambda draft: draft.timed)]
        for index, run in enumerate(runs):
            if not run[0].timed and len(runs) == 1:
                start, _ = _gap(before, after)
                _share(start, start, run)
            elif not run[0].timed:
                left = runs[index - 1][-1] if index else None
                right = runs[index + 1][0] if index + 1 < len(runs) else None
                _share(*_gap(left, right), run)
        _keep_order(inside)
        before = inside[-1] if inside else before


def _first_timed_after(drafts: Sequence[list[_Draft]]) -> list[_Draft | None]:
    """Return, for each turn, the first token with a time in the turns after it."""
    after: _Draft | None = None
    found: list[_Draft | None] = []
    for inside in reversed(drafts):
        found.append(after)
        after = next((draft for draft in inside if draft.timed), after)
    return found[::-1]


def _gap(left: _Draft | None, right: _Draft | None) -> tuple[int, int]:
    """Return the time between two neighbours; at the only one, or at none, a mere moment."""
    if right is None:
        at = 0 if left is None else left.end_ms
    elif left is None:
        at = right.start_ms
    elif left.end_ms <= right.start_ms:
        return left.end_ms, right.start_ms
    else:
        # They overlap, or stand in the wrong order, which a moment does not make worse.
        at = right.start_ms if left.start_ms <= right.start_ms else left.end_ms
    return at, at


def _share(start_ms: int, end_ms: int, typed: Sequence[_Draft]) -> None:
    """Divide a time among tokens by their length."""
    lengths = [len(draft.text.strip()) or 1 for draft in typed]
    whole, duration_ms = sum(lengths), end_ms - start_ms
    bounds = [start_ms + duration_ms * upto // whole for upto in accumulate(lengths, initial=0)]
    for draft, (start, end) in zip(typed, pairwise(bounds), strict=True):
        draft.timed, draft.start_ms, draft.end_ms = True, start, end


def _keep_order(inside: Sequence[_Draft]) -> None:
    """Move typed tokens between the starts of their neighbours, where these are in order.

    A replacement may stand apart from the rest of its segment, behind words that were said later.
    """
    for before, draft in pairwise(inside):
        if draft.word is None:
            draft.start_ms = max(draft.start_ms, before.start_ms)
            draft.end_ms = max(draft.end_ms, draft.start_ms)
    for after, draft in pairwise(reversed(inside)):
        if draft.word is None:
            draft.start_ms = min(draft.start_ms, after.start_ms)
            draft.end_ms = min(draft.end_ms, after.start_ms)
