"""What a pass heard where people had edited: shown to them, for them to accept or dismiss.

Suggestions stand in the document, in the map `sug`; whoever shows it needs nothing else. Editors
can write there too, so what is read is checked, and whatever is not ours is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from offline.decisions import Hunk
from offline.domain import PassId, WordRef

MOST = 500
"""Suggestions of one transcript; what is heard beyond is kept to ourselves."""

LONGEST_TEXT = 2_000
"""Characters on either side of a suggestion; longer ones are not made."""


CONTEXT = 20
"""Characters quoted before and after the place."""


class SuggestionKind(Enum):
    """What accepting it does."""

    REPLACE = "replace"
    INSERT = "insert"
    DELETE = "delete"


class Choice(Enum):
    """What a person said about a suggestion."""

    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One suggestion.

    Attributes:
        id: Name of its hunk.
        kind: What accepting it does.
        words: Which of the machines' words it is about; for an insertion those around it.
        text: What stands there now, as people wrote it.
        alternative: What the pass heard, with its own spacing before it.
        before: What stands before it in its turn, by which its place is found.
        after: What stands after it.
        pass_id: Which pass.
        start_ms: When it was said, on the transcript's clock.
        end_ms: Until when.
    """

    id: str
    kind: SuggestionKind
    words: tuple[WordRef, ...]
    text: str
    alternative: str
    before: str
    after: str
    pass_id: PassId
    start_ms: int
    end_ms: int

    def fields(self) -> dict[str, object]:
        """Return what stands in the document for it."""
        return {
            "kind": self.kind.value,
            "words": [str(word) for word in self.words],
            "text": self.text,
            "alternative": self.alternative,
            "before": self.before,
            "after": self.after,
            "pass": self.pass_id,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
        }

    @classmethod
    def parse(cls, key: str, value: object) -> Suggestion | None:
        """Return the suggestion that stands in the document; `None` for anything else."""
        hunk = Hunk.parse(key)
        if hunk is None or not isinstance(value, Mapping):
            return None
        match value:
            case {
                "kind": "replace" | "insert" | "delete" as kind,
                "words": list(words),
                "text": str(text),
                "alternative": str(alternative),
                "before": str(before),
                "after": str(after),
                "start_ms": int() | float() as start_ms,
                "end_ms": int() | float() as end_ms,
            } if max(map(len, (text, alternative, before, after))) <= LONGEST_TEXT:
                start, end = _time(start_ms), _time(end_ms)
                about = tuple(word for word in map(_word, words) if word is not None)
                if start is None or end is None or len(about) < len(words):
                    return None
                return cls(
                    key,
                    SuggestionKind(kind),
                    about,
                    text,
                    alternative,
                    before,
                    after,
                    hunk.new.pass_id,
                    start,
                    end,
                )
        return None


def parse_choice(value: object) -> Choice | None:
    """Return what a person decided; `None` for anything else."""
    return next((choice for choice in Choice if choice.value == value), None)


def _time(value: float) -> int | None:
    """Return a number of the document, where whole numbers may have become others."""
    return int(value) if 0 <= value < 1e12 else None  # never for NaN


_WORD = re.compile(r"([0-9A-Za-z-]{1,64})\.([0-9]{1,9})", re.ASCII)


def _word(value: object) -> WordRef | None:
    found = _WORD.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else WordRef(PassId(found[1]), int(found[2]))
