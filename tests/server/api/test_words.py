"""Words as passes heard them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.api.asking import ask, pages, spoken
from tests.server.talking import running, talk

pytestmark = pytest.mark.slow


async def test_the_words_of_all_live_passes_come_with_times(tmp_path: Path) -> None:
    async with running(tmp_path, talk(12)) as server:
        path = await spoken(server, 9.0)
        await spoken(server, 3.0, transcript=path.rpartition("/")[2])
        about = (await ask(server, "GET", path)).json
        answer = (await ask(server, "GET", f"{path}/words")).json

    first, second = answer["passes"]
    sessions = {each["id"]: each["offset_ms"] for each in about["sessions"]}
    offset_ms = sessions[first["session"]]
    assert [word[0] for word in first["words"]] == [f" w{number}" for number in range(12)]
    assert first["words"][0][1:3] == [offset_ms, offset_ms + 400]
    assert (first["kind"], first["first"], answer["next"]) == ("live", 0, None)
    assert second["words"][0][1] == sessions[second["session"]]


async def test_one_pass_can_be_asked_for(tmp_path: Path) -> None:
    async with running(tmp_path, talk(12)) as server:
        path = await spoken(server, 9.0)
        passes = (await ask(server, "GET", path)).json["passes"]
        utterance = next(each for each in passes if each["kind"] == "utterance")
        answer = (await ask(server, "GET", f"{path}/words?pass={utterance['id']}")).json
        unknown = await ask(server, "GET", f"{path}/words?pass=99")

    (only,) = answer["passes"]
    assert (only["id"], only["kind"]) == (utterance["id"], "utterance")
    assert len(only["words"]) == utterance["words"]
    assert (unknown.status, unknown.code) == (404, "not_found")


@pytest.mark.parametrize("which", ["", "&pass=1"])
async def test_long_passes_come_in_pages(tmp_path: Path, which: str) -> None:
    async with running(tmp_path, talk(12)) as server:
        path = await spoken(server, 9.0)
        answers = await pages(server, f"{path}/words?limit=5{which}")

    parts = [each["passes"][0] for each in answers]
    assert [part["first"] for part in parts] == [0, 5, 10]
    heard = [word[0] for part in parts for word in part["words"]]
    assert heard == [f" w{number}" for number in range(12)]
