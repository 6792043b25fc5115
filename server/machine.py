"""What machines write into a transcript, planned where nobody waits for it.

    event loop      thread                                           event loop
    what is new --> replica --> view --> plan --> edits --> updates --> document, committed

To plan is to look through the whole text: tens of milliseconds for three hours of speech. So it is
done on a replica, which writes under a client id of its own; the event loop is held only for
telling the replica what is new, and for taking over what it wrote.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from offline.decisions import Alias, Decision
from offline.domain import PassId, PassWord
from offline.edits import Delete, DropTurn, InsertText, InsertTurn, Plan
from offline.history import History
from offline.page import Page
from offline.view import View
from server.authorship import Authorship
from server.contents import Contents
from server.cursors import Cursors
from server.errors import Occupied
from server.mirror import Mirror
from server.planner import Planner
from server.storage.values import Progress, WordChunk
from server.transcript import Transcript
from server.yjs.updates import NO_LIMITS, Inspection, inspect

logger = logging.getLogger(__name__)

T = TypeVar("T")

Planned = Callable[[View], Plan]
"""Looks at the text and says what is to be written; called in a thread."""


NEAR = 12
"""A cursor so few characters from a change is in its way: somebody may be typing there."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be taken over into the document and committed, in one step.

    Attributes:
        updates: In order, each with what was found in it.
        words: That were heard.
        progress: How far a session is with it.
        decisions: What became of hunks.
        aliases: Words that have other times now.
    """

    updates: tuple[tuple[bytes, Inspection], ...]
    words: tuple[WordChunk, ...]
    progress: Progress | None
    decisions: tuple[Decision, ...] = ()
    aliases: tuple[Alias, ...] = ()


class MachineWriter:
    """Writes into one room's document; owned by the room, used in the event loop.

    One write after the other, so that each sees what those before it wrote, and so that nobody
    else adds words to passes.
    """

    def __init__(
        self,
        document: Transcript,
        contents: Contents,
        planner: Planner,
        take: Callable[[Written], None],
    ) -> None:
        """Begin with nothing written.

        Args:
            document: The room's own.
            contents: What belongs to it; only what `take` is given is added to it.
            planner: Where plans are made.
            take: Takes over what was written.
        """
        self._document = document
        self._contents = contents
        self._planner = planner
        self._take = take
        self._turn = asyncio.Lock()
        self._replica: _Replica | None = None

    async def write(
        self,
        *plans: Planned,
        words: Sequence[WordChunk] = (),
        progress: Progress | None = None,
        apart_from: Sequence[str] = (),
    ) -> None:
        """Carry out plans, each on the text that the one before it left, and commit it all at once.

        Either all of it is on its way to the storage when this returns or raises, or nothing of it
        is. To be cancelled takes as long as the plan that is being made.

        Args:
            plans: What to write.
            words: Of passes, which the plans see there already.
            progress: How far a session is with it.
            apart_from: What people show of themselves: where one of their cursors is, nothing is
                to be changed.

        Raises:
            Occupied: A cursor is where a plan changes something; nothing is written.
            TranscriptError: The document cannot be changed any more; its room closes.
            Exception: What a plan raised.
        """
        async with self._turn:
            if not plans:
                self._take(Written((), tuple(words), progress))
                return
            # What a plan leaves half done goes with the replica.
            replica, self._replica = self._replica, None
            state = None if replica is None else replica.state_vector()
            lacking = self._document.update_since(state)

            def carry_out() -> tuple[_Replica | None, Written | Occupied]:
                ours = replica or _Replica(self._contents)
                ours.apply(lacking)
                cursors = Cursors.of(apart_from)
                try:
                    return ours, ours.carry_out(plans, tuple(words), progress, cursors)
                except Occupied as error:
                    return (None if ours.half_done else ours), error

            self._replica, written = await self._planner.run(carry_out)
            if isinstance(written, Occupied):
                raise written
            self._take(written)

    async def read(self, look: Callable[[View], T]) -> T:
        """Return what is seen in the text as a plan would see it; `look` is called in a thread.

        Raises:
            TranscriptError: As `write`.
            Exception: What `look` raised.
        """
        seen: list[T] = []

        def plan(view: View) -> Plan:
            seen.append(look(view))
            return Plan()

        await self.write(plan)
        return seen[0]


class _Replica:
    """A machine's own replica of a document; used in the planner's thread."""

    def __init__(self, contents: Contents) -> None:
        """Begin with nothing in it."""
        self.half_done = False
        self._contents = contents
        self._transcript = Transcript(contents.writer)
        self._mirror: Mirror | None = None
        self._authorship: Authorship | None = None
        self._written: dict[int, int] = {}
        self._page = Page((), {})
        self._history = History(contents.decisions, contents.aliases)

    def state_vector(self) -> bytes:
        """Return what this replica has."""
        return self._transcript.state_vector()

    def apply(self, update: bytes) -> None:
        """Take in what it lacks."""
        self._transcript.apply(update)
        machines = self._contents.machines - {self._contents.writer}
        state = self._transcript.state()
        written = {client: state[client] for client in machines & state.keys()}
        if written != self._written:  # What others write is taken for people's.
            self._written, self._authorship = written, None

    def carry_out(
        self,
        plans: Sequence[Planned],
        words: tuple[WordChunk, ...],
        progress: Progress | None,
        cursors: Cursors,
    ) -> Written:
        """Carry out plans; return what is to be taken over.

        Raises:
            Occupied: A cursor is in the way; if nothing is `half_done`, the replica is as before.
        """
        passes = _continued(self._contents.passes, words)
        updates: list[bytes] = []
        made: list[Plan] = []
        self.half_done = False
        for plan in plans:
            view = self._view(passes)
            made.append(plan(view))
            if cursors and self._is_occupied(view, made[-1], cursors):
                raise Occupied("text without cursors expected, got some in what is to be changed")
            self.half_done = True
            self._history.add(made[-1].decisions, made[-1].aliases)
            update = self._transcript.write(made[-1].edits)
            updates += () if update is None else (update,)
        return Written(
            updates=tuple((update, inspect(update, NO_LIMITS)) for update in updates),
            words=words,
            progress=progress,
            decisions=tuple(each for plan in made for each in plan.decisions),
            aliases=tuple(each for plan in made for each in plan.aliases),
        )

    def _view(self, passes: Mapping[PassId, Sequence[PassWord]]) -> View:
        transcript, page = self._transcript, self._read(passes)
        return View(
            page=page,
            speakers=transcript.machine_speakers(),
            pinned=frozenset(transcript.chosen_speakers()),
            passes=passes,
            by_machine=self._by_machine(page.text),
            history=self._history,
            dropped=transcript.dropped_turns(),
            suggestions=transcript.suggestions(),
            choices=transcript.choices(),
            sessions=dict(self._contents.sessions),
            asked_for=frozenset(self._contents.asked_for),
        )

    def _by_machine(self, text: str) -> Callable[[int, int], bool]:
        """Return what tells whether all characters of a span of this text are by machines."""

        def by_machine(start: int, end: int) -> bool:
            size_bytes = len(text.encode())
            if self._authorship is None or self._authorship.size_bytes != size_bytes:
                self._authorship = self._transcript.authorship(self._contents.machines)
            before = len(text[:start].encode())
            return self._authorship.theirs(before, before + len(text[start:end].encode()))

        return by_machine

    def _is_occupied(self, view: View, plan: Plan, cursors: Cursors) -> bool:
        """Return whether a cursor is in, or next to, what a plan changes in the text."""
        near = _near(plan, len(view.text))
        if cursors.at_end and near and near[-1].stop == len(view.text):
            return True
        return any(
            cursors.at(client, clocks)
            for each in near
            for part in _in_runs(view, each)
            for client, clocks in self._clocks(view, part)
        )

    def _clocks(self, view: View, part: range) -> Iterator[tuple[int, range]]:
        """Yield the clocks that characters of one run may have, by their clients."""
        first, last = (self._transcript.ticks(at, at + 1)[0] for at in (part[0], part[-1]))
        ascii_only = view.text[part.start : part.stop].isascii()
        straight = (first.client, first.clock + len(part) - 1) == (last.client, last.clock)
        if ascii_only and straight and view.by_machine(part.start, part.stop):
            # A machine wrote it in one go: what lies between was not to be asked for.
            yield first.client, range(first.clock - _surplus(view, part.start), last.clock + 1)
            return
        for at, tick in zip(part, self._transcript.ticks(part.start, part.stop), strict=True):
            yield tick.client, range(tick.clock - _surplus(view, at), tick.clock + 1)

    def _read(self, passes: Mapping[PassId, Sequence[PassWord]]) -> Page:
        """Return the text as it is kept up to date, unless the document says something else.

        A plan made on another text would change what it was not meant to change.
        """
        mirror = self._mirror
        if mirror is None or mirror.text != self._transcript.text:
            if mirror is not None:
                logger.error("text read anew", extra={"characters": len(mirror.text)})
            self._mirror = mirror = self._transcript.mirror()
        page = Page.of(mirror.runs, passes)
        if page.runs is not self._page.runs or page.heard != self._page.heard:
            self._page = page
        return self._page


def _near(plan: Plan, end: int) -> list[range]:
    """Return what is in, or next to, what a plan changes in a text, from left to right."""
    touched: list[range] = []
    for edit in plan.edits:
        match edit:
            case InsertText(at=at) | InsertTurn(at=at):
                touched.append(range(at, at))
            case DropTurn(at=at):
                touched.append(range(at, at + 1))
            case Delete(start=first, end=last):
                touched.append(range(first, last))
            case _:
                pass
    near: list[range] = []
    for each in sorted(touched, key=lambda place: place.start):
        start, stop = max(each.start - NEAR, 0), min(each.stop + NEAR, end)
        if near and start <= near[-1].stop:
            start, stop = near[-1].start, max(near.pop().stop, stop)
        near.append(range(start, stop))
    return near


def _in_runs(view: View, span: range) -> Iterator[range]:
    """Cut a span where runs begin."""
    starts = view.page.starts
    place, at = bisect_right(starts, span.start), span.start
    while at < span.stop:
        end = min(starts[place], span.stop)
        yield range(at, end)
        place, at = place + 1, end


def _surplus(view: View, at: int) -> int:
    """Return by how much the clock of a character may be too high (`Transcript.ticks`)."""
    before = view.text[view.page.starts[bisect_right(view.page.starts, at) - 1] : at]
    return len(before.encode()) - len(before.encode("utf-16-le")) // 2


def _continued(
    passes: Mapping[PassId, Sequence[PassWord]], words: Sequence[WordChunk]
) -> dict[PassId, Sequence[PassWord]]:
    """Return passes together with words that continue them."""
    all_words = dict(passes)
    for chunk in words:
        all_words[chunk.pass_id] = [*all_words.get(chunk.pass_id, ()), *chunk.words]
    return all_words
