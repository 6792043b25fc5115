"""All that a replica of a transcript shows, in a form in which replicas can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from trax_client.replica import MAPS, Replica

Stretch = tuple[str, tuple[tuple[str, object], ...]]
"""Characters that share their attributes, which are sorted by name."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one replica shows.

    Attributes:
        text: The text with its attributes, in stretches as long as can be.
        notes: The meeting notes.
        maps: What the maps say, by name.
    """

    text: tuple[Stretch, ...]
    notes: str
    maps: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, replica: Replica) -> Shown:
        """Read a replica of ours."""
        stretches = ((str(text), attributes or {}) for text, attributes in replica.stretches())
        return cls(
            _joined(stretches), replica.notes, {name: replica.register(name) for name in MAPS}
        )

    @classmethod
    def read(cls, told: dict[str, Any]) -> Shown:
        """Read what a Node editor tells."""
        return cls(
            _joined((text, attributes) for text, attributes in told["text"]),
            told["notes"],
            told["maps"],
        )

    @classmethod
    def stored(cls, updates: Iterable[bytes]) -> Shown:
        """Read a document as it is stored: a snapshot and what followed it, in order."""
        replica = Replica(lambda _parts: None)
        for update in updates:
            replica.receive(update)
        return cls.of(replica)


def _joined(stretches: Iterable[tuple[str, Mapping[str, object]]]) -> tuple[Stretch, ...]:
    """Return stretches as one implementation of Yjs has them as well as the other."""
    sorted_ = ((text, tuple(sorted(attributes.items()))) for text, attributes in stretches)
    grouped = groupby(sorted_, key=lambda stretch: stretch[1])
    return tuple(("".join(text for text, _ in group), attributes) for attributes, group in grouped)
