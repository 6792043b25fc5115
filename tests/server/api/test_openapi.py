"""The description of the API, and a server that does what it says (https://schemathesis.io)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.openapi import from_dict, media_type
from schemathesis.schemas import APIOperation

from server.api.routes import OPERATIONS
from tests.server.api.asking import ask, spoken
from tests.server.recording_files import wav
from tests.server.talking import TOKEN, running, talk

EXAMPLES = 50
"""Of each operation, rightly and wrongly used each."""

UPLOADS = 15
"""Likewise of the one that takes files: each is looked into by a process of its own."""

ELSEWHERE = {"deleteTranscript": {404}, "deleteLink": {404}, "retryJob": {409}}
"""What is answered by operations whose success other tests show."""

# No description can say what a recording is.
FILES = st.integers(1, 800).map(lambda samples: wav(bytes(2 * samples)))
for kind in ("application/octet-stream", "audio/*", "video/*"):
    media_type(kind, FILES)


AnyOperation = APIOperation[Any, Any, Any, Any]


def use(url: str, operation: AnyOperation, there_is: dict[str, str]) -> set[int]:
    """Use an operation rightly and wrongly; return what was answered. Blocks.

    It is used on what there is, so that more than 404 is answered; but that is not deleted.
    """
    seen: set[int] = set()
    path = {name: value for name, value in there_is.items() if f"{{{name}}}" in operation.path}
    if operation.method == "delete":
        path = {}
    for mode in GenerationMode:

        @given(case=operation.as_strategy(mode, path_parameters=path or None))
        @settings(
            max_examples=UPLOADS if name_of(operation) == "uploadAudio" else EXAMPLES,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def check(case: Case[Any]) -> None:
            response = case.call(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"})
            seen.add(response.status_code)
            if not (ends_early(case) or refused_for_the_past(response)):
                case.validate_response(response)

        check()
    return seen


def ends_early(case: Case[Any]) -> bool:
    """Whether a span ends before it starts, which no description can forbid."""
    asked = case.body if isinstance(case.body, dict) else case.query
    start, end = asked.get("from_ms", 0), asked.get("to_ms")
    return isinstance(start, (int, float)) and isinstance(end, (int, float)) and end <= start


def refused_for_the_past(response: Response) -> bool:
    """Whether a request is wrong only because of what was recorded or asked before."""
    if response.status_code != 422:
        return False
    error: dict[str, str] = response.json()["error"]
    return error["code"] == "key_reused" or error["got"] == "silence"


def name_of(operation: AnyOperation) -> str:
    """Return what our table calls an operation."""
    return str(operation.definition.raw["operationId"])


@pytest.mark.slow
async def test_the_server_does_what_its_description_says(tmp_path: Path) -> None:
    async with running(tmp_path, talk(12)) as server:
        path = await spoken(server, 9.0)
        described = await ask(server, "GET", "/openapi.json", token=None)
        url = f"http://127.0.0.1:{server.port}"
        uploaded = await ask(server, "POST", f"{path}/audio", wav(bytes(32_000)))
        # Over, so that it can be followed to its end.
        await ask(server, "POST", f"{uploaded.headers['location']}/cancel")
        there_is = {"transcript": path.rpartition("/")[2], "job": uploaded.json["id"]}
        seen = {}
        for found in from_dict(described.json).get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            seen[name_of(operation)] = await asyncio.to_thread(use, url, operation, there_is)
            # Changes may have closed it.
            await ask(server, "PATCH", path, {"state": "live"})

    assert described.headers["content-type"] == "application/json"
    assert seen.keys() == {operation.name for operation in OPERATIONS}
    for each in OPERATIONS:
        well = ELSEWHERE.get(each.name) or {good.status for good in each.successes}
        assert seen[each.name] & well, each.name
        assert 422 in seen[each.name] or each.query.model_fields == {}
