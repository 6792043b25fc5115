"""Who may do what: each operation with every kind of token."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from server.access import Role
from server.api.operation import Operation
from server.api.routes import OPERATIONS
from server.recordings import unix_ms
from tests.server.api.asking import Reply, ask, linked, made
from tests.server.talking import TOKEN, Running, running, talk

BODIES = {
    "createTranscript": {"title": "A"},
    "changeTranscript": {"title": "B"},
    "createLink": {"role": "viewer"},
    "retranscribe": {"from_ms": 0, "to_ms": 1000},
}
QUERIES = {"exportTranscript": "?format=json"}
ROLES = [Role.VIEWER, Role.EDITOR, Role.OWNER]
LINK = "0" * 64

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
each_of_one_transcript = pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if "{transcript}" in each.path],
    ids=lambda each: each.name,
)


async def attempt(
    server: Running, operation: Operation, path: str, token: str | None, query: str = ""
) -> Reply:
    """Carry out an operation on the transcript of a path."""
    transcript = path.rpartition("/")[2]
    where = operation.path.replace("{transcript}", transcript).replace("{link}", LINK)
    where += QUERIES.get(operation.name, "") + query
    return await ask(server, operation.method, where, BODIES.get(operation.name), token=token)


@each_operation
async def test_nobody_does_anything_without_the_right_token(
    tmp_path: Path, operation: Operation
) -> None:
    async with running(tmp_path, talk(1)) as server:
        path, other = await made(server), await made(server)
        tokens = [None, secrets.token_urlsafe(24), await linked(server, other, "editor")]
        replies = [await attempt(server, operation, path, token) for token in tokens]
        still_there = await ask(server, "GET", path)

    assert [(reply.status, reply.code) for reply in replies] == [(401, "unauthorized")] * 3
    assert {reply.headers["www-authenticate"] for reply in replies} == {"Bearer"}
    assert still_there.json["title"] == ""


@each_of_one_transcript
async def test_a_link_allows_what_its_role_does(tmp_path: Path, operation: Operation) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        tokens = [await linked(server, path, "viewer"), await linked(server, path, "editor"), TOKEN]
        replies = [await attempt(server, operation, path, token) for token in tokens]

    refused = [reply.status == 403 for reply in replies]
    assert refused == [ROLES.index(operation.role) > ROLES.index(role) for role in ROLES]
    assert {reply.code for reply in replies if reply.status == 403} <= {"forbidden"}


@each_of_one_transcript
async def test_what_there_is_not_cannot_be_used(tmp_path: Path, operation: Operation) -> None:
    async with running(tmp_path, talk(1)) as server:
        reply = await attempt(server, operation, "/v1/transcripts/unknown", TOKEN)

    assert (reply.status, reply.code) == (404, "not_found")


async def test_a_token_may_stand_in_the_address(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        viewer = await linked(server, path, "viewer")
        seen = await ask(server, "GET", f"{path}/turns?token={viewer}", token=None)

    assert seen.status == 200


async def test_a_link_that_ended_opens_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        wish = {"role": "editor", "expires_ms": unix_ms() - 1}
        token = (await ask(server, "POST", f"{path}/links", wish)).json["token"]
        reply = await ask(server, "GET", path, token=token)

    assert reply.status == 401


async def test_a_loading_server_says_when_to_come_again(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), load=False) as server:
        reply = await ask(server, "GET", "/v1/transcripts")

    assert (reply.status, reply.code) == (503, "overloaded")
    assert reply.headers["retry-after"] == "1"
