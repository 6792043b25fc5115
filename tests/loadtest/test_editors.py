"""Tests of `loadtest editors`: what is typed, what is measured, and the command."""

import asyncio
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loadtest.cli import _parser
from loadtest.editors import EditingReport, Spread, Typing, measure_editing
from loadtest.editors_documents import measure_opening, write_meetings
from loadtest.editors_finals import FinalsWatch
from loadtest.editors_lag import LoopLag, lag_between
from loadtest.editors_report import editing_table
from loadtest.editors_typing import Mark, Typist, doubled, find_marks, without_marks
from loadtest.errors import LoadtestError
from server.transcript import Transcript
from tests.loadtest.test_commands import run
from tests.server.editing import TRANSCRIPT, open_transcript, until
from tests.server.talking import TOKEN, Running, running, script

pytestmark = pytest.mark.slow


def test_a_typist_types_behind_itself_wherever_others_type() -> None:
    ann, ben, document = Typist(1, 11), Typist(2, 22), Transcript(1)
    for _ in range(12):
        document.apply(ann.type())
        document.apply(ben.type())

    marks = find_marks(document.text.encode())
    assert [mark for mark in marks if mark.editor == 1] == ann.typed
    assert [mark for mark in marks if mark.editor == 2] == ben.typed
    assert len(marks) == 24


def test_marks_are_told_from_what_others_wrote() -> None:
    text = "é<1.2> <b> 1.2 <10.0><1.2>"

    assert find_marks(text.encode()) == [Mark(1, 2), Mark(10, 0), Mark(1, 2)]
    assert doubled(find_marks(text.encode())) == 1
    assert without_marks(text) == "é <b> 1.2 "


def url(server: Running) -> str:
    return f"http://127.0.0.1:{server.port}/?token={TOKEN}"


def metrics(*counts: tuple[str, int]) -> str:
    rows = [f'trax_event_loop_lag_seconds_bucket{{le="{le}"}} {count}' for le, count in counts]
    return "\n".join(["# TYPE trax_event_loop_lag_seconds histogram", *rows, ""])


def test_lateness_of_the_loop_is_that_between_two_answers() -> None:
    before = metrics(("0.01", 5), ("0.02", 6), ("0.05", 7), ("+Inf", 8))
    after = metrics(("0.01", 9), ("0.02", 12), ("0.05", 15), ("+Inf", 16))

    assert lag_between(before, after) == LoopLag(beats=8, long=2, most_s=0.05)
    far = metrics(("0.01", 9), ("0.02", 12), ("0.05", 15), ("+Inf", 17))
    assert lag_between(before, far) == LoopLag(beats=9, long=3, most_s=None)


def test_a_spread_is_of_something() -> None:
    assert Spread.of([]) is None
    assert Spread.of([float(n) for n in range(101)]) == Spread(101, 50, 99, 100)


def test_a_table_says_where_nothing_was_measured() -> None:
    console = Console(width=80, record=True, file=StringIO())
    lag = LoopLag(0, 0, None)

    console.print(editing_table([EditingReport(2, 0, 0, None, 0, None, lag)]))

    text = console.export_text()
    assert text.split("p50 ms")[1].split()[0] == "-"
    assert "0 of 0" in text


def test_a_final_takes_until_its_last_word_is_there() -> None:
    watch = FinalsWatch()
    watch.note(0, b'\x06\x01g\x07"1:0:2"\x84', now_s=1.0)
    watch.tell(3, now_s=0.5)  # of two speakers: two segments
    watch.note(1, b'"1:0:2" ... "1:2:3"', now_s=1.1)
    watch.note(0, b'"1:2:3"', now_s=2.0)
    watch.note(0, b'"2:0:9"', now_s=2.0)  # a correction
    watch.tell(1, now_s=3.0)
    watch.note(1, b'"1:3:4"', now_s=3.25)

    assert [round(each) for each in watch.latencies_ms] == [1500, 600, 250]
    assert watch.missing == 1


async def test_edits_of_who_is_sent_away_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtest.editors.ARRIVE_S", 0.1)
    async with running(tmp_path, script()) as server:
        open_transcript(server)
        rooms = server.app._lifecycle.serving().rooms
        pace = Typing(seconds=60, edits_per_s=100)
        measuring = asyncio.create_task(measure_editing(url(server), TRANSCRIPT, 2, pace))
        async with rooms.enter(TRANSCRIPT) as room:
            room.show("session", {"text": "so"})
            await until(lambda: "<1.5>" in room.transcript.text)
            await rooms.delete(TRANSCRIPT)
        report = await measuring

    assert 10 < report.edits < 12_000
    assert report.missing > 0
    assert report.latency_ms is not None
    assert report.latency_ms.count == report.edits - report.missing


async def test_editors_who_cannot_come_in_measure_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, script()) as server:
        with pytest.raises(LoadtestError, match="got the end of the connection"):
            await measure_editing(url(server), "nowhere", 2, Typing(seconds=1, edits_per_s=1))


async def test_a_document_that_is_not_whole_is_no_measurement(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (meeting,) = await write_meetings(tmp_path / "data", [0.05])
    async with running(tmp_path, script()) as server:
        opening = await measure_opening(url(server), meeting)
        assert opening.meeting == meeting
        assert (meeting.words, meeting.hours) == (450, 0.05)
        assert meeting.writing_ms is not None
        assert meeting.writing_ms.p50 > 0
        assert meeting.held_ms is not None
        assert meeting.held_ms.maximum >= 0
        with pytest.raises(LoadtestError, match="451 words expected, got 450"):
            await measure_opening(url(server), replace(meeting, words=451))
        await server.app._lifecycle.serving().rooms.delete(meeting.transcript)
        with pytest.raises(LoadtestError, match="got none"):
            await measure_opening(url(server), meeting)


async def test_editors_are_measured_against_a_server_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "editors"

    code, out, errors = await run(
        *("editors", "--editors", "2", "4", "--seconds", "4", "--edits-per-s", "2.5"),
        *("--hours", "0.02", "--out", folder),
    )

    assert code == 0, errors
    assert "p99" in out
    report: dict[str, Any] = json.loads((folder / "editors.json").read_text())
    assert (folder / "editors.png").read_bytes().startswith(b"\x89PNG")
    few, more = report["editing"]
    assert (few["editors"], few["edits"], few["latency_ms"]["count"]) == (2, 20, 20)
    assert (more["editors"], more["edits"], more["latency_ms"]["count"]) == (4, 40, 120)
    assert few["missing"] == more["missing"] == 0
    assert 0 < few["latency_ms"]["p50"] <= few["latency_ms"]["p99"] <= few["latency_ms"]["maximum"]
    assert few["finals_ms"]["count"] > 0
    assert few["lag"]["beats"] >= 60
    (opening,) = report["openings"]
    assert opening["meeting"]["words"] == 180
    assert opening["update_bytes"] > 1000
    assert opening["meeting"]["describing_ms"]["p50"] > 0
    done = [stretch["doing"] for stretch in report["loop"]]
    assert done[0] == "nothing"
    assert "exported as docx" in done
    assert all(stretch["lag"]["beats"] > 0 for stretch in report["loop"])
    assert "1024 kB pasted" in out


def test_one_editor_alone_measures_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["editors", "--editors", "1"])

    assert "a whole number of at least 2 expected, got 1" in capsys.readouterr().err
