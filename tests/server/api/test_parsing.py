"""Requests that say something wrong are told what, in words of HTTP and JSON."""

from __future__ import annotations

import pytest
from starlette.datastructures import QueryParams

from server.api.errors import Rejected
from server.api.parsing import _kind, parse_query
from server.api.requests import UploadQuery


@pytest.mark.parametrize(
    ("query", "message", "got"),
    [
        ("language=german", "'language'", "a text of 6 characters"),
        ("model=-x", "'model'", "a text of 2 characters"),
        ("at_ms=soon", "'at_ms'", "a text of 4 characters"),
        ("at_ms=1795729341872", "'at_ms'", "1795729341872"),
    ],
)
def test_a_wrong_parameter_is_named_without_types_of_ours(
    query: str, message: str, got: str
) -> None:
    with pytest.raises(Rejected) as refused:
        parse_query(QueryParams(query), UploadQuery)

    assert refused.value.message == f"Wrong value of the parameter {message}"
    assert refused.value.got == got


def test_a_parameter_that_there_is_not_is_called_unknown() -> None:
    with pytest.raises(Rejected) as refused:
        parse_query(QueryParams("speed=2"), UploadQuery)

    assert refused.value.message == "Unknown parameter 'speed'"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "true or false"),
        (1, "1"),
        (1.5, "1.5"),
        (10**20, "a larger number"),
        ("ab", "a text of 2 characters"),
        ("0", "a text of 1 character"),
        ([1], "a list of 1"),
        ({"a": 1}, "an object"),
    ],
)
def test_values_are_called_as_in_json(value: object, kind: str) -> None:
    assert _kind(value) == kind
