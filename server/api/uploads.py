"""The operation that takes a recording of any usual format, to be heard like a meeting."""

from __future__ import annotations

import re
from contextlib import suppress
from email.message import Message

from starlette.datastructures import Headers
from starlette.responses import Response

from server.access import Role
from server.api.answers import JobAnswer, write
from server.api.audio import PATH
from server.api.errors import Rejected, out_of_bounds
from server.api.jobs import ONE, answer_job
from server.api.operation import About, Call, Operation, Success, with_file
from server.api.requests import UploadQuery
from server.storage.uploads import Wishes
from server.uploads import UploadWish
from streaming.weights import CATALOGUE

LONGEST_NAME = 200

_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)


async def upload(call: Call, wish: UploadQuery) -> Response:
    """Take a recording, unless the transcript has it; answer the job that hears it."""
    headers = call.request.headers
    hotwords = tuple(word.strip() for word in wish.hotwords.split(",") if word.strip())
    wished = UploadWish(
        name=_name(wish.filename or _disposition(headers)),
        key=idempotency_key(headers),
        at_ms=wish.at_ms,
        wishes=Wishes(
            allowed_model(call, wish.model),
            known_language(call, wish.language),
            hotwords,
            tells_apart(call, wish.diarization),
        ),
    )
    taken = await call.serving.uploads.take(
        call.transcript, call.request.stream(), wished, _length(headers)
    )
    where = ONE.format(transcript=call.transcript, job=taken.job.id)
    status = 202 if taken.new else 200
    return write(await answer_job(call, taken.job), status=status, location=where)


def idempotency_key(headers: Headers) -> str | None:
    """Return what the sender calls a request, if anything.

    Raises:
        Rejected: It is no such name.
    """
    key = headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise out_of_bounds(
            "Idempotency-Key",
            expected="1 to 255 visible ASCII characters",
            got=f"{len(key)} characters",
        )
    return key


def allowed_model(call: Call, model: str | None) -> str | None:
    """Return the recognizer that a request names, if it may.

    A name may also be a folder of the server, or something that is then fetched from a model hub:
    nothing for those who come by a link.

    Raises:
        Rejected: It may not.
    """
    if model is None or model in CATALOGUE or call.role is Role.OWNER:
        return model
    raise Rejected(
        403,
        "forbidden",
        "This token does not allow to name any recognizer",
        expected=f"one of {', '.join(name for name in CATALOGUE if 'whisper' in name)}",
        got="another name",
    )


def known_language(call: Call, language: str | None) -> str | None:
    """Return the language that a request names, if a recognizer can know it.

    A live recognizer of many languages knows all those that any of its kind does; from one of a
    single language nothing follows for the recognizer of a later pass.

    Raises:
        Rejected: None knows it.
    """
    known = call.serving.languages
    if language is None or language in known or len(known) == 1:
        return language
    raise out_of_bounds("language", expected=f"one of {', '.join(sorted(known))}", got=language)


def tells_apart(call: Call, wished: bool) -> bool:  # noqa: FBT001 - as the request says it
    """Return whether speakers are told apart, which some servers never do."""
    return wished and call.serving.models.diarizer is not None


def _disposition(headers: Headers) -> str | None:
    """Return the name in a `Content-Disposition` (RFC 6266), if there is one."""
    given = headers.get("content-disposition", "")
    with suppress(UnicodeDecodeError):  # Starlette reads ISO 8859-1; curl and others send UTF-8.
        given = given.encode("latin-1").decode()
    message = Message()
    message["content-disposition"] = given
    return message.get_filename()


def _name(given: str | None) -> str | None:
    """Return a file's name as it is shown: without folders and what cannot be printed."""
    plain = re.split(r"[/\\]", given or "")[-1]
    return "".join(filter(str.isprintable, plain))[:LONGEST_NAME].strip() or None


def _length(headers: Headers) -> int | None:
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


OPERATIONS: tuple[Operation, ...] = (
    with_file(
        About(
            "POST",
            PATH,
            "uploadAudio",
            "Send a recording of any usual format, to be heard: sound, or a video's",
            Role.EDITOR,
            (
                Success(202, "The job that hears it; where it is stands in `Location`", JobAnswer),
                Success(200, "The job that hears the same file, or did", JobAnswer),
            ),
        ),
        UploadQuery,
        upload,
    ),
)
