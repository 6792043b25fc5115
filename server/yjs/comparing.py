"""Whether two updates say different things of the same ticks, as two documents under one id do."""

from __future__ import annotations

from server.yjs.updates import NO_LIMITS, inspect
from server.yjs.varints import Reader

_STRING = 4
_NUMBER = 0x1F
_HAS_ORIGIN = 0x80
_HAS_RIGHT_ORIGIN = 0x40
_HAS_KEY = 0x20


def contradict(client: int, update: bytes, other: bytes) -> bool:
    """Return whether two updates, which are well formed, bring different text of a client.

    What one of them has deleted is not compared, nor is what is no text.
    """
    found, expected = _units(client, update), _units(client, other)
    return any(expected.get(clock, unit) != unit for clock, unit in found.items())


def _units(client: int, update: bytes) -> dict[int, bytes]:
    """Return UTF-16 units of text by clock."""
    found = {}
    for place in inspect(update, NO_LIMITS).places.get(client, ()):
        reader = Reader(update[place.start : place.end])
        info = reader.byte()
        if info & _NUMBER != _STRING:
            continue
        _skip_place(reader, info)
        encoded = reader.text().encode("utf-16-le")
        for at in range(0, len(encoded), 2):
            found[place.clock + at // 2] = encoded[at : at + 2]
    return found


def _skip_place(reader: Reader, info: int) -> None:
    for flag in (_HAS_ORIGIN, _HAS_RIGHT_ORIGIN):
        if info & flag:
            _skip_id(reader)
    if not info & (_HAS_ORIGIN | _HAS_RIGHT_ORIGIN):
        if reader.varuint(limit=1):
            reader.text()
        else:
            _skip_id(reader)
        if info & _HAS_KEY:
            reader.text()


def _skip_id(reader: Reader) -> None:
    reader.varuint()
    reader.varuint()
