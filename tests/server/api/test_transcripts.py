"""Transcripts as a whole: made, listed, found, looked at, changed, deleted."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from server.api import transcripts
from server.api.operation import Call
from server.lifecycle import Serving
from server.room import Room
from server.storage.errors import StaleWriter
from server.storage.values import Lease
from tests.server.api.asking import ask, ask_until, linked, made, pages, spoken
from tests.server.editing import editing
from tests.server.talking import Running, running, samples, talk, talking

LIST = "/v1/transcripts"


def serving(server: Running) -> Serving:
    """Return what serves."""
    return server.app._lifecycle.serving()


async def test_a_new_transcript_is_found_where_location_says(tmp_path: Path) -> None:
    before_ms = time.time_ns() // 1_000_000
    async with running(tmp_path, talk(1)) as server:
        new = await ask(server, "POST", LIST, {"title": "Weekly", "language": "de"})
        found = await ask(server, "GET", new.headers["location"])

    assert new.status == 201
    assert found.status == 200
    about = found.json
    assert (about["title"], about["language"], about["state"]) == ("Weekly", "de", "live")
    assert before_ms <= about["started_ms"] <= time.time_ns() // 1_000_000
    assert about["sync"] == f"{new.headers['location']}/sync"
    assert (about["sessions"], about["passes"], about["speakers"]) == ([], [], [])
    assert about["links"] == []
    assert found.headers["x-content-type-options"] == "nosniff"


async def test_a_transcript_needs_neither_title_nor_language(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        about = (await ask(server, "GET", path)).json

    assert (about["title"], about["language"]) == ("", None)


async def test_a_transcript_tells_who_spoke_into_it(tmp_path: Path) -> None:
    async with running(tmp_path, talk(12)) as server:
        path = await spoken(server, 9.0, microphone="table", person=None)
        about = (await ask(server, "GET", path)).json

    (session,) = about["sessions"]
    assert session["duration_ms"] == 9000
    assert (session["microphone"], session["live"]) == ("table", False)
    assert about["duration_ms"] == session["offset_ms"] + 9000
    assert [each["kind"] for each in about["passes"]] == ["live", "utterance"]
    assert about["passes"][0]["words"] == 12
    assert [each["name"] for each in about["speakers"]] == ["Speaker 1", "Speaker 2"]


async def test_a_session_is_live_while_it_is_heard(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server, talking(server) as client:
        ready = await client.start(language="en", transcript="new")
        about = (await ask(server, "GET", f"{LIST}/{ready['transcript']}")).json

    assert [each["live"] for each in about["sessions"]] == [True]


async def test_the_list_comes_in_pages_newest_first(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        paths = [await made(server, title=f"Talk {number}") for number in range(5)]
        answers = await pages(server, f"{LIST}?limit=2")

    assert [len(each["transcripts"]) for each in answers] == [2, 2, 1]
    listed = [f"{LIST}/{each['id']}" for page in answers for each in page["transcripts"]]
    assert sorted(listed) == sorted(paths)
    updated = [each["updated_ms"] for page in answers for each in page["transcripts"]]
    assert updated == sorted(updated, reverse=True)


async def test_a_search_finds_titles_by_beginnings_of_words(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        for title in ("Über Gärten", "Garden party", "Garden shed"):
            await made(server, title=title)
        found = (await ask(server, "GET", f"{LIST}?q=gard&limit=1")).json
        rest = (await ask(server, "GET", found["next"])).json
        nothing = (await ask(server, "GET", f"{LIST}?q=roof")).json
        cleared = (await ask(server, "GET", f"{LIST}?q=%20")).json

    titles = [each["title"] for page in (found, rest) for each in page["transcripts"]]
    assert sorted(titles) == ["Garden party", "Garden shed"]
    assert nothing == {"transcripts": [], "next": None}
    assert len(cleared["transcripts"]) == 3


async def test_a_change_is_seen_by_editors_and_in_the_list(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server, title="Before")
        async with editing(server, path.rpartition("/")[2]) as editor:
            reply = await ask(server, "PATCH", path, {"title": "After", "language": "pt-BR"})
            await editor.until(lambda: editor.map("meta").get("title") == "After")
            assert editor.map("meta").get("language") == "pt-BR"
        listed = (await ask(server, "GET", LIST)).json["transcripts"][0]

    assert reply.status == 200
    assert (reply.json["title"], reply.json["state"]) == ("After", "live")
    assert (listed["title"], listed["language"]) == ("After", "pt-BR")


@pytest.mark.slow
async def test_the_list_has_the_title_of_the_last_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delays_s = [0.2, 0.1, 0.0]
    committed = transcripts._committed

    async def ever_sooner(call: Call, room: Room) -> None:
        delay_s = delays_s.pop(0)
        await committed(call, room)
        await asyncio.sleep(delay_s)

    monkeypatch.setattr(transcripts, "_committed", ever_sooner)
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        await asyncio.gather(
            *(ask(server, "PATCH", path, {"title": f"Title {number}"}) for number in range(3))
        )
        about = (await ask(server, "GET", path)).json
        listed = (await ask(server, "GET", LIST)).json["transcripts"][0]

    assert listed["title"] == about["title"]


async def test_what_people_type_into_the_document_wins(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server, title="Ours")
        async with editing(server, path.rpartition("/")[2]) as editor:
            editor.map("meta")["title"] = "Theirs"
            await editor.flush()
            await ask_until(server, path, lambda reply: reply.json["title"] == "Theirs")
        changed = await ask(server, "PATCH", path, {"language": "de"})

    assert changed.json["title"] == "Theirs"


async def test_the_state_is_for_the_owner_to_set(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        editor = await linked(server, path, "editor")
        refused = await ask(server, "PATCH", path, {"state": "closed"}, token=editor)
        before = (await ask(server, "GET", path)).json["state"]
        closed = await ask(server, "PATCH", path, {"state": "closed"})

    assert (refused.status, refused.code) == (403, "forbidden")
    assert before == "live"
    assert closed.json["state"] == "closed"


@pytest.mark.slow
async def test_everything_goes_when_a_transcript_is_deleted(tmp_path: Path) -> None:
    async with running(tmp_path, talk(12)) as server:
        path = await spoken(server, 9.0)
        async with talking(server) as client, editing(server, path.rpartition("/")[2]) as editor:
            await client.start(language="en", transcript=path.rpartition("/")[2])
            await client.stream(samples(2.0))
            folders = server.data_dir / "sessions"
            assert len(list(folders.iterdir())) == 2

            reply = await ask(server, "DELETE", path)
            assert list(folders.iterdir()) == []

            assert await client.closed() == 4404
            assert client.messages[-1]["code"] == "unknown_transcript"
            await editor.until(lambda: editor.code == 4404)
        again = await ask(server, "DELETE", path)
        gone = await ask(server, "GET", path)
        assert list(folders.iterdir()) == []

    assert (reply.status, reply.content) == (204, b"")
    assert (again.status, again.code) == (404, "not_found")
    assert gone.status == 404


async def test_a_link_shows_no_links(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        viewer = await linked(server, path, "viewer")
        seen = await ask(server, "GET", path, token=viewer)

    assert (seen.status, seen.json["links"]) == (200, None)


async def test_a_change_that_cannot_be_committed_is_to_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        assert (await ask(server, "PATCH", path, {"title": "Before"})).status == 200

        def refuse(_lease: Lease, _batch: object) -> int:
            raise StaleWriter("T", 1, 2)

        monkeypatch.setattr(serving(server).store.documents, "append", refuse)
        refused = await ask(server, "PATCH", path, {"title": "After"})
        monkeypatch.undo()
        about = (await ask(server, "GET", path)).json

    assert (refused.status, refused.code) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert about["title"] == "Before"


async def test_a_document_that_another_server_took_is_a_conflict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)

        def refuse(_lease: Lease, _client: int) -> None:
            raise StaleWriter("T", 1, 2)

        monkeypatch.setattr(serving(server).store.documents, "add_client", refuse)
        refused = await ask(server, "PATCH", path, {"title": "After"})

    assert (refused.status, refused.code) == (409, "conflict")
