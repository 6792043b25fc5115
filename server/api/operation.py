"""What an operation is: who may do it, what it takes, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from server.access import Grant, Role
from server.api import requests
from server.api.answers import JSON, Answer
from server.api.parsing import parse_body, parse_query
from server.api.workbench import Workbench
from server.disk import Disk
from server.lifecycle import Serving
from server.recordings import Archive
from server.store_threads import StoreThreads

_RANKS = (Role.VIEWER, Role.EDITOR, Role.OWNER)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be carried out.

    Attributes:
        request: As it came; its query and body are given apart.
        transcript: The id in its path; empty where there is none.
        grant: As what, and by which link, its sender comes.
        serving: Transcripts, sessions and rooms.
        threads: For the storage.
        disk: For files.
        workbench: For computations.
        archive: Recordings.
        cache_dir: Where the models' files are.
    """

    request: HttpRequest
    transcript: str
    grant: Grant
    serving: Serving
    threads: StoreThreads
    disk: Disk
    workbench: Workbench
    archive: Archive
    cache_dir: Path

    @property
    def role(self) -> Role:
        """What its sender may do in the transcript."""
        return self.grant.role


@dataclass(frozen=True, slots=True)
class Success:
    """What is answered when all went well.

    Attributes:
        status: Of HTTP.
        description: For people.
        model: Of the JSON; `None` for other types, or for nothing.
        media_types: That may come; none for nothing.
    """

    status: int
    description: str
    model: type[Answer] | None = None
    media_types: tuple[str, ...] = (JSON,)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes:
        method: Of HTTP.
        path: With `{transcript}` and the like.
        name: Unique, for programs that are made of the description.
        summary: For people.
        role: Who may do it: this role, and those that may do more.
        query: Model of the query.
        body: Model of the body; `None` if it takes none.
        successes: What may be answered when all went well.
        answer: Carries it out.
        sends_file: Whether its body is a recording, of any type.
        repeatable: Whether it heeds `Idempotency-Key`.
    """

    method: str
    path: str
    name: str
    summary: str
    role: Role
    query: type[requests.Request]
    body: type[requests.Request] | None
    successes: tuple[Success, ...]
    answer: Callable[[Call], Awaitable[Response]]
    sends_file: bool = False
    repeatable: bool = False

    def heeding_keys(self) -> Operation:
        """Return the same operation that heeds `Idempotency-Key`."""
        return replace(self, repeatable=True)

    def allows(self, role: Role) -> bool:
        """Whether somebody with this role may do it."""
        return _RANKS.index(role) >= _RANKS.index(self.role)


Q = TypeVar("Q", bound=requests.Request)
B = TypeVar("B", bound=requests.Request)


@dataclass(frozen=True, slots=True)
class About:
    """What is the same whether an operation takes a body or not; see `Operation`."""

    method: str
    path: str
    name: str
    summary: str
    role: Role
    successes: tuple[Success, ...]


def with_query(
    about: About, query: type[Q], run: Callable[[Call, Q], Awaitable[Response]]
) -> Operation:
    """Return an operation that takes a query only."""

    async def answer(call: Call) -> Response:
        return await run(call, parse_query(call.request.query_params, query))

    return _operation(about, query, None, answer)


def with_file(
    about: About, query: type[Q], run: Callable[[Call, Q], Awaitable[Response]]
) -> Operation:
    """Return an operation that reads a recording from the request itself."""
    return replace(with_query(about, query, run), sends_file=True).heeding_keys()


def with_body(
    about: About, body: type[B], run: Callable[[Call, B], Awaitable[Response]]
) -> Operation:
    """Return an operation that takes a body only."""

    async def answer(call: Call) -> Response:
        parse_query(call.request.query_params, requests.Nothing)
        return await run(call, await parse_body(call.request, body))

    return _operation(about, requests.Nothing, body, answer)


def _operation(
    about: About,
    query: type[requests.Request],
    body: type[requests.Request] | None,
    answer: Callable[[Call], Awaitable[Response]],
) -> Operation:
    return Operation(
        method=about.method,
        path=about.path,
        name=about.name,
        summary=about.summary,
        role=about.role,
        query=query,
        body=body,
        successes=about.successes,
        answer=answer,
    )
