"""Frames of the y-websocket protocol: https://github.com/yjs/y-protocols, sync, awareness and auth.

Each WebSocket frame is one message: a number for its protocol, for sync another one for its step,
and what it carries. What is inside of updates and state vectors is read elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import assert_never

from server.yjs.errors import MalformedYjs
from server.yjs.varints import Reader, write_blob, write_text


class _Protocol(IntEnum):
    SYNC = 0
    AWARENESS = 1
    AUTH = 2
    QUERY_AWARENESS = 3


class _Step(IntEnum):
    STEP_1 = 0
    STEP_2 = 1
    UPDATE = 2


_PERMISSION_DENIED = 0


@dataclass(frozen=True, slots=True)
class SyncStep1:
    """Asks for everything that the sender does not have; answered with `SyncStep2`."""

    state_vector: bytes


@dataclass(frozen=True, slots=True)
class SyncStep2:
    """Everything that the receiver asked for."""

    update: bytes


@dataclass(frozen=True, slots=True)
class Update:
    """What has just changed."""

    update: bytes


@dataclass(frozen=True, slots=True)
class Awareness:
    """Presence states that are new or gone."""

    update: bytes


@dataclass(frozen=True, slots=True)
class QueryAwareness:
    """Asks for the presence states of everybody."""


@dataclass(frozen=True, slots=True)
class PermissionDenied:
    """Said by a server to whom it does not let in, or not write."""

    reason: str


Message = SyncStep1 | SyncStep2 | Update | Awareness | QueryAwareness | PermissionDenied


def decode(frame: bytes | str) -> Message | None:
    """Return the message of a frame, or `None` if it is of a type that we do not know.

    Raises:
        MalformedYjs: The frame is text, empty, cut off, or goes on behind its message.
    """
    if isinstance(frame, str):
        raise MalformedYjs(0, "a binary frame", "a text frame")
    reader = Reader(frame)
    message = _message(reader)
    if message is not None:
        reader.end()
    return message


def encode(message: Message) -> bytes:
    """Return the frame of a message."""
    match message:
        case SyncStep1(state_vector=state_vector):
            return bytes((_Protocol.SYNC, _Step.STEP_1)) + write_blob(state_vector)
        case SyncStep2(update=update):
            return bytes((_Protocol.SYNC, _Step.STEP_2)) + write_blob(update)
        case Update(update=update):
            return bytes((_Protocol.SYNC, _Step.UPDATE)) + write_blob(update)
        case Awareness(update=update):
            return bytes((_Protocol.AWARENESS,)) + write_blob(update)
        case QueryAwareness():
            return bytes((_Protocol.QUERY_AWARENESS,))
        case PermissionDenied(reason=reason):
            return bytes((_Protocol.AUTH, _PERMISSION_DENIED)) + write_text(reason)
        case _:
            assert_never(message)


def _message(reader: Reader) -> Message | None:
    match reader.varuint():
        case _Protocol.SYNC:
            return _sync(reader)
        case _Protocol.AWARENESS:
            return Awareness(reader.blob())
        case _Protocol.AUTH:
            return (
                PermissionDenied(reader.text()) if reader.varuint() == _PERMISSION_DENIED else None
            )
        case _Protocol.QUERY_AWARENESS:
            return QueryAwareness()
        case _:
            return None


def _sync(reader: Reader) -> Message | None:
    match reader.varuint():
        case _Step.STEP_1:
            return SyncStep1(reader.blob())
        case _Step.STEP_2:
            return SyncStep2(reader.blob())
        case _Step.UPDATE:
            return Update(reader.blob())
        case _:
            return None
