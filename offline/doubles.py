"""Words that several microphones heard, written once.

Which words are one talk, is told by `offline.echo`, by what both microphones heard for some seconds
around. Words that another microphone's stand for are not written, and that is kept as a decision:
so a word that stands nowhere because of it can be told from one that a person deleted, which comes
back by no other microphone either.

The first words of a talk are written before it is known for one, and a word that was heard
differently before the one after it is. So what stands twice is taken out again, where nobody
touched it. Of a talk stays what the microphone heard of which more stands, so that a text does not
change between two, and the first that wrote goes on.

Text that one session alone wrote never changes here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, groupby

from offline.decisions import Decision, Hunk, Outcome, age, refs
from offline.domain import PassId, PassWord, Segment, SpeakerId, WordRef
from offline.echo import Heard, Talk, talks
from offline.edits import Delete, Edit, InsertText, Plan
from offline.placement import NEW_TURN_AFTER_MS, Group, place_all
from offline.view import Marker, Standing, View

AROUND_MS = 10_000
"""What was heard so long before and after words tells whether they are part of a talk."""


@dataclass(frozen=True)
class Echoes:
    """What others heard of some words; nothing, where only one session has words.

    Attributes:
        view: The text.
        talks: What both heard, for each of the other sessions; our words come first.
        found: Where the words of all these sessions stand, ours included.
    """

    view: View
    talks: Sequence[Talk] = ()
    found: Mapping[WordRef, Standing] = field(default_factory=dict)

    def others(self, word: WordRef) -> list[WordRef]:
        """Return the words of others that are the same."""
        return self._theirs.get(word, [])

    @cached_property
    def _theirs(self) -> dict[WordRef, list[WordRef]]:
        theirs: dict[WordRef, list[WordRef]] = {}
        for our, their in chain.from_iterable(talk.pairs for talk in self.talks):
            theirs.setdefault(our, []).append(their)
        return theirs

    def counterpart(self, word: WordRef) -> Standing | None:
        """Return the word of another that stands in the text for one, if any does."""
        standing = (self.found.get(other) for other in self.others(word))
        return next((each for each in standing if each is not None), None)

    def covers(self, word: WordRef) -> bool:
        """Return whether a word need not be written: another stands, or was deleted by people."""
        return any(
            other in self.found or other not in self.view.history.echoes
            for other in self.others(word)
        )

    def parts(self, words: Segment) -> Iterator[tuple[bool, Segment]]:
        """Yield words in rows that are to be written, and rows that are not."""
        for covered, row in groupby(refs(words), key=self.covers):
            numbers = [ref.word for ref in row]
            yield covered, Segment(words.pass_id, numbers[0], numbers[-1] + 1)

    def unheard(self, words: Segment) -> list[Segment]:
        """Return the rows of words that are to be written."""
        return [part for covered, part in self.parts(words) if not covered]

    def covered(self, words: Segment) -> list[Segment]:
        """Return the others."""
        return [part for covered, part in self.parts(words) if covered]


def kept_out(words: Segment) -> Decision:
    """Return the decision that words are not in the text, because others are."""
    return Decision(words.pass_id, str(Hunk.of_echo(words)), Outcome.KEPT)


def listen(view: View, new: Segment, said_by: Mapping[WordRef, SpeakerId] | None = None) -> Echoes:
    """Return what other sessions heard of new words.

    Looks at some seconds only, however long the transcript is, except for finding where words
    stand, which takes as long as placing one.

    Args:
        view: The text; its passes hold the words.
        new: Words of one session, of its live pass or of one over it.
        said_by: Who said them, as far as that is known.
    """
    session, said = view.sessions.get(new.pass_id), view.said(new)
    if session is None or not said:
        return Echoes(view)
    later = None if new.pass_id == _live(view, session) else new.pass_id
    span = said[0].start_ms, said[-1].end_ms
    return _listen(view, session, span, later, said_by or {})


def _listen(
    view: View,
    session: str,
    span: tuple[int, int],
    later: PassId | None,
    said_by: Mapping[WordRef, SpeakerId],
) -> Echoes:
    """Return what others heard in a span of what a session did, or of what a later pass heard."""
    span = span[0] - AROUND_MS, span[1] + AROUND_MS
    sessions = sorted(set(view.sessions.values()) - {session})
    theirs = {each: around for each in sessions if (around := _around(view, each, span))}
    if not theirs:
        return Echoes(view)
    ours = _around(view, session, span)
    found = view.found({ref for around in (ours, *theirs.values()) for ref in around})
    own = _taken(view, session, ours, found) if later is None else _within(view, later, span)

    def one_person(our: WordRef, their: WordRef) -> bool:
        place = found.get(their)
        turn = None if place is None else place.turn
        return our in said_by and turn is not None and said_by[our] == view.speakers.get(turn)

    shared = [
        talk
        for each, around in theirs.items()
        for talk in talks(
            _heard(view, own), _heard(view, _taken(view, each, around, found)), one_person
        )
    ]
    return Echoes(view, shared, found)


def is_shared(
    passes: Mapping[PassId, Sequence[PassWord]],
    sessions: Mapping[PassId, str],
    session: str,
    span: tuple[int, int],
) -> bool:
    """Return whether another session has words around a span, so that `settle` may find any."""
    start_ms, end_ms = span[0] - AROUND_MS, span[1] + AROUND_MS
    others = (passes.get(name, ()) for name, of in sessions.items() if of != session)
    return any(_between(said, start_ms, end_ms) for said in others)


def place_once(view: View, segment: Segment, speaker: SpeakerId | None) -> Plan:
    """Return the plan that writes those of some words that no other microphone's stand for.

    Args:
        view: Whose passes have the words already.
        segment: The words, all of one speaker, which stand nowhere yet.
        speaker: Who said them, or `None` while nobody knows.
    """
    known = {} if speaker is None else dict.fromkeys(refs(segment), speaker)
    echoes = listen(view, segment, known)
    edits: list[Edit] = []
    apart: list[Group] = []
    for part in echoes.unheard(segment):
        first = refs(part)[0]
        if part.first > segment.first:
            beside = insert_beside(echoes, part)
        else:
            beside = _go_on(echoes, part, speaker) if echoes.others(first) else None
        if beside is None:
            apart.append(Group(part, speaker))
        else:
            edits.append(beside)
    # All at once: they may interrupt one turn, which is split once.
    return Plan((*place_all(view, apart), *edits), tuple(map(kept_out, echoes.covered(segment))))


def insert_beside(echoes: Echoes, words: Segment) -> InsertText | None:
    """Return the edit that writes words behind the one that stands for the word before them."""
    before = echoes.counterpart(WordRef(words.pass_id, words.first - 1))
    return None if before is None else _behind(echoes.view, before, words)


def _go_on(echoes: Echoes, words: Segment, speaker: SpeakerId | None) -> InsertText | None:
    """Return the edit that writes words behind the one of the same microphone before them.

    In a talk, what stood there by another one may lie in one piece with what follows.
    """
    view, before = echoes.view, echoes.found.get(WordRef(words.pass_id, words.first - 1))
    if before is None or before.turn is None or before.turn in view.pinned:
        return None
    pause_ms = view.said(words)[0].start_ms - view.heard(before.ref).end_ms
    same = speaker is None or speaker == view.speakers.get(before.turn)
    return _behind(view, before, words) if same and pause_ms < NEW_TURN_AFTER_MS else None


def _behind(view: View, before: Standing, words: Segment) -> InsertText | None:
    text = "".join(word.text for word in view.said(words))
    return InsertText(before.end, text, words) if before.exact else None


@dataclass(frozen=True, slots=True)
class Settled:
    """What is taken out of the text because it stands twice.

    Attributes:
        plan: Which is to be carried out before new words are placed.
        beside: Words beside what goes, with their speakers, if known: turns are to be arranged
            around these afterwards (`offline.arrangement`).
    """

    plan: Plan
    beside: Mapping[WordRef, SpeakerId]


def settle(view: View, session: str, span: tuple[int, int], new: Segment | None = None) -> Settled:
    """Return what goes, because it stands twice.

    Args:
        view: Whose passes have all words.
        session: Of which words were heard, or heard again.
        span: When they were said, from and to which millisecond of the transcript.
        new: Those of a live pass that stand nowhere yet.
    """
    echoes = _listen(view, session, span, None, {})
    standing = set(echoes.found)
    incoming = frozenset(() if new is None else refs(new))
    gone: list[WordRef] = []
    for talk in echoes.talks:
        for word in _to_go(echoes, talk, standing, incoming):
            standing.discard(word)
            gone.append(word)
    places = [echoes.found[word] for word in gone]
    edits = tuple(Delete(place.start, place.end) for place in sorted(places, key=_start))
    decisions = tuple(kept_out(segment) for segment in _segments(gone))
    return Settled(Plan(edits, decisions), _beside(view, gone) if gone else {})


def _to_go(
    echoes: Echoes, talk: Talk, standing: Collection[WordRef], incoming: frozenset[WordRef]
) -> list[WordRef]:
    """Return the words of a talk that go."""
    view, found = echoes.view, echoes.found
    ours, theirs = talk.pairs[0]
    counts = [len({pair[side] for pair in talk.pairs}.intersection(standing)) for side in (0, 1)]
    older = age(_live_of(view, ours)) < age(_live_of(view, theirs))
    we_lead = counts[0] > counts[1] or (counts[0] == counts[1] and older)
    leading: dict[WordRef, list[WordRef]] = {}
    following: dict[WordRef, list[WordRef]] = {}
    for pair in talk.pairs:
        one, other = pair if we_lead else pair[::-1]
        leading.setdefault(one, []).append(other)
        following.setdefault(other, []).append(one)

    def free(word: WordRef) -> bool:
        return word in standing and _is_untouched(view, found[word])

    def stays(word: WordRef) -> bool:
        """Return whether a leading word stands, or will."""
        return word in standing or (word in incoming and all(map(free, leading[word])))

    go = [word for word, others in following.items() if free(word) and any(map(stays, others))]
    left = set(standing) - set(go)
    return go + [word for word, others in leading.items() if free(word) and left.issuperset(others)]


def _is_untouched(view: View, place: Standing) -> bool:
    """Return whether nobody made anything of a word, or wrote right beside it."""
    start, end = max(place.start - 1, 0), min(place.end + 1, len(view.text))
    return (
        place.exact
        and place.turn not in view.pinned
        and view.by_machine(start, end)
        and view.page.highlight(place.start, place.end) is None
    )


def _beside(view: View, gone: Collection[WordRef]) -> dict[WordRef, SpeakerId]:
    """Return the words that stand beside those that go, with their speakers."""
    words = [item for item in view.items(view.around(gone)) if not isinstance(item, Marker)]
    beside: dict[WordRef, SpeakerId] = {}
    left = [word for word in words if word.ref not in gone]
    for at in (word.start for word in words if word.ref in gone):
        after = bisect_left(left, at, key=_start)
        for word in left[max(after - 1, 0) : after + 1]:
            speaker = None if word.turn is None else view.speakers.get(word.turn)
            if speaker is not None:
                beside[word.ref] = speaker
    return beside


def _start(place: Standing) -> int:
    return place.start


def _segments(words: Iterable[WordRef]) -> Iterator[Segment]:
    """Yield words as segments, each a row of one pass."""
    row: list[WordRef] = []
    for word in sorted(words):
        if row and word != WordRef(row[-1].pass_id, row[-1].word + 1):
            yield Segment(row[0].pass_id, row[0].word, row[-1].word + 1)
            row = []
        row.append(word)
    if row:
        yield Segment(row[0].pass_id, row[0].word, row[-1].word + 1)


def _live(view: View, session: str) -> PassId:
    """Return a session's live pass: its first."""
    return min((name for name, of in view.sessions.items() if of == session), key=age)


