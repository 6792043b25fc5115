"""A transcript on paper: edits made character by character, without any CRDT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from offline.decisions import Decision
from offline.domain import (
    PassId,
    PassWord,
    Run,
    Segment,
    SpeakerId,
    TurnId,
    WordRef,
    split_turns,
)
from offline.edits import (
    AssignTurn,
    Delete,
    DropTurn,
    Edit,
    InsertText,
    InsertTurn,
    Plan,
    Suggest,
    Withdraw,
    WithdrawName,
    disjoint,
)
from offline.history import History
from offline.page import Page
from offline.suggestions import Choice, Suggestion
from offline.view import View
from streaming.core.domain import Permille

LIVE = PassId("1")
OTHER = PassId("2")


def said(text: str, at_ms: int = 0, each_ms: int = 100) -> list[PassWord]:
    """Return words of `each_ms`, one right after the other."""
    return [
        PassWord(f" {word}", at_ms + each_ms * n, at_ms + each_ms * (n + 1), Permille(900))
        for n, word in enumerate(text.split())
    ]


@dataclass(frozen=True, slots=True)
class Character:
    """One character with its attributes, and whether a person typed it."""

    text: str
    segment: Segment | None = None
    turn: TurnId | None = None
    by_person: bool = False
    highlight: str | None = None


@dataclass
class Paper:
    """A text that machines and people change."""

    passes: dict[PassId, list[PassWord]] = field(default_factory=dict)
    characters: list[Character] = field(default_factory=list)
    speakers: dict[TurnId, SpeakerId] = field(default_factory=dict)
    chosen: dict[TurnId, SpeakerId] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    aliases: dict[WordRef, WordRef] = field(default_factory=dict)
    suggestions: dict[str, Suggestion] = field(default_factory=dict)
    choices: dict[str, Choice] = field(default_factory=dict)
    dropped: set[TurnId] = field(default_factory=set)
    sessions: dict[PassId, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(character.text for character in self.characters)

    @property
    def shown(self) -> list[str]:
        """The turns as people read them."""
        turns = split_turns(self.runs(), self.speakers | self.chosen)
        return [f"{turn.speaker or '?'}: {turn.text}" for turn in turns]

    def runs(self) -> list[Run]:
        """Return the text in runs."""
        kinds = groupby(self.characters, key=lambda each: (each.segment, each.turn, each.highlight))
        return [
            Run("".join(each.text for each in group), segment, turn, highlight)
            for (segment, turn, highlight), group in kinds
        ]

    def view(self) -> View:
        """Return what plans are made from."""
        return View(
            page=Page.of(self.runs(), self.passes),
            speakers=dict(self.speakers),
            pinned=frozenset(self.chosen),
            passes=self.passes,
            by_machine=lambda start, end: (
                not any(each.by_person for each in self.characters[start:end])
            ),
            history=History(self.decisions, self.aliases),
            dropped=frozenset(self.dropped),
            suggestions=dict(self.suggestions),
            choices=self.choices,
            sessions=self.sessions,
        )

    def follow(self, plan: Plan) -> None:
        """Carry out a plan, and keep what belongs to it."""
        self.make(plan.edits)
        self.decisions += plan.decisions
        self.aliases |= {alias.old: alias.new for alias in plan.aliases}

    def make(self, edits: Sequence[Edit]) -> None:
        """Carry out a plan."""
        inserted: dict[int, list[Character]] = {}
        deleted: set[int] = set()
        for edit in disjoint(edits):
            match edit:
                case InsertText(at=at, text=text, segment=segment, highlight=colour):
                    inserted.setdefault(at, []).extend(
                        Character(c, segment, highlight=colour) for c in text
                    )
                case InsertTurn(at=at, turn=turn):
                    inserted.setdefault(at, []).append(Character("\n", turn=turn))
                case Delete(start=start, end=end):
                    deleted |= set(range(start, end))
                case DropTurn(at=at):
                    deleted.add(at)
                    self._register(edit)
                case _:
                    self._register(edit)
        before, self.characters = self.characters, []
        for place in range(len(before) + 1):
            self.characters += inserted.get(place, [])
            if place < len(before) and place not in deleted:
                self.characters.append(before[place])

    def _register(self, edit: DropTurn | AssignTurn | Suggest | Withdraw | WithdrawName) -> None:
        match edit:
            case DropTurn(turn=turn):
                self.speakers.pop(turn, None)
                self.dropped.add(turn)
            case AssignTurn(turn=turn, speaker=speaker):
                self.dropped.discard(turn)
                self.speakers[turn] = speaker
            case Suggest(suggestion=suggestion):
                self.suggestions[suggestion.id] = suggestion
            case Withdraw(suggestion=name):
                self.suggestions.pop(name, None)
            case WithdrawName():
                pass  # Paper knows no names.

    def type(self, at: int, text: str) -> None:
        """A person types, and gets the attributes of what stands before."""
        left = self.characters[at - 1] if at else Character("")
        typed = [Character(c, left.segment, left.turn, by_person=True) for c in text]
        if left.turn is not None:  # as `Transcript.runs` reads it
            typed = [Character(c, None, None, by_person=True) for c in text]
        self.characters[at:at] = typed

    def erase(self, start: int, end: int) -> None:
        """A person deletes."""
        del self.characters[start:end]
