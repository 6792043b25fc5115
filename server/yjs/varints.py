"""Numbers, strings and bytes as lib0 writes them: https://github.com/dmonad/lib0, encoding.js.

A varuint has seven bits to a byte, the lowest first; the highest bit says that more follow. Strings
and byte strings are a varuint and so many bytes. Whoever reads never looks behind the end, never
reserves memory for what a length only claims, and takes numbers in their shortest form alone:
every value then has one encoding, and no two readers can disagree about it.
"""

from __future__ import annotations

from collections.abc import Container
from typing import NoReturn

from server.yjs.errors import MalformedYjs, check_limit

MAX_INTEGER = 2**53 - 1
"""Largest number: beyond it JavaScript loses precision (ECMA-262, 21.1.2.6)."""

MAX_DEPTH = 32
"""So many lists and maps may lie within each other in one value. Yjs's readers, ours and yrs's,
call themselves for each, and have a stack that ends."""

_CONTINUES = 0x80
_BITS_7 = 0x7F
_BITS_6 = 0x3F


class Reader:
    """Reads one value after the other from bytes that nobody checked yet.

    Every method raises `MalformedYjs` where the bytes end too early or are something else.

    Attributes:
        at: Offset of the byte that is read next.
    """

    __slots__ = ("_encoded", "_end", "at")

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._end = len(encoded)
        self.at = 0

    def byte(self) -> int:
        """Read one byte."""
        at = self.at
        if at >= self._end:
            self._fail("one more byte", "the end")
        self.at = at + 1
        return self._encoded[at]

    def varuint(self, limit: int = MAX_INTEGER) -> int:
        """Read a number between 0 and a limit, both included."""
        start = self.at
        value = self.byte()
        if value >= _CONTINUES:
            value = self._more(value & _BITS_7, 7, start)
        if value > limit:
            raise MalformedYjs(start, f"a number of at most {limit}", f"{value}")
        return value

    def varint(self) -> int:
        """Read a number that may be negative: the first byte has its sign and six bits of it."""
        start = self.at
        first = self.byte()
        value = first & _BITS_6
        if first >= _CONTINUES:
            value = self._more(value, 6, start)
        return -value if first & 0x40 else value

    def blob(self) -> bytes:
        """Read a byte string."""
        start = self.at
        size_bytes = self.varuint()
        at = self.at
        if size_bytes > self._end - at:
            raise MalformedYjs(start, f"{size_bytes} bytes", f"{self._end - at}")
        self.at = at + size_bytes
        return self._encoded[at : self.at]

    def text(self) -> str:
        """Read a string. Its UTF-8 is checked: no lone surrogates, no overlong forms."""
        start = self.at
        try:
            return self.blob().decode()
        except UnicodeDecodeError as error:
            raise MalformedYjs(start, "UTF-8", error.reason) from error

    def count(self, what: str, limit: int, *, least: int = 0) -> int:
        """Read how many of something follow.

        Raises:
            MalformedYjs: Also if there are less than `least`.
            LimitExceeded: There are more than the limit.
        """
        start = self.at
        count = self.varuint()
        if count < least:
            raise MalformedYjs(start, f"at least {least} {what}", f"{count}")
        check_limit(what, limit, count)
        return count

    def client(self, seen: Container[int]) -> int:
        """Read the id of a client, which must not be one of those seen before."""
        start = self.at
        client = self.varuint()
        if client in seen:
            raise MalformedYjs(start, "each client once", f"client {client} again")
        return client

    def skip(self, size_bytes: int) -> None:
        """Pass over bytes whose value does not matter."""
        if size_bytes > self._end - self.at:
            self._fail(f"{size_bytes} more bytes", f"{self._end - self.at}")
        self.at += size_bytes

    def skip_any(self, depth: int = MAX_DEPTH) -> None:
        """Pass over a value of any type that lib0 knows, checking all of it.

        Args:
            depth: So many lists and maps may lie within each other.
        """
        start = self.at
        kind = self.byte()
        if kind in _FIXED_BYTES:
            self.skip(_FIXED_BYTES[kind])
        elif kind == _INTEGER:
            self.varint()
        elif kind == _STRING:
            self.text()
        elif kind == _BYTES:
            self.blob()
        elif kind in {_LIST, _MAP}:
            if not depth:
                raise MalformedYjs(start, f"at most {MAX_DEPTH} levels of lists and maps", "more")
            for _ in range(self.varuint()):
                if kind == _MAP:
                    self.text()
                self.skip_any(depth - 1)
        else:
            raise MalformedYjs(start, "a type of value, 116..127", f"{kind}")

    def end(self) -> None:
        """Check that nothing is left to read."""
        if self.at != self._end:
            self._fail("the end", f"{self._end - self.at} more bytes")

    def _more(self, value: int, shift: int, start: int) -> int:
        """Read the rest of a number whose first bits are known."""
        while True:
            byte = self.byte()
            value |= (byte & _BITS_7) << shift
            if value > MAX_INTEGER:
                raise MalformedYjs(start, f"a number of at most {MAX_INTEGER}", "a larger one")
            if byte < _CONTINUES:
                break
            shift += 7
        if not byte:
            raise MalformedYjs(start, "a number in its shortest form", f"{self.at - start} bytes")
        return value

    def _fail(self, expected: str, got: str) -> NoReturn:
        raise MalformedYjs(self.at, expected, got)


_STRING = 119
_MAP = 118
_LIST = 117
_BYTES = 116
_INTEGER = 125
_FIXED_BYTES = {
    127: 0,  # undefined
    126: 0,  # null
    124: 4,  # 32-bit float
    123: 8,  # 64-bit float
    122: 8,  # 64-bit integer
    121: 0,  # false
    120: 0,  # true
}
"""The first byte of a value tells its type: lib0, encoding.js, `writeAny`."""


def write_varuint(value: int) -> bytes:
    """Return a number between 0 and `MAX_INTEGER`, encoded."""
    assert 0 <= value <= MAX_INTEGER
    encoded = bytearray()
    while value >= _CONTINUES:
        encoded.append(value & _BITS_7 | _CONTINUES)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def write_blob(blob: bytes) -> bytes:
    """Return a byte string, encoded."""
    return write_varuint(len(blob)) + blob


def write_text(text: str) -> bytes:
    """Return a string, encoded."""
    return write_blob(text.encode())
