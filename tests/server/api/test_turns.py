"""The turns as they stand now."""

from __future__ import annotations

from pathlib import Path

import pytest
from pycrdt import Text

from tests.server.api.asking import ask, ask_until, made, spoken
from tests.server.editing import editing
from tests.server.talking import running, talk


@pytest.mark.slow
async def test_turns_show_what_people_edited_at_the_time_it_was_said(tmp_path: Path) -> None:
    async with running(tmp_path, talk(12)) as server:
        path = await spoken(server, 9.0)
        before = (await ask(server, "GET", f"{path}/turns")).json
        async with editing(server, path.rpartition("/")[2]) as editor:
            at = str(editor.text).index("w1 ")
            del editor.text[at : at + 2]
            editor.text.insert(at, "changed")
            editor.doc.get("notes", type=Text).insert(0, "- agreed")
            editor.map("speakers")["s2"] = {"name": "Bob", "colour": "#aa0000"}
            await editor.flush()
            changed = await ask_until(server, f"{path}/turns", lambda now: b"Bob" in now.content)
        words = (await ask(server, "GET", f"{path}/words")).json["passes"][0]["words"]

    assert [turn["speaker"] for turn in before["turns"]] == ["s1", "s2", "s1"]
    after = changed.json
    assert (before["notes"], after["notes"]) == ("", "- agreed")
    assert {"id": "s2", "name": "Bob", "colour": "#aa0000"} in after["speakers"]
    assert before["turns"][0]["text"].split() == ["w0", "w1", "w2", "w3", "w4"]
    assert before["turns"][0]["start_ms"] == words[0][1]
    assert before["turns"][0]["end_ms"] == words[4][2]
    assert after["turns"][0]["text"].split()[1] == "changed"
    assert after["turns"][0]["end_ms"] == words[4][2]


async def test_speakers_without_a_turn_are_left_out_unless_people_named_them(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        async with editing(server, path.rpartition("/")[2]) as editor:
            for speaker in ("s1", "s2", "s3"):
                editor.map("mspeakers")[speaker] = {"name": f"Speaker {speaker[1:]}"}
            editor.map("speakers")["s2"] = {"name": "Ada"}
            editor.map("speakers")["s3"] = {"colour": "voice-1"}
            editor.map("hturns")["a"] = "s1"
            editor.text.insert(0, "\n", {"t": "a"})
            await editor.flush()
            turns = await ask_until(server, f"{path}/turns", lambda now: bool(now.json["turns"]))
            about = await ask(server, "GET", path)

    for reply in (turns, about):
        assert [each["name"] for each in reply.json["speakers"]] == ["Speaker 1", "Ada"]


async def test_a_turn_without_text_has_no_times(tmp_path: Path) -> None:
    async with running(tmp_path, talk(1)) as server:
        path = await made(server)
        async with editing(server, path.rpartition("/")[2]) as editor:
            editor.text.insert(0, "\n", {"t": "a"})
            await editor.flush()
            reply = await ask_until(server, f"{path}/turns", lambda now: bool(now.json["turns"]))

    assert reply.json["turns"] == [
        {"id": "a", "speaker": None, "start_ms": None, "end_ms": None, "text": ""}
    ]
