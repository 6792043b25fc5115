"""A transcript attacked at random: does an accurate pass ever hurt an edit?

Machines and people write into replicas of their own, which are exchanged in part and late: a
session speaks, each utterance is heard once more, accurate passes correct spans and the whole, in
any order, repeated, and killed in the middle; people type inside of words, delete, split and join
turns, choose speakers, highlight and undo. In the end everything is exchanged, every pass comes
once more, and the laws are checked:

- All replicas show the same, text and attributes.
- No character that a person typed is lost or doubled, no speaker that a person chose is another.
- Passes that come again change nothing.
- If nobody edited, the document says what the last pass heard, word by word and turn by turn.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import groupby

from loadtest.fuzz_people import Ledger, Person
from loadtest.fuzz_speech import Heard, hear, speak
from offline.arrangement import arrange, spread
from offline.belief import Belief
from offline.comparison import Portion
from offline.decisions import Decision
from offline.domain import PassId, PassWord, Segment, SpeakerId, TurnId, WordRef
from offline.edits import Delete, Plan
from offline.history import History
from offline.page import Page
from offline.placement import Group, place_all
from offline.portions import portions
from offline.reconcile import correct
from offline.review import review
from offline.view import View
from server.transcript import Transcript

LIVE, UTTERANCE = PassId("1"), PassId("2")
PEOPLE = 3
KILLED = 0.15
"""Chance of each step of a pass to be the last one of its writer."""


@dataclass
class Violations:
    """How often the laws were broken; all zero is what we want."""

    lost: int = 0
    doubled: int = 0
    diverged: int = 0
    overridden: int = 0
    repeated: int = 0
    inexact: int = 0

    @property
    def total(self) -> int:
        """Of all laws."""
        return sum(getattr(self, each.name) for each in fields(self))


@dataclass
class Outcome:
    """What came of one seed."""

    seed: int
    edits: int
    characters: int
    hunks: int
    suggestions: int
    violations: Violations
    update: bytes = field(repr=False)


class Killed(Exception):
    """The writer died."""


@dataclass
class Job:
    """An accurate pass over a span."""

    pass_id: PassId
    start_ms: int
    end_ms: int
    said_by: Mapping[WordRef, SpeakerId]


class World:
    """One transcript with everybody in it."""

    def __init__(self, seed: int, *, people: int = PEOPLE, words: int | None = None) -> None:
        self.rng = random.Random(seed)
        self.ledger = Ledger()
        self.server = Transcript(1)
        self.machines = {1}
        self.passes: dict[PassId, list[PassWord]] = {LIVE: [], UTTERANCE: []}
        self.decisions: list[Decision] = []
        self.aliases: dict[WordRef, WordRef] = {}
        self.jobs: list[Job] = []
        self.taken_away = 0
        """Deletions by machines of what a person wrote, even if it read as before."""
        self._writer = self.server
        self._take_over()
        self.people = [Person(number, self.rng, self.ledger) for number in range(people)]
        said = speak(self.rng, words or self.rng.choice([4, 12, 40, 90, 90, 250]))
        self.said = said
        uploaded = self.rng.random() < 0.15  # then nobody heard it before
        heard = Heard((), ()) if uploaded else said
        self._live = hear(self.rng, heard, 0.3)
        self._again = hear(self.rng, heard, 0.2)
        self._written_ms = 0

    # Machines

    def view(self, transcript: Transcript) -> View:
        """Return a document as plans see it."""
        return View(
            page=Page.of(transcript.runs(), self.passes),
            speakers=transcript.machine_speakers(),
            pinned=frozenset(transcript.chosen_speakers()),
            dropped=transcript.dropped_turns(),
            passes=self.passes,
            by_machine=lambda start, end: transcript.authors(start, end) <= self.machines,
            history=History(self.decisions, self.aliases),
            suggestions=transcript.suggestions(),
            choices=transcript.choices(),
        )

    @property
    def belief(self) -> Belief:
        """What machines believe."""
        return Belief.of(LIVE, len(self.passes[LIVE]), self.decisions)

    def write(self, plan: Callable[[View], Plan], *, may_die: bool = False) -> None:
        """Have the writer carry out a plan, while people go on."""
        writer = self._writer
        writer.apply(self.server.update_since(writer.state_vector()))
        view = self.view(writer)
        made = plan(view)
        self.taken_away += sum(
            not view.by_machine(edit.start, edit.end)
            for edit in made.edits
            if isinstance(edit, Delete)
        )
        update = writer.write(made.edits)
        while self.people and self.rng.random() < 0.3:
            self.meanwhile()
        if may_die and self.rng.random() < KILLED:
            self._take_over()
            raise Killed
        if update is not None:
            self.server.apply(update)
        self.decisions += made.decisions
        self.aliases |= {alias.old: alias.new for alias in made.aliases}

    def _take_over(self) -> None:
        """Begin to write under a name of one's own, from what is committed."""
        client = 10 + len(self.machines)
        self.machines.add(client)
        self._writer = Transcript(client, [self.server.update_since()])

    def say(self) -> bool:
        """Write the next words of the live pass; return whether there were any."""
        first = len(self.passes[LIVE])
        if first == len(self._live.words):
            return False
        end = min(first + self.rng.randint(1, 8), len(self._live.words))
        heard = self._live.between(first, end)
        self.passes[LIVE] += heard.words
        self.write(lambda view: Plan(tuple(place_all(view, _groups(LIVE, first, heard)))))
        return True

    def hear_utterance(self) -> None:
        """Hear once more what was said since the last time."""
        until_ms = self.passes[LIVE][-1].end_ms if self.passes[LIVE] else 0
        heard = self._again.within(self._written_ms, until_ms)
        first = len(self.passes[UTTERANCE])
        self.passes[UTTERANCE] += heard.words
        segment = Segment(UTTERANCE, first, first + len(heard.words))
        portion = Portion(segment, self._written_ms, until_ms)
        self._written_ms = until_ms
        said_by = _said_by(UTTERANCE, first, heard)
        self.write(lambda view: correct(view, self.belief, portion, said_by))
        self.write(lambda view: Plan(tuple(arrange(view, spread(view, said_by)))))

    def begin_job(self, *, whole: bool = False) -> None:
        """Have a worker hear a span, or all that was said; its words come later."""
        until_ms = self.passes[LIVE][-1].end_ms if self.passes[LIVE] else 0
        start_ms, end_ms = 0, self.said.words[-1].end_ms + 1_000
        if not whole:
            start_ms, end_ms = sorted(self.rng.randint(0, until_ms) for _ in range(2))
        pass_id = PassId(str(3 + len(self.jobs)))
        heard = hear(self.rng, self.said.within(start_ms, end_ms), 0.1)
        self.passes[pass_id] = list(heard.words)
        self.jobs.append(Job(pass_id, start_ms, end_ms, _said_by(pass_id, 0, heard)))

    def carry_out(self, job: Job, *, may_die: bool = False) -> None:
        """Merge a pass, or as much of it as the writer lives to do."""
        new = Segment(job.pass_id, 0, len(self.passes[job.pass_id]))
        cut = portions(self.view(self.server), self.belief, new, job.start_ms, job.end_ms)
        if self.rng.random() < 0.3:  # where cursors are in the way, others come first
            self.rng.shuffle(cut)
        try:
            for portion in cut:
                self._merge(job, portion, may_die=may_die)
        except Killed:
            pass

    def _merge(self, job: Job, portion: Portion, *, may_die: bool) -> None:
        words = range(portion.new.first, portion.new.end)
        said_by = {ref: who for ref, who in job.said_by.items() if ref.word in words}
        steps: tuple[Callable[[View], Plan], ...] = (
            lambda view: correct(view, self.belief, portion, said_by),
            lambda view: Plan(tuple(arrange(view, spread(view, said_by)))),
            lambda view: Plan(tuple(review(view, self.belief, portion.start_ms, portion.end_ms))),
        )
        for step in steps:
            self.write(step, may_die=may_die)

    # Everybody

    def meanwhile(self) -> None:
        """Somebody edits, or exchanges something with the server."""
        person = self.rng.choice(self.people)
        if self.rng.random() < 0.6:
            person.act()
        else:
            sends = self.rng.random() < 0.7
            person.synchronise(
                self.server, sends=sends, receives=not sends or self.rng.random() < 0.7
            )

    def exchange(self) -> None:
        """Have everybody know everything."""
        for _ in range(2):
            for person in self.people:
                person.synchronise(self.server)

    def live(self) -> None:
        """Have a meeting."""
        for _ in range(self.rng.choice([10, 30, 80])):
            chance = self.rng.random()
            if chance < 0.5 and self.people:
                self.meanwhile()
            elif chance < 0.7:
                self.say()
            elif chance < 0.78:
                self.hear_utterance()
            elif chance < 0.88:
                self.begin_job()
            elif self.jobs:
                self.carry_out(self.rng.choice(self.jobs), may_die=True)

    def end(self) -> None:
        """End the meeting: everything is said, heard and merged."""
        while self.say():
            pass
        self.hear_utterance()
        self.begin_job(whole=True)
        for job in self.rng.sample(self.jobs, len(self.jobs)):
            self.carry_out(job, may_die=True)
        self.merge_all()

    def merge_all(self) -> None:
        """Have every pass merged, while nobody edits."""
        people, self.people = self.people, []
        for job in self.jobs:
            self.carry_out(job)
        self.people = people
        self.exchange()


