"""Where passes differ, what became of it, and how that is named so that it can be read back.

A hunk names words on both sides: those that machines took for said until then, which may be of
several passes, and those of the pass that hears them otherwise::

    1.10-12,2.5-6>7.3-5     words 10, 11 of pass 1 and word 5 of pass 2 are words 3, 4 of pass 7
    1.4-6>7.3-3             words 4 and 5 of pass 1 were not said
    1.9+>7.3-5              words 3 and 4 of pass 7 were said, behind word 9 of pass 1
    1^>7.0-2                likewise, before all of a session whose live pass is pass 1
    2.3+>2.3-6              words 3 to 5 of pass 2 stand nowhere: another microphone's stand there

Its name is kept with what became of it: so the words that machines take for said can be told from
the decisions alone (`offline.belief`), and nobody decides twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import repeat

from offline.domain import PassId, Segment, WordRef

BEFORE_ALL = -1
"""Index of what stands before the first word of a pass."""

LONGEST_NAME = 1_000
"""Characters of a hunk's name: it is a key of the database and of the document."""

MOST_WORDS = 1_000
"""Words on either side of a hunk, so that no forged name stands for millions."""


class Outcome(Enum):
    """What became of a hunk."""

    APPLIED = "applied"
    """The text says what the pass heard."""
    SUGGESTED = "suggested"
    """People edited there: they have a suggestion instead."""
    PROPOSED = "proposed"
    """Nobody edited there, but people want to decide: machines believe what they did before."""
    KEPT = "kept"
    """People edited there, and there is nothing to suggest."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Words that one pass hears in place of what machines took for said.

    Attributes:
        old: What was taken for said, in order; empty where words are inserted.
        after: Behind which word they are inserted, which may be `BEFORE_ALL` of a session's live
            pass; `None` where words are replaced.
        new: What was heard; empty where nothing was.
    """

    old: tuple[WordRef, ...]
    after: WordRef | None
    new: Segment

    @classmethod
    def of_echo(cls, words: Segment) -> Hunk:
        """Return what says that words are not in the text, because another microphone's are.

        It says nothing about what machines believe.
        """
        return cls((), WordRef(words.pass_id, words.first), words)

    @property
    def echo(self) -> bool:
        """Whether it is such a one."""
        return self.after == WordRef(self.new.pass_id, self.new.first) and not self.old

    @property
    def place(self) -> tuple[WordRef, ...]:
        """What is believed where the hunk is not: the old words, or the one they come behind."""
        return self.old if self.after is None else (self.after,)

    def __str__(self) -> str:
        """Return the hunk's name."""
        new = f"{self.new.pass_id}.{self.new.first}-{self.new.end}"
        if self.after is None:
            return f"{','.join(_ranges(self.old))}>{new}"
        if self.after.word == BEFORE_ALL:
            return f"{self.after.pass_id}^>{new}"
        return f"{self.after}+>{new}"

    @classmethod
    def parse(cls, name: str) -> Hunk | None:
        """Return the hunk of a name; `None` for anything else, as editors may have written it."""
        return _parsed(name) if len(name) <= LONGEST_NAME else None


@lru_cache(maxsize=16_384)  # The same ones are read again with each portion.
def _parsed(name: str) -> Hunk | None:
    found = _HUNK.fullmatch(name)
    if found is None:
        return None
    new = Segment(PassId(found["pass"]), int(found["first"]), int(found["end"]))
    if not new.first <= new.end <= new.first + MOST_WORDS:
        return None
    if found["after"]:
        return Hunk((), WordRef(PassId(found["after"]), int(found["word"])), new)
    if found["start"]:
        return Hunk((), WordRef(PassId(found["start"]), BEFORE_ALL), new)
    old: list[WordRef] = []
    for each in _RANGE.finditer(found["old"]):
        first, end = int(each[2]), int(each[3])
        if not first < end <= first + MOST_WORDS - len(old):
            return None
        old += (WordRef(PassId(each[1]), word) for word in range(first, end))
    return Hunk(tuple(old), None, new)


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a hunk.

    Attributes:
        pass_id: Which pass heard it.
        hunk: The hunk's name, unique within the transcript.
        outcome: What became of it.
    """

    pass_id: PassId
    hunk: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Alias:
    """A word in the text has the times of another, which a later pass heard there."""

    old: WordRef
    new: WordRef


def age(pass_id: PassId) -> tuple[int, str]:
    """Return what passes are sorted by, the first one first: they are numbered."""
    return len(pass_id), pass_id


def refs(segment: Segment) -> tuple[WordRef, ...]:
    """Return the words of a segment, which may be empty."""
    words = range(segment.first, segment.end)
    return tuple(map(WordRef, repeat(segment.pass_id), words))


def _ranges(words: Sequence[WordRef]) -> Iterable[str]:
    start = 0
    for n, word in enumerate(words, start=1):
        if n == len(words) or words[n] != WordRef(word.pass_id, word.word + 1):
            yield f"{words[start]}-{word.word + 1}"
            start = n


_NAME = "[0-9A-Za-z-]{1,64}"
_NUMBER = "[0-9]{1,9}"
_RANGE = re.compile(rf"({_NAME})\.({_NUMBER})-({_NUMBER})", re.ASCII)
_HUNK = re.compile(
    rf"(?:(?P<old>{_NAME}\.{_NUMBER}-{_NUMBER}(?:,{_NAME}\.{_NUMBER}-{_NUMBER})*)"
    rf"|(?P<after>{_NAME})\.(?P<word>{_NUMBER})\+"
    rf"|(?P<start>{_NAME})\^)"
    rf">(?P<pass>{_NAME})\.(?P<first>{_NUMBER})-(?P<end>{_NUMBER})",
    re.ASCII,
)
