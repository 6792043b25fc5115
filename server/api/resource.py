"""One path of the API: who may ask, which operation it is, and how its errors are told."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.access import Access, Grant, Role
from server.api.errors import Rejected, rejection
from server.api.operation import Call, Operation
from server.api.workbench import Workbench
from server.auth import Gate
from server.disk import Disk
from server.errors import ServerError
from server.lifecycle import Lifecycle
from server.recordings import Archive
from server.store_threads import StoreThreads

logger = logging.getLogger(__name__)

_READING = frozenset({"GET", "HEAD"})
_PREFLIGHT_S = 600

_EXPOSED = "accept-ranges, content-disposition, content-range, etag, location, retry-after"

_ALLOWED = "authorization, content-disposition, content-type, idempotency-key, last-event-id, range"


@dataclass(frozen=True, slots=True)
class Premises:
    """What all operations share; one for the whole server.

    Attributes:
        gate: Which web pages may change anything.
        access: Who may do what with a transcript.
        lifecycle: Where the server is.
        threads: For the storage.
        disk: For files.
        workbench: Where requests compute.
        archive: The recordings.
        cache_dir: Where the models' files are.
    """

    gate: Gate
    access: Access
    lifecycle: Lifecycle
    threads: StoreThreads
    disk: Disk
    workbench: Workbench
    archive: Archive
    cache_dir: Path


class Resource:
    """An ASGI application for one path with all its methods."""

    def __init__(self, premises: Premises, operations: Sequence[Operation]) -> None:
        """Serve these operations, which share a path."""
        self._premises = premises
        self._operations: Mapping[str, Operation] = {each.method: each for each in operations}
        also = {"OPTIONS", "HEAD"} if "GET" in self._operations else {"OPTIONS"}
        self._methods = ", ".join(sorted(self._operations.keys() | also))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await self._respond(request)
        self._share(request, response)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        """Answer a request whatever goes wrong; a mistake of ours is logged, and told as one."""
        try:
            return await self._answer(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:
            refusal = rejection(error) if isinstance(error, ServerError) else None
            if refusal is None:
                logger.exception("request failed", extra={"method": request.method})
                refusal = _failed()
            return refusal.as_response()

    async def _answer(self, request: Request) -> Response:
        if request.method not in _READING and not self._premises.gate.welcomes(request.headers):
            raise _foreign()
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": self._methods})
        method = "GET" if request.method == "HEAD" else request.method
        operation = self._operations.get(method)
        if operation is None:
            raise self._no_method(request.method)
        _check_accept(request.headers.get("accept", ""), operation)
        grant = await self._grant(request)
        if not operation.allows(grant.role):
            raise _forbidden(operation.role, grant.role)
        premises = self._premises
        call = Call(
            request=request,
            transcript=_transcript(request),
            grant=grant,
            serving=premises.lifecycle.serving(),
            threads=premises.threads,
            disk=premises.disk,
            workbench=premises.workbench,
            archive=premises.archive,
            cache_dir=premises.cache_dir,
        )
        return await operation.answer(call)

    async def _grant(self, request: Request) -> Grant:
        """Return as what a request comes; who may not know a transcript does not learn of it."""
        grant = await self._premises.access.grant(
            _transcript(request), request.headers, request.query_params
        )
        if grant is None:
            raise _unauthorized(request)
        return grant

    def _share(self, request: Request, response: Response) -> None:
        """Let scripts of welcome pages read the answer (https://fetch.spec.whatwg.org/#cors)."""
        response.headers["vary"] = "Origin"
        origin = request.headers.get("origin")
        if origin is None or not self._premises.gate.welcomes(request.headers):
            return
        response.headers["access-control-allow-origin"] = origin
        response.headers["access-control-expose-headers"] = _EXPOSED
        if request.method == "OPTIONS":
            response.headers["access-control-allow-methods"] = self._methods
            response.headers["access-control-allow-headers"] = _ALLOWED
            response.headers["access-control-max-age"] = str(_PREFLIGHT_S)

    def _no_method(self, method: str) -> Rejected:
        return Rejected(
            405,
            "method_not_allowed",
            "This path has no such method",
            expected=self._methods,
            got=f"{method:.20}",
            headers={"allow": self._methods},
        )


def _transcript(request: Request) -> str:
    return str(request.path_params.get("transcript", ""))


def _check_accept(accept: str, operation: Operation) -> None:
    """Refuse a client that can use nothing of what may be answered (RFC 9110, 12.5.1)."""
    offered = [kind for each in operation.successes for kind in each.media_types]
    wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    if not accept or not offered:
        return
    for kind in offered:
        plain = kind.partition(";")[0]
        if {plain, f"{plain.partition('/')[0]}/*", "*/*"} & set(wanted):
            return
    raise Rejected(
        406,
        "not_acceptable",
        "Nothing here is of an accepted type",
        expected=" or ".join(dict.fromkeys(offered)),
        got=f"{accept:.60}",
    )


def _foreign() -> Rejected:
    return Rejected(
        403,
        "foreign_origin",
        "This web page may not change anything here",
        expected="our own page, or one of the allowed origins",
        got="another origin",
    )


def _forbidden(needed: Role, role: Role) -> Rejected:
    return Rejected(
        403,
        "forbidden",
        "This token does not allow that",
        expected=f"the role {needed}",
        got=f"the role {role}",
    )


def _unauthorized(request: Request) -> Rejected:
    presents = "authorization" in request.headers or "token" in request.query_params
    return Rejected(
        401,
        "unauthorized",
        "The token is missing, wrong, or for something else",
        expected="Authorization: Bearer TOKEN, or ?token=TOKEN",
        got="another token" if presents else "none",
        headers={"www-authenticate": "Bearer"},
    )


def _failed() -> Rejected:
    return Rejected(
        500,
        "internal_error",
        "The server failed",
        expected="to carry out this request",
        got="an internal error",
    )
