"""People who edit a fuzzed transcript, each in a replica of their own, and what became of it.

Every character that somebody types is typed once only, so that it can be told whether one was lost
or doubled. They are letters with spaces between words, letters without, and no letters at all, in
part outside of the basic plane.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from offline.domain import SpeakerId
from server.transcript import Transcript
from trax_client.replica import Replica

TYPED = tuple(
    map(
        chr,
        chain.from_iterable(
            zip(
                range(0xAC00, 0xAC00 + 4_000),  # Hangul syllables
                range(0x20000, 0x20000 + 4_000),  # ideographs, without spaces between words
                range(0xF0000, 0xF0000 + 4_000),  # private use: no letters
                strict=True,
            )
        ),
    )
)


@dataclass
class Ledger:
    """What all people did, to be compared with what became of it.

    Attributes:
        edits: How many edits they made.
        typed: Characters that were typed.
        deleters: Who deleted a character that somebody typed.
        unclear: Characters of which no one can say how often they should be there: several people
            deleted them, and one took that back.
        chosen: Speakers that people chose for turns.
        joined: Turns whose beginning somebody deleted.
    """

    edits: int = 0
    typed: list[str] = field(default_factory=list)
    deleters: dict[str, set[int]] = field(default_factory=dict)
    unclear: set[str] = field(default_factory=set)
    chosen: dict[str, set[str]] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)

    def lost(self, text: str) -> int:
        """Return how many characters are missing that nobody deleted."""
        there = set(text)
        expected = set(self.typed) - self.deleters.keys() - self.unclear
        return len(expected - there)

    def doubled(self, text: str) -> int:
        """Return how many characters are there more than once."""
        counts = Counter(text)
        return sum(counts[each] > 1 for each in self.typed if each not in self.unclear)


class Person:
    """Somebody who edits; owns a replica."""

    def __init__(self, number: int, rng: random.Random, ledger: Ledger) -> None:
        self._number = number
        self._rng = rng
        self._ledger = ledger
        self.replica = Replica(lambda _parts: None, client_id=100 + number)

    def synchronise(self, server: Transcript, *, sends: bool = True, receives: bool = True) -> None:
        """Exchange with the server what one side lacks, in both directions or in one."""
        if sends:
            server.apply(self.replica.update_since(server.state_vector()))
            self.replica.confirm(self.replica.written)
        if receives:
            self.replica.receive(server.update_since(self.replica.state_vector()))

    def act(self) -> None:
        """Do something."""
        self._ledger.edits += 1
        before = self._count()
        turns = self._markers()
        doing = self._rng.choices(
            (
                self._type,
                self._delete,
                self._retype,
                self._split,
                self._join,
                self._choose,
                self._highlight,
                self.replica.undo,
                self.replica.redo,
            ),
            (30, 18, 10, 5, 5, 6, 6, 8, 2),
        )[0]
        if doing in (self.replica.undo, self.replica.redo):
            doing()
        else:
            with self.replica.edit():
                doing()
        self._account(before, self._count())
        self._ledger.joined |= turns - self._markers()

    def _account(self, before: Counter[str], after: Counter[str]) -> None:
        ledger = self._ledger
        for character in before - after:
            ledger.deleters.setdefault(character, set()).add(self._number)
        for character in after - before:
            deleters = ledger.deleters.pop(character, set())
            if deleters - {self._number}:
                ledger.unclear.add(character)

    def _count(self) -> Counter[str]:
        typed = set(self._ledger.typed)
        return Counter(character for character in self.replica.text if character in typed)

    def _markers(self) -> set[str]:
        return {turn for _, turn in self._turns()}

    def _turns(self) -> Iterator[tuple[int, str]]:
        at = 0
        for text, attributes in self.replica.stretches():
            assert isinstance(text, str)
            turn = (attributes or {}).get("t")
            if text.startswith("\n") and isinstance(turn, str):
                yield at, turn
            at += len(text)

    # Doings

    def _place(self) -> int:
        return self._rng.randint(0, len(self.replica.text))

    def _fresh(self) -> str:
        first = len(self._ledger.typed)
        text = "".join(TYPED[first : first + self._rng.choice([1, 1, 2, 3])])
        self._ledger.typed += text
        if self._rng.random() < 0.4:
            return f" {text}"
        return f"{text} " if self._rng.random() < 0.3 else text

    def _type(self) -> None:
        plain = {"g": None, "t": None, "hl": None}
        attributes = plain if self._rng.random() < 0.3 else None
        at = self._place()
        if attributes is None and self.replica.text[at - 1 : at] == "\n":
            attributes = {"t": None}  # as editors are told to
        self.replica.insert("text", at, self._fresh(), attributes)

    def _delete(self) -> None:
        start = self._place()
        end = min(start + self._rng.choice([1, 2, 4, 12]), len(self.replica.text))
        if self._rng.random() < 0.5:  # a whole word
            text = self.replica.text
            start = text.rfind(" ", 0, start) if " " in text[:start] else start
            end = text.find(" ", start + 1) if " " in text[start + 1 :] else end
        if start < end:
            self.replica.delete("text", start, end)

    def _retype(self) -> None:
        """Type what stands there already, or in another case."""
        start = self._place()
        end = min(start + self._rng.randint(1, 5), len(self.replica.text))
        text = self.replica.text[start:end]
        mine = set(self._ledger.typed)
        if start == end or "\n" in text or mine.intersection(text):
            return
        self.replica.insert("text", end, text.swapcase() if self._rng.random() < 0.7 else text)
        self.replica.delete("text", start, end)

    def _split(self) -> None:
        turn = f"p{self._number}-{self._ledger.edits}"
        self.replica.insert("text", self._place(), "\n", {"t": turn, "g": None})
        self._choose_for(turn)

    def _join(self) -> None:
        turns = list(self._turns())
        if turns:
            at, _ = self._rng.choice(turns)
            self.replica.delete("text", at, at + 1)

    def _choose(self) -> None:
        turns = list(self._turns())
        if turns:
            self._choose_for(self._rng.choice(turns)[1])

    def _choose_for(self, turn: str) -> None:
        speaker = SpeakerId(f"p{self._ledger.edits}")
        self.replica.put("hturns", turn, speaker)
        self._ledger.chosen.setdefault(turn, set()).add(speaker)

    def _highlight(self) -> None:
        start = self._place()
        end = min(start + self._rng.randint(1, 10), len(self.replica.text))
        if start < end:
            colour = self._rng.choice(["yellow", "green", None])
            self.replica.mark(start, end, "hl", colour)