def fuzz(seed: int, *, people: int = PEOPLE) -> Outcome:
    """Run one seed, and check the laws."""
    world = World(seed, people=people)
    world.live()
    world.end()
    world.exchange()
    world.merge_all()
    violations = Violations()
    before = (world.server.update_since(), len(world.decisions), dict(world.aliases))
    world.merge_all()
    violations.repeated = int(
        before != (world.server.update_since(), len(world.decisions), world.aliases)
    )
    text = world.server.text
    violations.lost = world.ledger.lost(text) + world.taken_away
    violations.doubled = world.ledger.doubled(text)
    violations.diverged = sum(not _same(world.server, each) for each in world.people)
    violations.overridden = _overridden(world)
    if not people:
        violations.inexact = int(_turns(world) != _expected(world))
    return Outcome(
        seed=seed,
        edits=world.ledger.edits,
        characters=len(world.ledger.typed),
        hunks=len(world.decisions),
        suggestions=len(world.server.suggestions()),
        violations=violations,
        update=world.server.update_since(),
    )


def _same(server: Transcript, person: Person) -> bool:
    theirs = Transcript(99, [person.replica.update_since(b"\x00")])
    return (
        server.runs() == theirs.runs()
        and server.turn_speakers() == theirs.turn_speakers()
        and server.suggestions() == theirs.suggestions()
        and server.text == person.replica.text
    )


