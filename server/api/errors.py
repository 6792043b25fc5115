"""Why a request is refused: an HTTP status, and JSON for programs and people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import assert_never

from starlette.responses import Response

from server.api.answers import Failure, FailureBody
from server.errors import (
    AudioStoreError,
    DecoderLost,
    MediaError,
    MediaFault,
    Refusal,
    RoomClosed,
    ServerError,
    TranscriptClosed,
    UnsupportedSchema,
    UploadError,
    UploadFault,
)
from server.storage.errors import (
    Conflict,
    StaleWriter,
    StorageUnavailable,
    UnknownJob,
    UnknownTranscript,
    WrongJobState,
)

RETRY_S = 2
"""When to ask again while a storage or a room cannot be used: as often as sessions do."""


_UPLOADS: Mapping[UploadFault, tuple[int, str]] = {
    UploadFault.TOO_LARGE: (413, "The file is too large"),
    UploadFault.TOO_SLOW: (408, "The file comes too slowly"),
    UploadFault.NO_SPACE: (507, "There is no room for the file"),
    UploadFault.KEY_REUSED: (422, "The Idempotency-Key was used before"),
    UploadFault.BEING_HEARD: (409, "The same file is being heard in another way"),
    UploadFault.ELSEWHERE: (409, "The same file is there already, at another time"),
}


class Rejected(ServerError):
    """A request is not carried out.

    Attributes:
        status: Of HTTP.
        code: For programs.
        message: A sentence for a person.
        expected: What would have been right.
        got: What came instead; never a token, nor what people said or wrote.
        headers: That go with the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        expected: str,
        got: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{message}: expected {expected}, got {got}")
        self.status = status
        self.code = code
        self.message = message
        self.expected = expected
        self.got = got
        self.headers = dict(headers or {})

    def as_response(self) -> Response:
        """Return what the client is answered."""
        body = Failure(
            error=FailureBody(
                code=self.code, message=self.message, expected=self.expected, got=self.got
            )
        )
        return Response(
            body.model_dump_json(),
            status_code=self.status,
            media_type="application/json",
            headers=self.headers,
        )


def unknown(what: str) -> Rejected:
    """Return the refusal of a request for something that there is not."""
    return Rejected(
        404,
        "not_found",
        f"There is no such {what}",
        expected=f"the id of a {what}",
        got="an unknown one",
    )


def out_of_bounds(field: str, *, expected: str, got: str) -> Rejected:
    """Return the refusal of a value that is of the right form, but means nothing."""
    return Rejected(422, "invalid", f"Wrong {field}", expected=expected, got=got)


def rejection(error: ServerError) -> Rejected | None:
    """Return what a client is told of an error of ours; `None` if it is our own mistake."""
    match error:
        case Rejected():
            return error
        case UnknownTranscript():
            return unknown("transcript")
        case UnsupportedSchema(expected=expected_version, got=version):
            return Rejected(
                501,
                "unsupported",
                "This server is too old for this transcript",
                expected=f"a document of version {expected_version} or older",
                got=f"one of version {version}",
            )
        case UnknownJob():
            return unknown("job")
        case MediaError() | DecoderLost() | UploadError() | TranscriptClosed():
            return _file_rejection(error)
        case WrongJobState(expected=expected_state, got=state):
            return Rejected(
                409,
                "conflict",
                "The job is in another state",
                expected=expected_state,
                got=state,
            )
        case StaleWriter() | Conflict():
            return Rejected(
                409,
                "conflict",
                "The transcript is being written to from elsewhere",
                expected="one server that writes to it",
                got="another one, or a later change",
            )
        case Refusal(message=message, expected=expected, got=got, retry_after_ms=retry_after_ms):
            retry_s = RETRY_S if retry_after_ms is None else math.ceil(retry_after_ms / 1000)
            return _later(error.code.value, message, expected, got, retry_s)
        case StorageUnavailable() | AudioStoreError() | RoomClosed():
            return _later(
                "unavailable",
                "The storage cannot be used now",
                "a storage that answers",
                "one that does not",
                RETRY_S,
            )
        case _:
            return None


def _file_rejection(
    error: MediaError | DecoderLost | UploadError | TranscriptClosed,
) -> Rejected:
    """Return what a client is told of a file that is not taken."""
    match error:
        case MediaError(fault=media):
            status = 413 if media is MediaFault.TOO_LONG else 415
            return Rejected(
                status,
                media.value,
                "The file cannot be heard",
                expected=error.expected,
                got=error.got,
            )
        case DecoderLost(got=got):
            return _later(
                "unavailable",
                "The file cannot be looked into now",
                "a decoder that comes to its end",
                got,
                RETRY_S,
            )
        case UploadError(fault=fault):
            status, message = _UPLOADS[fault]
            return Rejected(status, fault.value, message, expected=error.expected, got=error.got)
        case TranscriptClosed():
            return Rejected(
                409,
                "closed",
                "The transcript takes no more recordings",
                expected="an open transcript",
                got="a closed one",
            )
        case _:
            assert_never(error)


def _later(code: str, message: str, expected: str, got: str, retry_s: int) -> Rejected:
    headers = {"retry-after": str(retry_s)}
    return Rejected(503, code, message, expected=expected, got=got, headers=headers)
