"""The Yjs protocol's messages as frames, one message each: y-protocols' sync, awareness and auth.

What the messages carry is opaque here; `replica` makes and reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from trax_client.errors import ProtocolViolation

LONGEST_LENGTH = 5
"""Bytes of a length: seven bits each, for up to 32 GB."""


@dataclass(frozen=True, slots=True)
class SyncStep1:
    """Asks for what a replica with this state vector lacks."""

    state_vector: bytes


@dataclass(frozen=True, slots=True)
class SyncStep2:
    """Answers that."""

    update: bytes


@dataclass(frozen=True, slots=True)
class Update:
    """Tells of a change."""

    update: bytes


@dataclass(frozen=True, slots=True)
class Awareness:
    """Tells who is here."""

    update: bytes


@dataclass(frozen=True, slots=True)
class PermissionDenied:
    """Says that a change was dropped."""

    reason: str


Frame = SyncStep1 | SyncStep2 | Update | Awareness | PermissionDenied


def encode(frame: Frame) -> bytes:
    """Return a message as a binary frame."""
    match frame:
        case SyncStep1(state_vector=content):
            return b"\0\0" + _with_length(content)
        case SyncStep2(update=content):
            return b"\0\1" + _with_length(content)
        case Update(update=content):
            return b"\0\2" + _with_length(content)
        case Awareness(update=content):
            return b"\1" + _with_length(content)
        case PermissionDenied(reason=reason):
            return b"\2\0" + _with_length(reason.encode())
        case _:
            assert_never(frame)


def decode(frame: bytes | str) -> Frame | None:
    """Return the message in a frame of the server, or `None` for a type that we do not know.

    Raises:
        ProtocolViolation: It is not of the Yjs protocol, or cut off.
    """
    if isinstance(frame, str):
        raise ProtocolViolation("a binary frame", "text")
    match tuple(frame[:2]):
        case (0, 0):
            return SyncStep1(_content(frame, 2))
        case (0, 1):
            return SyncStep2(_content(frame, 2))
        case (0, 2):
            return Update(_content(frame, 2))
        case (1, *_):
            return Awareness(_content(frame, 1))
        case (2, 0):
            return PermissionDenied(_content(frame, 2).decode(errors="replace"))
        case _:
            return None


def _with_length(content: bytes) -> bytes:
    length, encoded = len(content), bytearray()
    while length > 0x7F:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    encoded.append(length)
    return bytes(encoded) + content


def _content(frame: bytes, at: int) -> bytes:
    length = 0
    for place, byte in enumerate(frame[at : at + LONGEST_LENGTH]):
        length |= (byte & 0x7F) << 7 * place
        if byte <= 0x7F:
            content = frame[at + place + 1 :]
            if len(content) != length:
                raise ProtocolViolation(f"{length} bytes", f"{len(content)}", field="frame")
            return content
    raise ProtocolViolation("a length", "an unending one", field="frame")
