"""Reads what a server sent, field by field, so that nothing unexpected gets further than here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from trax_client.errors import ProtocolViolation

MAX_INTEGER = 2**53 - 1
"""Of both signs: what JavaScript can count to."""

T = TypeVar("T")


class Fields:
    """Reads the fields of one map, so that every error names its field."""

    __slots__ = ("_fields", "_prefix")

    def __init__(self, fields: dict[str, object], prefix: str) -> None:
        self._fields = fields
        self._prefix = prefix

    def value(self, name: str, wanted: type[T]) -> T:
        """Return a field that must be there and of exactly this type (a bool is no int here)."""
        value = self._fields.get(name)
        if isinstance(value, wanted) and type(value) is wanted:
            return value
        raise self._violation(name, _KINDS[wanted], kind(value))

    def text(self, name: str) -> str:
        """Return a text."""
        return self.value(name, str)

    def text_or_none(self, name: str) -> str | None:
        """Return a text that may be nil or left out."""
        return None if self._fields.get(name) is None else self.value(name, str)

    def count(self, name: str, *, least: int = 0, most: int = MAX_INTEGER) -> int:
        """Return an integer that counts or measures something."""
        number = self.value(name, int)
        if not least <= number <= most:
            raise self._violation(name, f"{least}..{most}", str(number))
        return number

    def count_or_none(self, name: str) -> int | None:
        """Return such an integer that may be nil or left out."""
        return None if self._fields.get(name) is None else self.count(name)

    def seq(self) -> int:
        """Return the number of a durable event."""
        return self.count("seq", least=1)

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        return self.value(name, bool)

    def flag_or_false(self, name: str) -> bool:
        """Return a boolean that may be nil or left out."""
        return self._fields.get(name) is not None and self.flag(name)

    def within(self, name: str) -> Fields:
        """Return a map within this one."""
        return Fields(self.value(name, dict), f"{self._prefix}{name}.")

    def within_or_none(self, name: str) -> Fields | None:
        """Return a map that may be nil or left out."""
        return None if self._fields.get(name) is None else self.within(name)

    def items(self, name: str, *, least: int = 0) -> tuple[Fields, ...]:
        """Return a list of maps."""
        items: list[object] = self.value(name, list)
        if len(items) < least:
            raise self._violation(name, "at least one", "none")
        return tuple(self._item(name, item) for item in items)

    def _item(self, name: str, item: object) -> Fields:
        if not isinstance(item, dict):
            raise self._violation(name, "a list of maps", kind(item))
        return Fields(item, f"{self._prefix}{name}.")

    def _violation(self, name: str, expected: str, got: str) -> ProtocolViolation:
        return ProtocolViolation(expected, got, field=self._prefix + name)


_KINDS: Mapping[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    str: "text",
    bytes: "bytes",
    list: "a list",
    dict: "a map",
}


def kind(value: object) -> str:
    """Name a value's kind; its content may be spoken words."""
    return "nothing" if value is None else _KINDS.get(type(value), "another type")
