"""Queries and bodies of requests, made into the models of `requests`, or refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import Request as HttpRequest

from server.api import requests
from server.api.answers import JSON
from server.api.errors import Rejected

BODY_BYTES = 64 * 1024
"""No body of ours is longer."""

BODY_S = 10.0
"""How long a body may take to arrive."""

LARGEST_SHOWN = 10**18
"""Numbers beyond this are not told back: Python refuses to write very long ones."""

TOKEN = "token"  # noqa: S105 - the name of a parameter
"""Read by `Access`, before the query is looked at."""

_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)

M = TypeVar("M", bound=requests.Request)


def parse_query(query: QueryParams, model: type[M]) -> M:
    """Return a query's fields.

    Raises:
        Rejected: It has others, or values that are not allowed.
    """
    given = [name for name, _ in query.multi_items() if name != TOKEN]
    twice = next((name for name in given if given.count(name) > 1), None)
    if twice is not None:
        raise _invalid(f"the parameter {twice!r:.40}", "one value", f"{given.count(twice)}")
    try:
        return model.model_validate_strings({name: query[name] for name in given})
    except ValidationError as error:
        raise _first(error, "the parameter", _given) from None


async def parse_body(request: HttpRequest, model: type[M]) -> M:
    """Return a body's fields.

    Raises:
        Rejected: It is no JSON, too long, too slow, or says something that is not allowed.
        ClientDisconnect: The client is gone.
    """
    _check_type(request.headers)
    body = await _read(request)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _first(error, "the field", _kind) from None


def _check_type(headers: Mapping[str, str]) -> None:
    sent = headers.get("content-type", "")
    if sent.partition(";")[0].strip().lower() != JSON:
        raise Rejected(
            415,
            "unsupported_media_type",
            "Wrong type of body",
            expected=JSON,
            got=f"{sent:.60}" or "none",
        )


async def _read(request: HttpRequest) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for piece in request.stream():
                body += piece
                if len(body) > BODY_BYTES:
                    raise Rejected(
                        413,
                        "too_large",
                        "The body is too long",
                        expected=f"at most {BODY_BYTES} bytes",
                        got="more",
                    )
    except TimeoutError:
        raise Rejected(
            408,
            "timeout",
            "The body did not arrive",
            expected=f"all of it within {BODY_S:g} s",
            got=f"{len(body)} bytes",
        ) from None
    return bytes(body)


def _first(error: ValidationError, what: str, show: Callable[[object], str]) -> Rejected:
    """Return the refusal of a request, for the first of its mistakes.

    Args:
        error: All of them.
        what: They are of.
        show: Returns what a value is.
    """
    mistake = error.errors(include_url=False, include_context=False)[0]
    if mistake["type"] == "json_invalid":
        return Rejected(
            400, "malformed", "The body cannot be read", expected="JSON", got="something else"
        )
    # Behind the field come indices, and which of pydantic's types was tried.
    first, *rest = mistake["loc"] or ("",)
    where = ".".join([str(first), *(str(each) for each in rest if isinstance(each, int))])
    name = f"{what} {where!r:.60}" if where else "the request"
    if mistake["type"] == "extra_forbidden":
        expected, got = "none of that name", "one"
        return Rejected(
            422, "invalid", f"Unknown {name.removeprefix('the ')}", expected=expected, got=got
        )
    # What is wrong, in pydantic's words; never text, which people may have written.
    got = "nothing" if mistake["type"] == "missing" else show(mistake["input"])
    return _invalid(name, mistake["msg"], got)


def _kind(value: object) -> str:
    """Return what a value is in JSON: numbers as they are, and never text."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return f"{value}" if abs(value) < LARGEST_SHOWN else "a larger number"
        case str():
            return f"a text of {len(value)} character{'' if len(value) == 1 else 's'}"
        case list():
            return f"a list of {len(value)}"
        case _:
            return "an object"


def _given(value: object) -> str:
    """Return what a value of a query is, where numbers are texts as well."""
    number = isinstance(value, str) and _NUMBER.fullmatch(value)
    return number[0] if number else _kind(value)


def _invalid(name: str, expected: str, got: str) -> Rejected:
    return Rejected(422, "invalid", f"Wrong value of {name}", expected=expected, got=got)
