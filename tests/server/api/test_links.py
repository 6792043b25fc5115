"""Links: a token that is shown once, a role, an end."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.api import links
from server.recordings import unix_ms
from tests.server.api.asking import ask, linked, made
from tests.server.editing import Editor, editing
from tests.server.talking import TOKEN, running, talk


async def test_a_link_leads_into_the_document(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        wish = {"role": "editor", "label": "Ada", "expires_ms": unix_ms() + 60_000}
        made_link = await ask(server, "POST", f"{path}/links", wish)
        link = made_link.json
        name = path.rpartition("/")[2]
        async with editing(server, name, token=link["token"]) as editor:
            assert editor.synced.is_set()

    assert made_link.status == 201
    assert link["sync"] == f"{path}/sync?token={link['token']}"
    assert {key: link[key] for key in wish} == wish
    assert link["valid"] is True


async def test_the_token_is_shown_only_once(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        token = await linked(server, path, "viewer")
        listed = await ask(server, "GET", f"{path}/links")
        about = await ask(server, "GET", path)

    assert token not in listed.content.decode()
    assert [link["role"] for link in listed.json["links"]] == ["viewer"]
    assert about.json["links"] == listed.json["links"]


async def test_a_link_can_be_ended(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        token = await linked(server, path, "editor")
        (link,) = (await ask(server, "GET", f"{path}/links")).json["links"]
        ended = await ask(server, "DELETE", f"{path}/links/{link['id']}")
        (after,) = (await ask(server, "GET", f"{path}/links")).json["links"]
        refused = await ask(server, "GET", path, token=token)
        async with editing(server, path.rpartition("/")[2], Editor(), token) as editor:
            await editor.until(lambda: editor.code == 4401)

    assert (ended.status, ended.content) == (204, b"")
    assert (link["valid"], after["valid"]) == (True, False)
    assert after["revoked_ms"] >= link["created_ms"]
    assert refused.status == 401


async def test_a_link_of_another_transcript_is_not_found(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path, other = await made(server), await made(server)
        token = await linked(server, other, "editor")
        (link,) = (await ask(server, "GET", f"{other}/links")).json["links"]
        refused = await ask(server, "DELETE", f"{path}/links/{link['id']}")
        still = await ask(server, "GET", other, token=token)

    assert (refused.status, refused.code) == (404, "not_found")
    assert still.status == 200


async def test_a_transcript_has_so_many_links_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "MOST_LINKS", 1)
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        await linked(server, path, "viewer")
        refused = await ask(server, "POST", f"{path}/links", {"role": "viewer"}, token=TOKEN)

    assert (refused.status, refused.code) == (409, "too_many_links")
