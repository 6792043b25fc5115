"""What holds for every path: origins, methods, types, limits, and errors that say what is wrong."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from server.api import parsing, workbench
from server.api.workbench import Workbench
from server.errors import AudioStoreError, Overload
from server.lifecycle import Serving
from server.storage.errors import StorageFault, StorageUnavailable, Trouble
from tests.server.api.asking import Reply, ask, linked, made
from tests.server.talking import TOKEN, Running, running, talk

LIST = "/v1/transcripts"
NOTES = "https://notes.example"
FOREIGN = "https://foreign.example"
SECRET = "said in confidence"


def serving(server: Running) -> Serving:
    """Return what serves."""
    return server.app._lifecycle.serving()


def shared(reply: Reply) -> bool:
    """Whether scripts of other origins may read a reply."""
    return any(name.startswith("access-control-") for name in reply.headers)


async def test_pages_of_foreign_origins_change_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), allowed_origins=(NOTES,)) as server:
        path = await made(server)
        refused = [
            await ask(server, "POST", LIST, {}, origin=FOREIGN),
            await ask(server, "PATCH", path, {"title": "A"}, origin=FOREIGN),
            await ask(server, "DELETE", path, origin="null"),
            await ask(server, "OPTIONS", path, origin=FOREIGN),
        ]
        read = await ask(server, "GET", path, origin=FOREIGN)

    assert [(reply.status, reply.code) for reply in refused] == [(403, "foreign_origin")] * 4
    assert read.json["title"] == ""
    assert not any(map(shared, [*refused, read]))


async def test_pages_of_allowed_origins_read_and_change(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1), allowed_origins=(NOTES,)) as server:
        before = await ask(server, "OPTIONS", LIST, token=None, origin=NOTES)
        new = await ask(server, "POST", LIST, {}, origin=NOTES)
        refused = await ask(server, "GET", f"{LIST}/unknown", origin=NOTES)
        ours = await ask(server, "POST", LIST, {}, origin=f"http://127.0.0.1:{server.port}")

    assert (before.status, before.content) == (204, b"")
    assert before.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert before.headers["access-control-allow-methods"] == before.headers["allow"]
    assert "authorization" in before.headers["access-control-allow-headers"]
    for reply, status in ((new, 201), (refused, 404)):
        assert reply.status == status
        assert reply.headers["access-control-allow-origin"] == NOTES
        assert reply.headers["vary"] == "Origin"
        assert "location" in reply.headers["access-control-expose-headers"]
        assert "access-control-allow-methods" not in reply.headers
    assert ours.status == 201


async def test_another_method_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        refused = await ask(server, "PUT", f"{await made(server)}/turns", {})

    assert (refused.status, refused.code) == (405, "method_not_allowed")
    assert refused.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_head_is_answered_as_a_get_without_its_body(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        head, get = await ask(server, "HEAD", path), await ask(server, "GET", path)

    assert (head.status, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/*;q=0.5", 200),
        ("text/html, Application/JSON", 200),
        ("text/html", 406),
    ],
)
async def test_who_accepts_no_json_gets_nothing(tmp_path: Path, accept: str, status: int) -> None:
    async with running(tmp_path, talk(1)) as server:
        reply = await ask(server, "GET", LIST, accept=accept)

    assert reply.status == status
    assert status == 200 or reply.code == "not_acceptable"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=ten",
        "limit=1&limit=2",
        "page=2",
        "cursor=nonsense",
        f"q={'a' * 201}",
    ],
)
async def test_a_wrong_query_is_refused(tmp_path: Path, query: str) -> None:
    async with running(tmp_path, talk(1)) as server:
        refused = await ask(server, "GET", f"{LIST}?{query}")

    assert (refused.status, refused.code) == (422, "invalid")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed"),
        (b'{"title": "a"', 400, "malformed"),
        (b"\xff", 400, "malformed"),
        (b'{"title": "\\ud800"}', 400, "malformed"),
        (b"[]", 422, "invalid"),
        (b'{"title": 5}', 422, "invalid"),
        (b'{"title": "a\\nb"}', 422, "invalid"),
        (b'{"name": "a"}', 422, "invalid"),
        (b'{"language": "Deutsch"}', 422, "invalid"),
        (b'{"title": "%s"}' % (b"a" * 301), 422, "invalid"),
        (b" " * (64 * 1024 + 1), 413, "too_large"),
    ],
)
async def test_a_wrong_body_is_refused(tmp_path: Path, body: bytes, status: int, code: str) -> None:
    async with running(tmp_path, talk(1)) as server:
        refused = await ask(server, "POST", LIST, body)
        listed = await ask(server, "GET", LIST)

    assert (refused.status, refused.code) == (status, code)
    assert listed.json["transcripts"] == []


@pytest.mark.parametrize("body", [{}, {"title": None}, {"state": "open"}])
async def test_a_change_of_nothing_is_refused(tmp_path: Path, body: object) -> None:
    async with running(tmp_path, talk(1)) as server:
        refused = await ask(server, "PATCH", await made(server), body)

    assert (refused.status, refused.code) == (422, "invalid")


@pytest.mark.parametrize(
    ("expires_ms", "status"), [(1.0, 201), (1, 201), (None, 201), (1.5, 422), ("1", 422)]
)
async def test_a_whole_number_may_be_written_with_a_point(
    tmp_path: Path, expires_ms: object, status: int
) -> None:
    async with running(tmp_path, talk(1)) as server:
        wish = {"role": "viewer", "expires_ms": expires_ms}
        reply = await ask(server, "POST", f"{await made(server)}/links", wish)

    assert reply.status == status


async def test_a_body_of_another_type_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        form = await ask(server, "POST", LIST, b"title=a", content_type="text/plain")
        json = await ask(server, "POST", LIST, b"{}", content_type="Application/JSON; charset=utf8")

    assert (form.status, form.code) == (415, "unsupported_media_type")
    assert json.status == 201


async def raw(server: Running, *pieces: bytes) -> bytes:
    """Send the beginning of a request, and return all that is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for piece in pieces:
        writer.write(piece)
    await writer.drain()
    try:
        return await reader.readuntil(b"}}")
    finally:
        writer.close()
        await writer.wait_closed()


