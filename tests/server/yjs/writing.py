"""Writes updates piece by piece, also such as no Yjs would write."""

from collections.abc import Iterable

from server.yjs.varints import write_text, write_varuint

Reference = tuple[int, int]

NULL = b"\x7e"
"""A value as lib0 writes it."""


def numbers(*values: int) -> bytes:
    return b"".join(write_varuint(value) for value in values)


def item(
    number: int,
    content: bytes,
    *,
    origin: Reference | None = None,
    right: Reference | None = None,
    parent: str | Reference = "text",
    key: str | None = None,
) -> bytes:
    """Return an item whose content has the given number."""
    info = number
    info |= 0x80 if origin else 0
    info |= 0x40 if right else 0
    info |= 0x20 if key is not None else 0
    written = bytes((info,))
    for reference in (origin, right):
        written += numbers(*reference) if reference else b""
    if not origin and not right:
        if isinstance(parent, str):
            written += numbers(1) + write_text(parent)
        else:
            written += numbers(0, *parent)
        written += write_text(key) if key is not None else b""
    return written + content


def text(
    words: str,
    *,
    origin: Reference | None = None,
    right: Reference | None = None,
    parent: str | Reference = "text",
) -> bytes:
    """Return an item with text."""
    return item(4, write_text(words), origin=origin, right=right, parent=parent)


def gc(length: int) -> bytes:
    """Return a struct that was collected."""
    return b"\x00" + numbers(length)


def skip(length: int) -> bytes:
    """Return a gap."""
    return b"\x0a" + numbers(length)


def section(client: int, clock: int, *structs: bytes) -> bytes:
    """Return the structs of one client."""
    return numbers(len(structs), client, clock) + b"".join(structs)


def deletes(client: int, *ranges: tuple[int, int]) -> bytes:
    """Return what is deleted of one client: clocks and lengths."""
    written = numbers(client, len(ranges))
    return written + b"".join(numbers(*found) for found in ranges)


def update(*sections: bytes, deleted: Iterable[bytes] = ()) -> bytes:
    """Return an update."""
    gone = tuple(deleted)
    return numbers(len(sections)) + b"".join(sections) + numbers(len(gone)) + b"".join(gone)
