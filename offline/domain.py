"""What a transcript says: the values that everything around the shared document speaks in.

The document is one flat text (see `server/transcript.py`). Read from its start it is a row of
`Run`s, stretches whose characters share their attributes. A run that is a newline with a turn id
begins a `Turn`; a run with a `Segment` was written by a pass, or typed inside of what one wrote.

Times are whole milliseconds on the transcript's clock, which starts when the transcript does, and
goes on over all its sessions. All values are immutable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, NewType

from streaming.core.domain import Permille

PassId = NewType("PassId", str)
"""Name of one pass over audio, unique within its transcript."""

TurnId = NewType("TurnId", str)
SpeakerId = NewType("SpeakerId", str)
"""A voice of the whole transcript: `s1`, `s2` ... however many sessions heard it."""


@dataclass(frozen=True, slots=True)
class PassWord:
    """A word as a pass heard it; kept outside the document, and never changed.

    Attributes:
        text: With its own spacing before it, as engines write it (`" thing"`).
        start_ms: When it began.
        end_ms: When it ended; not before `start_ms`.
        confidence: The model's probability.
    """

    text: str
    start_ms: int
    end_ms: int
    confidence: Permille


class WordRef(NamedTuple):
    """One word of a pass, by its index.

    A tuple, because tens of thousands are looked up in dicts for each correction: a dataclass
    takes five times as long.
    """

    pass_id: PassId
    word: int

    def __str__(self) -> str:
        """Return the word as suggestions name it: `"3.17"`."""
        return f"{self.pass_id}.{self.word}"


class Segment(NamedTuple):
    """Words of a pass that were written in one piece: `[first, end)` of the pass's words.

    A tuple for the same reason as `WordRef`.
    """

    pass_id: PassId
    first: int
    end: int

    def __str__(self) -> str:
        """Return the segment as it stands in the document: `"3:0:12"`."""
        return f"{self.pass_id}:{self.first}:{self.end}"

    @classmethod
    def parse(cls, value: object) -> Segment | None:
        """Return the segment that an attribute describes; `None` for anything else.

        Attributes come from editors too, and so may be anything.
        """
        return _parsed(value) if isinstance(value, str) else None


@lru_cache(maxsize=65_536)  # A text of hours is read again with each word.
def _parsed(value: str) -> Segment | None:
    found = _SEGMENT.fullmatch(value)
    if found is None:
        return None
    segment = Segment(PassId(found[1]), int(found[2]), int(found[3]))
    return segment if segment.first < segment.end else None


_SEGMENT = re.compile(r"([0-9A-Za-z-]{1,64}):([0-9]{1,9}):([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of the text whose characters share their attributes.

    Attributes:
        text: Never empty.
        segment: What a pass wrote here, at least in part: people may have typed into it, or
            deleted from it.
        turn: Set on a newline that begins a turn.
        highlight: A colour, where a person highlighted the text.
    """

    text: str
    segment: Segment | None = None
    turn: TurnId | None = None
    highlight: str | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice with the name and colour that people, or else a machine, gave it."""

    id: SpeakerId
    name: str
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker said in one go, as it stands in the document now.

    Attributes:
        id: `None` for text before the first turn.
        speaker: Who, or `None` while nobody knows.
        runs: The turn's text, without the newline that begins it. Further newlines are people's.
    """

    id: TurnId | None
    speaker: SpeakerId | None
    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        """What the turn says."""
        return "".join(run.text for run in self.runs)


def split_turns(runs: Iterable[Run], speakers: Mapping[TurnId, SpeakerId]) -> list[Turn]:
    """Return the turns of a text, in its order; an empty one before the first turn is left out.

    Args:
        runs: The text from its start.
        speakers: Who speaks in each turn.
    """
    turns: list[Turn] = []
    turn_id: TurnId | None = None
    inside: list[Run] = []

    def close() -> None:
        if turn_id is not None or inside:
            speaker = None if turn_id is None else speakers.get(turn_id)
            turns.append(Turn(turn_id, speaker, tuple(inside)))

    for run in runs:
        if run.turn is None:
            inside.append(run)
        else:
            close()
            turn_id, inside = run.turn, []
    close()
    return turns
