"""The description of the API, and a server that does what it says (https://schemathesis.io)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.openapi import from_dict
from schemathesis.schemas import APIOperation

from server.api.routes import OPERATIONS
from tests.server.api.asking import ask, spoken
from tests.server.talking import TOKEN, running, talk

EXAMPLES = 50
"""Of each operation, rightly and wrongly used each."""


AnyOperation = APIOperation[Any, Any, Any, Any]


def use(url: str, operation: AnyOperation, transcript: str) -> set[int]:
    """Use an operation rightly and wrongly; return what was answered. Blocks.

    It is used on what there is, so that more than 404 is answered; but that is not deleted.
    """
    seen: set[int] = set()
    there_is = "{transcript}" in operation.path and operation.method != "delete"
    path = {"transcript": transcript} if there_is else None
    for mode in GenerationMode:

        @given(case=operation.as_strategy(mode, path_parameters=path))
        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def check(case: Case[Any]) -> None:
            response = case.call(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"})
            seen.add(response.status_code)
            if not ends_early(case):
                case.validate_response(response)

        check()
    return seen


def ends_early(case: Case[Any]) -> bool:
    """Whether a span of audio ends before it starts, which no description can forbid."""
    start, end = case.query.get("from_ms", 0), case.query.get("to_ms")
    return isinstance(start, int) and isinstance(end, int) and end < start


def name_of(operation: AnyOperation) -> str:
    """Return what our table calls an operation."""
    return str(operation.definition.raw["operationId"])


@pytest.mark.slow
async def test_the_server_does_what_its_description_says(tmp_path: Path) -> None:
    async with running(tmp_path, talk(12)) as server:
        path = await spoken(server, 9.0)
        described = await ask(server, "GET", "/openapi.json", token=None)
        url, transcript = f"http://127.0.0.1:{server.port}", path.rpartition("/")[2]
        seen = {}
        for found in from_dict(described.json).get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            seen[name_of(operation)] = await asyncio.to_thread(use, url, operation, transcript)

    assert described.headers["content-type"] == "application/json"
    assert seen.keys() == {operation.name for operation in OPERATIONS}
    for each in OPERATIONS:
        well = {404} if each.method == "DELETE" else {good.status for good in each.successes}
        assert seen[each.name] & well
        assert 422 in seen[each.name] or each.query.model_fields == {}
