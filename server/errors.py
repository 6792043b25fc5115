"""Errors of the server.

ServerError
├── StartError           the server cannot start, or a command cannot run: one line for a person
│   └── SettingsError    a setting has a value that it must not have
├── RecordingError       a session's folder on disk cannot be read
├── RecordingClosed      it was put away while somebody was reading
├── AudioStoreError      recordings cannot be moved to, or read from, where they are kept
├── MediaError           a file is no recording that can be used
├── DecoderLost          what decodes was killed or stood still: not the file's fault
├── UploadError          a file is not taken
├── TranscriptError      a document, or what is to become part of it, cannot be read
│   └── UnsupportedSchema    it is of another version than this server knows
├── TranscriptClosed     a transcript takes no more sessions
├── Occupied             somebody's cursor is where a machine wants to change the text
├── RoomClosed           a transcript's room was closed while somebody used it
└── Refusal              a connection ends: the peer is sent an `error`, then a close code
    ├── PeerMistake      what the client sent, or did not send, is at fault (4400..4499)
    ├── Overload         nothing is wrong, but there is no room now (1013)
    └── ServerFault      our side failed, or stops (1011, 1012): the client may resume
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from server.codes import ErrorCode
from server.messages import Error


class ServerError(Exception):
    """Base of every error that `server` raises on purpose."""


class StartError(ServerError):
    """The server cannot start.

    Attributes:
        exit_code: What the process ends with; 2 means that it was called wrongly.
    """

    exit_code = 1


class SettingsError(StartError):
    """Settings are wrong; all of them are named at once.

    Attributes:
        problems: One line for each, with flag, variable, what was expected and what came.
    """

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class RecordingError(ServerError):
    """A session's folder on disk is not what this server wrote.

    Attributes:
        path: The file at fault.
        expected: What it should hold.
        got: What it holds; never its text.
    """

    def __init__(self, path: Path, expected: str, got: str) -> None:
        super().__init__(f"{path}: expected {expected}, got {got}")
        self.path = path
        self.expected = expected
        self.got = got


class RecordingClosed(ServerError):
    """A recording was asked for something after it was closed."""


class AudioStoreError(ServerError):
    """The object store of recordings does not do what it is asked to.

    Attributes:
        expected: What it should have done.
        got: What it did.
    """

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"store of recordings: expected {expected}, got {got}")
        self.expected = expected
        self.got = got


class MediaFault(Enum):
    """What is wrong with a recording."""

    UNREADABLE = "unreadable"
    EMPTY = "empty"
    NO_AUDIO = "no_audio"
    UNKNOWN_CODEC = "unknown_codec"
    PROTECTED = "protected"
    TOO_LONG = "too_long"


class MediaError(ServerError):
    """A file is no recording that can be used.

    Attributes:
        fault: For programs.
        expected: What would have been right.
        got: What came instead.
    """

    def __init__(self, fault: MediaFault, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.fault = fault
        self.expected = expected
        self.got = got


class DecoderLost(ServerError):
    """The process that decodes did not come to its end; another time it may.

    Attributes:
        got: What became of it.
    """

    def __init__(self, got: str) -> None:
        super().__init__(f"a decoder that comes to its end expected, got {got}")
        self.got = got


class UploadFault(Enum):
    """Why a file is not taken."""

    TOO_LARGE = "too_large"
    TOO_SLOW = "timeout"
    NO_SPACE = "no_space"
    KEY_REUSED = "key_reused"
    BEING_HEARD = "being_heard"
    ELSEWHERE = "elsewhere"


class UploadError(ServerError):
    """A file is not taken, whatever it holds.

    Attributes:
        fault: For programs.
        expected: What would have been right.
        got: What came instead.
    """

    def __init__(self, fault: UploadFault, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.fault = fault
        self.expected = expected
        self.got = got


class TranscriptError(ServerError):
    """A shared document, or what is to become part of it, cannot be read."""


class UnsupportedSchema(TranscriptError):
    """A document is of a version that this server does not know.

    Attributes:
        expected: The newest version that it knows.
        got: The document's.
    """

    def __init__(self, *, expected: int, got: int) -> None:
        super().__init__(f"a document of version {expected} or older expected, got {got}")
        self.expected = expected
        self.got = got


class TranscriptClosed(ServerError):
    """A transcript was closed by its owner: no session may begin in it."""


class Occupied(ServerError):
    """A machine's change waits, because somebody's cursor is there; later it may be free."""


class RoomClosed(ServerError):
    """A room was closed while somebody used it; entering it again may help."""


class Refusal(ServerError):
    """Why a connection is closed.

    Attributes:
        code: For programs; decides the close code.
        message: A sentence for a person.
        expected: What would have been right.
        got: What came instead. Never a token, a word or audio.
        retry_after_ms: When trying again makes sense, where we know.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        expected: str,
        got: str,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(f"{message}: expected {expected}, got {got}")
        self.code = code
        self.message = message
        self.expected = expected
        self.got = got
        self.retry_after_ms = retry_after_ms

    def as_message(self) -> Error:
        """Return what the peer is told."""
        return Error(
            code=self.code,
            message=self.message,
            expected=self.expected,
            got=self.got,
            retry=self.code.retry,
            retry_after_ms=self.retry_after_ms,
        )


class PeerMistake(Refusal):
    """The client broke the protocol, or may not do what it asks for."""


class Overload(Refusal):
    """The client did nothing wrong, but this server has no room for it now."""


class ServerFault(Refusal):
    """We failed or stop. The session is kept on disk, and can be resumed."""