HEAD = (
    f"POST {LIST} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n"
    "content-type: application/json\r\ncontent-length: 10\r\n\r\n"
).encode()


async def test_a_body_that_does_not_arrive_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing, "BODY_S", 0.05)
    async with running(tmp_path, talk(1)) as server:
        answer = await raw(server, HEAD, b'{"titl')

    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"code":"timeout"' in answer


async def test_a_client_that_is_gone_makes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, talk(1)) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(HEAD + b'{"titl')
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        listed = await ask(server, "GET", LIST)

    assert listed.json["transcripts"] == []
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError(SECRET), 500, "internal_error"),
        (StorageFault("place", "code"), 500, "internal_error"),
        (StorageUnavailable("place", Trouble.LOCKED, "code"), 503, "unavailable"),
        (AudioStoreError("an answer", "none"), 503, "unavailable"),
    ],
)
async def test_a_failure_is_told_without_its_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    code: str,
) -> None:
    def fail(**_fields: object) -> None:
        raise error

    async with running(tmp_path, talk(1)) as server:
        monkeypatch.setattr(serving(server).store.library, "page", fail)
        reply = await ask(server, "GET", LIST)
        monkeypatch.undo()
        again = await ask(server, "GET", LIST)

    assert (reply.status, reply.code) == (status, code)
    assert ("retry-after" in reply.headers) == (status == 503)
    assert SECRET not in reply.content.decode()
    assert again.status == 200


async def test_neither_titles_nor_tokens_are_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(tmp_path, talk(1)) as server:
        path = await made(server, title=SECRET)
        token = await linked(server, path, "viewer")
        await ask(server, "PATCH", path, {"title": SECRET, "language": SECRET})
        await ask(server, "GET", f"{path}?token={token}", token=None)
        await ask(server, "GET", f"{LIST}?q=confidence")

    logged = caplog.text
    for secret in (SECRET, "confidence", TOKEN, token):
        assert secret not in logged


async def test_no_more_computes_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbench, "MOST_WAITING", 2)
    bench, go_on = Workbench(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def work() -> int:
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        return 1

    both = [asyncio.create_task(bench.run(work)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overload):
        await bench.run(work)
    go_on.set()

    assert await asyncio.gather(*both) == [1, 1]
    assert await bench.run(work) == 1