def _overridden(world: World) -> int:
    """Return how many speakers that people chose are not those of their turns.

    A choice may be taken back by its maker, and is void where all that it was about is gone.
    """
    view = world.view(world.server)
    chosen = world.server.chosen_speakers()
    shown = {turn.id: turn.speaker for turn in world.server.turns()}
    count = 0
    for turn in map(TurnId, world.ledger.chosen):
        if turn not in chosen:
            continue
        word = view.beginning(turn)
        unsaid = turn in view.dropped and word is None
        gone = word is not None and not view.found([word])
        moot = turn in world.ledger.joined or unsaid or gone
        count += shown[turn] not in world.ledger.chosen[turn] if turn in shown else not moot
    return count


def _turns(world: World) -> list[tuple[SpeakerId | None, str]]:
    """Return what each speaker says in a row, whatever pauses divide it."""
    grouped = groupby(world.server.turns(), key=lambda turn: turn.speaker)
    return [
        (speaker, "".join(_unspaced(turn.text) for turn in turns)) for speaker, turns in grouped
    ]


def _expected(world: World) -> list[tuple[SpeakerId | None, str]]:
    job = world.jobs[-1]
    said = zip(job.said_by.values(), world.passes[job.pass_id], strict=True)
    return [
        (speaker, "".join(_unspaced(word.text) for _, word in words))
        for speaker, words in groupby(said, key=lambda each: each[0])
    ]


def _unspaced(text: str) -> str:
    return "".join(text.split())


def _said_by(pass_id: PassId, first: int, heard: Heard) -> dict[WordRef, SpeakerId]:
    return {WordRef(pass_id, n): who for n, who in enumerate(heard.speakers, first)}


def _groups(pass_id: PassId, first: int, heard: Heard) -> Iterator[Group]:
    at = first
    for speaker, words in groupby(heard.speakers):
        end = at + len(list(words))
        yield Group(Segment(pass_id, at, end), speaker)
        at = end
