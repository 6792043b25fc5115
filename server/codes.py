"""Why connections end: the codes that `error` carries, and those that WebSockets close with."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum


class CloseCode(IntEnum):
    """WebSocket close codes. 4400..4499 mirror the HTTP status of the same last three digits."""

    DONE = 1000
    INTERNAL_ERROR = 1011
    RESTART = 1012
    OVERLOADED = 1013
    MALFORMED = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    UNKNOWN_TRANSCRIPT = 4404
    TIMEOUT = 4408
    SAMPLE_GAP = 4409
    SESSION_GONE = 4410
    REPLACED = 4412
    TOO_LARGE = 4413
    UNSUPPORTED = 4415
    TOO_FAST = 4429


class ErrorCode(StrEnum):
    """Why the server ends a connection, as `error` carries it."""

    MALFORMED = "malformed"
    NO_SUBPROTOCOL = "no_subprotocol"
    AUDIO_BEFORE_START = "audio_before_start"
    AUDIO_AFTER_END = "audio_after_end"
    START_TWICE = "start_twice"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    UNKNOWN_TRANSCRIPT = "unknown_transcript"
    START_TIMEOUT = "start_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    SAMPLE_GAP = "sample_gap"
    SESSION_GONE = "session_gone"
    REPLACED = "replaced"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    TOO_FAST = "too_fast"
    NOT_READING = "not_reading"
    INTERNAL_ERROR = "internal_error"
    ENGINE_FAILED = "engine_failed"
    RESTART = "restart"
    OVERLOADED = "overloaded"

    @property
    def close_code(self) -> CloseCode:
        """The close code that follows an `error` of this code."""
        return _CLOSE_CODES[self]

    @property
    def retry(self) -> bool:
        """Whether the client may connect again and resume: the fault is not in what it sent."""
        return self in _RETRIED


_CLOSE_CODES: Mapping[ErrorCode, CloseCode] = {
    ErrorCode.MALFORMED: CloseCode.MALFORMED,
    ErrorCode.NO_SUBPROTOCOL: CloseCode.MALFORMED,
    ErrorCode.AUDIO_BEFORE_START: CloseCode.MALFORMED,
    ErrorCode.AUDIO_AFTER_END: CloseCode.MALFORMED,
    ErrorCode.START_TWICE: CloseCode.MALFORMED,
    ErrorCode.UNAUTHORIZED: CloseCode.UNAUTHORIZED,
    ErrorCode.FORBIDDEN: CloseCode.FORBIDDEN,
    ErrorCode.UNKNOWN_TRANSCRIPT: CloseCode.UNKNOWN_TRANSCRIPT,
    ErrorCode.START_TIMEOUT: CloseCode.TIMEOUT,
    ErrorCode.IDLE_TIMEOUT: CloseCode.TIMEOUT,
    ErrorCode.SAMPLE_GAP: CloseCode.SAMPLE_GAP,
    ErrorCode.SESSION_GONE: CloseCode.SESSION_GONE,
    ErrorCode.REPLACED: CloseCode.REPLACED,
    ErrorCode.TOO_LARGE: CloseCode.TOO_LARGE,
    ErrorCode.UNSUPPORTED: CloseCode.UNSUPPORTED,
    ErrorCode.TOO_FAST: CloseCode.TOO_FAST,
    ErrorCode.NOT_READING: CloseCode.TOO_FAST,
    ErrorCode.INTERNAL_ERROR: CloseCode.INTERNAL_ERROR,
    ErrorCode.ENGINE_FAILED: CloseCode.INTERNAL_ERROR,
    ErrorCode.RESTART: CloseCode.RESTART,
    ErrorCode.OVERLOADED: CloseCode.OVERLOADED,
}
_RETRIED = frozenset(
    {
        ErrorCode.INTERNAL_ERROR,
        ErrorCode.ENGINE_FAILED,
        ErrorCode.RESTART,
        ErrorCode.OVERLOADED,
        # A laptop that slept wakes up to this one; its session is still kept.
        ErrorCode.IDLE_TIMEOUT,
    }
)
