"""Words as passes heard them."""

from __future__ import annotations

from pathlib import Path

import pytest

from offline.domain import PassId
from server.api.requests import WordsQuery
from server.api.words import _chosen
from server.storage.values import Pass, PassKind, PassState
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


def test_words_of_a_file_are_those_of_the_pass_that_heard_it_last() -> None:
    heard = [
        (session, kind, words)
        for session, counts in (("file", (0, 0, 5, 4)), ("talk", (3, 3, 4, 0)), ("new", (0, 0)))
        for kind, words in zip([*PassKind, PassKind.ACCURATE], counts, strict=False)
    ]
    passes = [
        Pass(PassId(str(number)), session, kind, PassState.CLOSED, words, 0)
        for number, (session, kind, words) in enumerate(heard, start=1)
    ]

    assert [each.id for each in _chosen(passes, WordsQuery.model_validate({}))] == ["4", "5", "9"]


@pytest.mark.parametrize(("limit", "pages_in_all"), [(5, 4), (12, 2), (19, 1)])
async def test_many_words_come_in_pages(tmp_path: Path, limit: int, pages_in_all: int) -> None:
    async with running(tmp_path, talk(12)) as server:
        path = await spoken(server, 9.0)
        await spoken(server, 4.5, transcript=path.rpartition("/")[2])
        whole = (await ask(server, "GET", f"{path}/words")).json["passes"]
        answers = await pages(server, f"{path}/words?limit={limit}")

    assert len(answers) == pages_in_all
    heard: dict[str, list[object]] = {each["id"]: [] for each in whole}
    for answer in answers:
        assert sum(len(each["words"]) for each in answer["passes"]) <= limit
        for each in answer["passes"]:
            assert each["first"] == len(heard[each["id"]])
            heard[each["id"]] += each["words"]
    assert heard == {each["id"]: each["words"] for each in whole}
    assert sum(map(len, heard.values())) == 19


async def test_one_pass_comes_in_pages_too(tmp_path: Path) -> None:
    async with running(tmp_path, talk(12)) as server:
        path = await spoken(server, 9.0)
        await spoken(server, 3.0, transcript=path.rpartition("/")[2])
        (live, *_) = (await ask(server, "GET", path)).json["passes"]
        answers = await pages(server, f"{path}/words?pass={live['id']}&limit=7")
        other = await ask(server, "GET", f"{path}/words?pass={live['id']}&cursor=99.0")
        beyond = await ask(server, "GET", f"{path}/words?cursor={live['id']}.500&pass={live['id']}")

    assert [len(each["words"]) for answer in answers for each in answer["passes"]] == [7, 5]
    assert {each["id"] for answer in answers for each in answer["passes"]} == {live["id"]}
    assert (other.status, other.code) == (404, "not_found")
    assert beyond.json["passes"][0]["words"] == []
    assert beyond.json["next"] is None
