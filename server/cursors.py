"""Where people's cursors are, as editors show them to each other.

y-codemirror and y-prosemirror alike show `{"cursor": {"anchor": A, "head": H}}`, where a place is a
relative position of Yjs: the tick of the character it stands at, so that it stays where it is
whatever is typed before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from server.yjs.structs import Id


@dataclass(frozen=True, slots=True)
class Cursors:
    """Cursors and ends of selections in one text.

    Attributes:
        ticks: Characters at which they are.
        at_end: Whether one is behind the last character.
    """

    ticks: frozenset[Id] = frozenset()
    at_end: bool = False

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self.at_end or bool(self.ticks)

    @classmethod
    def of(cls, states: Iterable[str]) -> Cursors:
        """Return the cursors that presence states show; what is none of them is left out."""
        ticks: set[Id] = set()
        at_end = False
        for place in _places(states):
            match place:
                case {"item": {"client": int(client), "clock": int(clock)}}:
                    ticks.add(Id(client, clock))
                case {"tname": "text"}:
                    at_end = True
        return cls(frozenset(ticks), at_end)

    def at(self, client: int, clocks: range) -> bool:
        """Return whether one is at some characters of a client."""
        return any(tick.client == client and tick.clock in clocks for tick in self.ticks)


def _places(states: Iterable[str]) -> Iterable[object]:
    for state in states:
        try:
            shown = json.loads(state)
        except (ValueError, RecursionError):
            continue
        cursor = shown.get("cursor") if isinstance(shown, Mapping) else None
        if isinstance(cursor, Mapping):
            yield cursor.get("anchor")
            yield cursor.get("head")
