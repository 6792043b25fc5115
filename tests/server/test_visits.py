"""Who came by a link goes when it ends; nobody else does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server import visits
from server.auth import fingerprint
from server.recordings import unix_ms
from server.storage.values import Role
from server.visits import EXPIRED, REVOKED, Visits
from tests.server.api.asking import ask
from tests.server.editing import (
    TRANSCRIPT,
    editing,
    open_transcript,
    storage,
    store_of,
    transcribing,
    until,
)
from tests.server.talking import resume_of, running, samples, talk, talking

LINK = "a-token-of-a-link"
PATH = f"/v1/transcripts/{TRANSCRIPT}/links/{fingerprint(LINK)}"


@pytest.mark.slow
async def test_who_edits_by_a_link_goes_when_it_is_revoked_and_others_stay(tmp_path: Path) -> None:
    async with transcribing(tmp_path) as server:
        links = store_of(server).links
        for token in (LINK, "another-token"):
            links.add(TRANSCRIPT, fingerprint(token), Role.EDITOR)
        async with (
            editing(server, TRANSCRIPT, token=LINK) as revoked,
            editing(server, TRANSCRIPT, token="another-token") as other,
            editing(server, TRANSCRIPT) as owner,
        ):
            assert (await ask(server, "DELETE", PATH)).status == 204
            await revoked.until(lambda: revoked.code != -1)
            await other.write(0, "still here")
            await owner.until_says("still here")

    assert (revoked.code, revoked.reason) == (4401, REVOKED)


@pytest.mark.slow
async def test_who_speaks_by_a_link_goes_when_it_is_revoked(tmp_path: Path) -> None:
    async with running(tmp_path, talk(4)) as server:
        open_transcript(server)
        store_of(server).links.add(TRANSCRIPT, fingerprint(LINK), Role.EDITOR)
        async with talking(server, token=LINK) as client, talking(server, token=LINK) as silent:
            ready = await client.start(language="en", transcript=TRANSCRIPT)
            await client.stream(samples(1.0))
            await ask(server, "DELETE", PATH)
            code, error = await client.refused()
            await silent.send("start", transcript=TRANSCRIPT)
            too_late, _ = await silent.refused()
        async with talking(server) as owner:
            resumed = await owner.start(resume=resume_of(ready))

    assert (code, error["code"], error["got"]) == (4401, "unauthorized", REVOKED)
    assert too_late == 4401
    assert resumed["resumed"] is True


@pytest.mark.slow
@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
async def test_who_edits_by_a_link_goes_when_it_expires(
    tmp_path: Path, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with transcribing(tmp_path) as server:
        soon = unix_ms() + 60_000
        monkeypatch.setattr(visits, "unix_ms", lambda: soon - 20)
        store_of(server).links.add(TRANSCRIPT, fingerprint(LINK), role, expires_ms=soon)
        async with editing(server, TRANSCRIPT, token=LINK) as editor:
            await editor.until(lambda: editor.code != -1)

    assert (editor.code, editor.reason) == (4401, EXPIRED)


async def test_a_link_that_another_server_revokes_ends_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits, "CHECK_S", 0.01)
    async with transcribing(tmp_path) as server:
        links = store_of(server).links
        links.add(TRANSCRIPT, fingerprint(LINK), Role.VIEWER)
        async with editing(server, TRANSCRIPT, token=LINK) as editor:
            links.revoke(TRANSCRIPT, fingerprint(LINK))
            await editor.until(lambda: editor.code != -1)

    assert (editor.code, editor.reason) == (4401, REVOKED)


async def test_a_link_that_ends_while_its_visitor_is_let_in_ends_the_visit(tmp_path: Path) -> None:
    with storage(tmp_path) as stored:
        links = stored.store.links
        was = links.add(TRANSCRIPT, fingerprint(LINK), Role.EDITOR)
        links.revoke(TRANSCRIPT, fingerprint(LINK))
        told: list[str] = []
        here = Visits(links, stored.threads)
        async with here.stay(was, told.append):
            assert told == [REVOKED]
        here.end(was.fingerprint)

        assert told == [REVOKED]


async def test_visits_last_while_links_cannot_be_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(visits, "CHECK_S", 0.01)
    with storage(tmp_path) as stored:
        links = stored.store.links
        link = links.add(TRANSCRIPT, fingerprint(LINK), Role.EDITOR)
        told: list[str] = []
        here = Visits(links, stored.threads)
        async with here.stay(link, told.append):
            looking = asyncio.create_task(here.look_after())
            stored.store.close()
            stored.file.rename(stored.file.with_suffix(".away"))
            stored.file.mkdir()
            await until(lambda: "links not looked up" in caplog.messages)
            assert told == []
            stored.file.rmdir()
            stored.file.with_suffix(".away").rename(stored.file)
            links.revoke(TRANSCRIPT, link.fingerprint)
            await until(lambda: told != [])
            looking.cancel()
