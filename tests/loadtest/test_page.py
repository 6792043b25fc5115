"""What the page is measured with: a meeting as it stands after hours of speech."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.editors_documents import WORDS_AN_HOUR, database
from loadtest.page import Memory, PageReport, Part, Stage, Times, page_table
from loadtest.page_meeting import WORDS_A_TURN, write_meeting
from offline.suggestions import Suggestion
from server.storage.store import Store
from server.transcript import Transcript, make_client_id

TIMES = Times.of([float(number) for number in range(101)])


@pytest.mark.slow
def test_a_meeting_is_written_with_all_that_people_do_to_one(tmp_path: Path) -> None:
    name = write_meeting(tmp_path, 0.1)

    with Store(database(tmp_path)) as store:
        stored = store.documents.read(name)
        heard = store.passes.words(name, [each.id for each in store.passes.of(name)])
        (session,) = store.sessions.of(name)
    transcript = Transcript(make_client_id(), stored.updates)
    words = heard[session.live_pass]
    assert len(words) == WORDS_AN_HOUR / 10
    said = [turn.text for turn in transcript.turns() if turn.id is not None]
    assert "".join(said) == "".join(word.text for word in words)
    assert len(said) == len(words) / WORDS_A_TURN
    assert len(set(transcript.turn_speakers().values())) == 4
    assert any(run.highlight for run in transcript.runs())
    suggestions = transcript.suggestions().values()
    assert suggestions
    assert all(_stands(each, said) for each in suggestions)
    recording = tmp_path / "sessions" / session.id / "audio.pcm"
    assert recording.stat().st_size == 2 * session.samples
    assert recording.stat().st_blocks == 0


def _stands(suggestion: Suggestion, said: list[str]) -> bool:
    quoted = suggestion.before + suggestion.text + suggestion.after
    return sum(quoted in text for text in said) == 1


def test_what_was_not_seen_is_left_out_of_the_table() -> None:
    report = _report(partial=None)
    text = StringIO()

    Console(file=text, width=100).print(page_table(report))

    table = text.getvalue().splitlines()
    row = next(line for line in table if "first paint" in line)
    assert row.split()[-4:] == ["101", "50", "95", "100"]
    assert next(line for line in table if "partial" in line).split()[-4:] == ["-"] * 4


def test_what_a_page_weighs_is_told_by_when_it_is_needed() -> None:
    report = _report()

    assert (report.start_bytes, report.text_bytes, report.all_bytes) == (80, 200, 203)


def test_growth_is_that_of_the_second_half_whatever_a_single_sample_says() -> None:
    grown = (0, 9_000, 10_000, 10_250, 30_000, 10_750, 11_000)
    memory = [Memory(2.0 * n, size, 300, 20, 400 * n) for n, size in enumerate(grown)]

    report = _report(memory=memory)

    assert report.bytes_per_minute == 125
    assert report.bytes_per_word == 125 * 2 / 400
    assert _report(memory=memory[:1]).bytes_per_minute is None


def _report(partial: Times | None = TIMES, memory: Sequence[Memory] = ()) -> PageReport:
    parts = (
        Part("index.js", Stage.START, 80),
        Part("MeetingPage.js", Stage.TEXT, 120),
        Part("PlayerBar.js", Stage.AUDIO, 3),
    )
    shown = (TIMES, TIMES, TIMES, 10_000_000, tuple(memory), partial, *(TIMES,) * 4)
    return PageReport(3, 2, parts, *shown, key_busy_ms=4.25)
