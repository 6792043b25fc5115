"""What can end a session before it is done, or keep a transcript from being read and edited.

    TraxError
    ├── ServerUnreachable     no connection could be made at the start
    ├── ConnectionLost        it was lost, and could not be resumed in time
    ├── ProtocolViolation     the server said what the protocol does not allow
    ├── EventsMissed          all audio arrived, but the session ended while nobody listened
    ├── NotSaved              the server may not have what was written into a transcript
    ├── SuggestionOutdated    the text is not what the suggestion is about any more
    └── SessionError          the server ended the session or refused a request, and said why
        ├── Unauthorized      wrong or no token
        ├── Refused           it did not like what we sent or asked for
        │   ├── Forbidden     the token does not allow it: a viewer's link, say
        │   └── NotFound      there is no such transcript, or no more
        ├── SessionGone       it no longer knows the session, or another connection took it over
        ├── Unavailable       no room, or restarting: later may do
        └── ServerFailed      its own fault

A session rides out what it can: `Unavailable`, `ServerFailed` and lost connections are resumed
without a word, and raised only by `connect` itself (nothing has begun yet) or, when resuming took
too long, as the cause of `ConnectionLost`. An open transcript likewise.
"""

from __future__ import annotations

from trax_client.events import Error


class TraxError(Exception):
    """Any error that this package raises on purpose, but for wrong arguments (`ValueError`)."""


class ServerUnreachable(TraxError):
    """The first connection failed: refused, unknown host, TLS, or not a Trax server.

    Attributes:
        url: Where to, without the token.
        reason: What the network said.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"cannot reach {url}: {reason}")
        self.url = url
        self.reason = reason


class ConnectionLost(TraxError):
    """The connection was lost and could not be resumed; `__cause__` says why the last try failed.

    Attributes:
        attempts: Connections tried.
        unacknowledged_ms: Audio taken from the caller that the server may not have.
    """

    def __init__(self, attempts: int, unacknowledged_ms: int) -> None:
        super().__init__(
            f"the connection was lost and {attempts} attempts to resume failed; "
            f"{unacknowledged_ms} ms of audio may not have arrived"
        )
        self.attempts = attempts
        self.unacknowledged_ms = unacknowledged_ms


class ProtocolViolation(TraxError):
    """The server said what the protocol does not allow.

    Attributes:
        field: The field at fault, or `None` when it is the frame or the moment.
        expected: What would have been right.
        got: What came; never text that was spoken.
    """

    def __init__(self, expected: str, got: str, *, field: str | None = None) -> None:
        super().__init__(f"{field or 'server'}: expected {expected}, got {got}")
        self.field = field
        self.expected = expected
        self.got = got


class EventsMissed(TraxError):
    """The server has all audio, and finished the session while there was no connection.

    Nothing that was said is lost, but events are, among them `Done`. A transcript has what they
    told.
    """

    def __init__(self) -> None:
        super().__init__(
            "the session ended without us: all audio arrived, but its last events did not"
        )


class NotSaved(TraxError):
    """A transcript was left before the server had confirmed all that was written.

    Attributes:
        edits: How many edits may not have arrived.
    """

    def __init__(self, edits: int) -> None:
        super().__init__(f"the server could not be reached; {edits} edits may not have arrived")
        self.edits = edits


class SuggestionOutdated(TraxError):
    """A suggestion cannot be accepted, because its text does not stand there any more.

    Attributes:
        suggestion: Its id.
    """

    def __init__(self, suggestion: str) -> None:
        super().__init__(
            f"the text of suggestion {suggestion} expected once in the transcript, as it was when "
            "that was made: it was edited since"
        )
        self.suggestion = suggestion


class SessionError(TraxError):
    """The server ended the session, or refused a request.

    Attributes:
        code: The protocol's error code, such as `unsupported`; or `close 44xx` when only a close
            code came.
        message: The server's sentence for a person.
        expected: What would have been right.
        got: What we sent.
        retry: Whether a later session may fare better.
        retry_after_s: Not before this long, where the server knows.
    """

    def __init__(self, error: Error) -> None:
        super().__init__(
            f"{error.code}: {error.message}: expected {error.expected}, got {error.got}"
        )
        self.code = error.code
        self.message = error.message
        self.expected = error.expected
        self.got = error.got
        self.retry = error.retry
        self.retry_after_s = (error.retry_after_ms or 0) / 1000


class Unauthorized(SessionError):
    """Wrong or no token (`unauthorized`)."""


class Refused(SessionError):
    """The server did not like what we sent or asked for (`unsupported`, `malformed` ...)."""


class Forbidden(Refused):
    """The token does not allow it: a viewer's link does not write (`forbidden`)."""


class NotFound(Refused):
    """There is none of that id, or no more (`unknown_transcript`, `not_found`)."""


class SessionGone(SessionError):
    """The session cannot go on with this connection (`session_gone`, `replaced`)."""

    @property
    def replaced(self) -> bool:
        """Whether another connection has it now, and all that was said."""
        return self.code == "replaced"


class Unavailable(SessionError):
    """No room, or restarting (`overloaded`, `restart`)."""


class ServerFailed(SessionError):
    """The server's own fault (`internal_error`, `engine_failed`)."""


_CLASSES: dict[str, type[SessionError]] = {
    "unauthorized": Unauthorized,
    "forbidden": Forbidden,
    "unknown_transcript": NotFound,
    "not_found": NotFound,
    "session_gone": SessionGone,
    "replaced": SessionGone,
    "overloaded": Unavailable,
    "restart": Unavailable,
    "unavailable": Unavailable,
    "internal_error": ServerFailed,
    "engine_failed": ServerFailed,
}


def session_error(error: Error) -> SessionError:
    """Return the exception for an `error` of the server; a code unknown to us is `Refused`."""
    return _CLASSES.get(error.code, Refused)(error)