def _live_of(view: View, word: WordRef) -> PassId:
    return _live(view, view.sessions[word.pass_id])


def _around(view: View, session: str, span: tuple[int, int]) -> list[WordRef]:
    """Return the words of all passes over a session that lie in a span."""
    names = [name for name, of in view.sessions.items() if of == session and name in view.passes]
    return [ref for name in names for ref in _within(view, name, span)]


def _within(view: View, name: PassId, span: tuple[int, int]) -> list[WordRef]:
    return [WordRef(name, word) for word in _between(view.passes[name], *span)]


def _between(said: Sequence[PassWord], start_ms: int, end_ms: int) -> range:
    first = bisect_left(said, start_ms, key=lambda word: word.start_ms)
    return range(first, bisect_right(said, end_ms, key=lambda word: word.start_ms))


def _taken(
    view: View, session: str, around: Iterable[WordRef], found: Collection[WordRef]
) -> list[WordRef]:
    """Return what was taken for said in a session, by its last pass: what stands, or stood.

    Or what would stand, if nobody else had heard it.
    """
    live, history = _live(view, session), view.history
    return [
        word
        for word in around
        if word in found
        or ((word.pass_id == live or word in history.echoes) and not history.is_superseded(word))
    ]


def _heard(view: View, words: Iterable[WordRef]) -> list[Heard]:
    heard = (Heard.of(word, view.heard(word)) for word in words)
    return sorted(heard, key=lambda each: (each.start_ms, each.end_ms))
