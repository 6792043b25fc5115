"""The web page: how it is served, built or not, and what it is allowed to do."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.types import Message

from server.health import SecurityHeaders
from server.page import FOR_EVER, NONCE, Page, policy
from tests.server.talking import TOKEN, running, talk

INDEX = f'<!doctype html><meta property="csp-nonce" nonce="{NONCE}"><script src="./assets/a.js">'


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Return a folder with a page in it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(INDEX)
    (tmp_path / "assets" / "page-1a2b.js").write_text("start()")
    (tmp_path / "assets" / "notes.txt").write_text("not for the web")
    (tmp_path / "secret.js").write_text("secret")
    return tmp_path


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Headers
    text: str


async def get(built: Path, path: str, *, prefix: str = "", encoding: str = "") -> Answer:
    """Ask a server of this page, perhaps one behind a proxy's prefix."""
    page = Page(built)
    routes = [Route("/", page.index), Route("/assets/{name}", page.asset)]
    app = Starlette(
        routes=[Mount(prefix, routes=routes)] if prefix else routes,
        middleware=[Middleware(SecurityHeaders)],
    )
    sent: list[Message] = []

    asked: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if not asked:
            await asyncio.Event().wait()  # whoever asked stays until it is answered
        return asked.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path.partition("?")[0]),
        "query_string": path.partition("?")[2].encode(),
        "headers": [(b"host", b"talk.example:81"), (b"accept-encoding", encoding.encode())],
    }
    await app(scope, receive, send)
    body = b"".join(each.get("body", b"") for each in sent[1:])
    return Answer(int(sent[0]["status"]), Headers(raw=sent[0]["headers"]), body.decode())


async def test_the_page_gets_a_nonce_of_its_own_each_time(built: Path) -> None:
    first, second = await get(built, "/"), await get(built, "/")

    nonces = [re.findall(r'nonce="([^"]+)"', each.text) for each in (first, second)]
    assert nonces[0] != nonces[1]
    assert NONCE not in first.text
    assert f"style-src 'self' 'nonce-{nonces[0][0]}'" in first.headers["content-security-policy"]


async def test_the_page_runs_only_its_own_scripts_and_connects_to_its_own_server(
    built: Path,
) -> None:
    headers = (await get(built, f"/?token={TOKEN}")).headers

    parts = headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in parts
    assert "script-src 'self'" in parts
    assert "connect-src 'self' ws://talk.example:81 wss://talk.example:81" in parts
    assert "unsafe" not in headers["content-security-policy"]
    assert len(headers.getlist("content-security-policy")) == 1
    assert headers["permissions-policy"].startswith("microphone=(self)")
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers.getlist("cache-control") == ["no-cache"]


@pytest.mark.parametrize("host", ["a b", "x; script-src *", "a/b", "", "ä.example", "h:99999999"])
def test_what_is_no_host_does_not_reach_the_policy(host: str) -> None:
    assert "connect-src 'self';" in policy(host, "n")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "talk.example", "[::1]:8000"])
def test_sockets_of_the_own_host_are_named(host: str) -> None:
    assert f"connect-src 'self' ws://{host} wss://{host};" in policy(host, "n")


async def test_files_with_a_hash_are_kept_for_ever(built: Path) -> None:
    answer = await get(built, "/assets/page-1a2b.js")

    assert answer.text == "start()"
    assert answer.headers.getlist("cache-control") == [FOR_EVER]
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_files_come_packed_to_whom_takes_that(built: Path) -> None:
    (built / "assets" / "page-1a2b.js.gz").write_text("packed")

    packed = await get(built, "/assets/page-1a2b.js", encoding="br, gzip")
    plain = await get(built, "/assets/page-1a2b.js", encoding="br")

    assert (packed.text, packed.headers["content-encoding"]) == ("packed", "gzip")
    assert packed.headers["content-type"] == "text/javascript; charset=utf-8"
    assert (plain.text, plain.headers.get("content-encoding")) == ("start()", None)
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    "name", ["none.js", "notes.txt", "..%2fsecret.js", "%2e%2e%2fsecret.js", ".js", "a%00.js"]
)
async def test_nothing_else_of_the_disk_is_served(built: Path, name: str) -> None:
    assert (await get(built, f"/assets/{name}")).status == 404


async def test_the_page_works_below_the_path_of_a_proxy(built: Path) -> None:
    page = await get(built, "/tools/trax/", prefix="/tools/trax")
    file = await get(built, "/tools/trax/assets/page-1a2b.js", prefix="/tools/trax")

    assert 'src="./assets/' in page.text
    assert file.status == 200


async def test_a_server_without_the_page_says_how_to_build_it_and_serves_all_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Page.__init__, "__defaults__", (tmp_path / "nowhere",))
    async with running(tmp_path, talk(1), load=False) as server:
        status, headers, body = await server.get(f"/?token={TOKEN}")
        alive, _, _ = await server.get("/healthz")

    assert (status, alive) == (200, 200)
    assert "make page" in body
    assert TOKEN not in body
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers
