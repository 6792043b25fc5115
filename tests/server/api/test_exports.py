"""A transcript as a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.exports.formats import ExportFormat
from tests.server.api.asking import ask, ask_until, made, spoken
from tests.server.editing import editing
from tests.server.talking import running, talk


@pytest.mark.slow
async def test_an_export_says_what_people_edited(tmp_path: Path) -> None:
    async with running(tmp_path, talk(5)) as server:
        path = await spoken(server, 5.0)
        await ask(server, "PATCH", path, {"title": "Über uns"})
        async with editing(server, path.rpartition("/")[2]) as editor:
            editor.text.insert(str(editor.text).index("w1"), "NEW ")
            await editor.flush()
            reply = await ask_until(
                server, f"{path}/export?format=json", lambda now: b"NEW" in now.content
            )
        about = (await ask(server, "GET", path)).json
        texts = {
            each: await ask(server, "GET", f"{path}/export?format={each.value}")
            for each in ExportFormat
        }

    exported = json.loads(reply.content)
    (turn,) = exported["turns"]
    assert turn["text"].split() == ["w0", "NEW", "w1", "w2", "w3", "w4"]
    assert turn["start_ms"] == about["sessions"][0]["offset_ms"]
    assert exported["duration_ms"] == about["duration_ms"]
    assert (exported["id"], exported["title"]) == (about["id"], "Über uns")
    for each, text in texts.items():
        assert text.status == 200
        assert text.headers["content-type"] == each.media_type
        assert text.headers["content-disposition"].endswith(f"%C3%9Cber%20uns.{each.value}")
    assert "NEW" in texts[ExportFormat.TXT].content.decode()
    assert texts[ExportFormat.DOCX].content.startswith(b"PK")


@pytest.mark.parametrize("query", ["", "?format=pdf", "?format=JSON", "?format=txt&format=md"])
async def test_another_format_is_refused(tmp_path: Path, query: str) -> None:
    async with running(tmp_path, talk(1)) as server:
        refused = await ask(server, "GET", f"{await made(server)}/export{query}")

    assert (refused.status, refused.code) == (422, "invalid")
