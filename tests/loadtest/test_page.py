"""What the page is measured with: a meeting as it stands after hours of speech."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.editors_documents import WORDS_AN_HOUR, database
from loadtest.page import Memory, PageReport, Times, page_table
from loadtest.page_meeting import WORDS_A_TURN, write_meeting
from offline.suggestions import Suggestion
from server.storage.store import Store
from server.transcript import Transcript, make_client_id


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
    memory = Memory(10_000_000, 300)
    times = Times.of([float(number) for number in range(101)])
    report = PageReport(
        3,
        2,
        86_000,
        254_000,
        times,
        times,
        times,
        memory,
        (memory, Memory(10_500_000, 300)),
        None,
        times,
        times,
        times,
        4.25,
    )
    text = StringIO()

    Console(file=text, width=100).print(page_table(report))

    table = text.getvalue().splitlines()
    row = next(line for line in table if "first paint" in line)
    assert row.split()[-4:] == ["101", "50", "95", "100"]
    assert next(line for line in table if "partial" in line).split()[-4:] == ["-"] * 4
    assert next(line for line in table if "more each minute" in line).split()[-1] == "250"
