"""Each line is shown once, when it has settled."""

import pytest

from trax_client import Correction, Final, SpeechStart, Transcript, UtteranceEnd, Word
from trax_client.events import Event
from trax_client.lines import SettlingLines, clock


def said(utterance: int, text: str, speaker: str = "S1", at_ms: int | None = None) -> Final:
    start_ms = 1_000 * utterance if at_ms is None else at_ms
    return Final(1, utterance, (Word(text, start_ms, start_ms + 500, 900, speaker),))


def over(utterance: int) -> UtteranceEnd:
    return UtteranceEnd(1, utterance, 1_000 * utterance, 1_000 * utterance + 500)


def settling(*events: Event) -> tuple[Transcript, SettlingLines]:
    transcript = Transcript()
    for event in events:
        transcript.apply(event)
    return transcript, SettlingLines(transcript, patience_ms=3_000)


def test_line_waits_for_the_end_of_its_utterance_and_some_more_audio() -> None:
    transcript, lines = settling(SpeechStart(1, 0, 0), said(0, " a"))
    assert lines.take(60_000) == []
    transcript.apply(over(0))
    assert lines.take(3_499) == []
    assert [line.text for line in lines.take(3_500)] == ["a"]
    assert lines.take(60_000) == lines.take_all() == []


def test_correction_in_time_is_shown_and_one_too_late_shows_nothing_twice() -> None:
    corrected = Correction(2, 0, "utterance", 0, 500, (Word(" b", 0, 400, 900, "S1"),))
    transcript, lines = settling(said(0, " a"), over(0), corrected)
    assert [line.text for line in lines.take(9_000)] == ["b"]
    transcript.apply(Correction(3, 0, "later", 0, 500, (Word(" c", 0, 400, 900, "S1"),)))
    assert lines.take_all() == []


def test_lines_are_one_speakers_part_of_one_utterance() -> None:
    _, lines = settling(
        said(0, " a"),
        said(0, " b", at_ms=500),
        said(0, " c", "S2", at_ms=1_000),
        said(1, " d", "S2"),
    )
    assert [(line.speaker, line.text) for line in lines.rest()] == [
        ("S1", "a b"),
        ("S2", "c"),
        ("S2", "d"),
    ]
    assert [line.text for line in lines.take(4_100)] == ["a b"]
    assert [line.text for line in lines.take_all()] == ["c", "d"]


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(0, "0:00"), (61_999, "1:01"), (3_600_000, "1:00:00"), (36_061_000, "10:01:01")],
)
def test_clock(ms: int, shown: str) -> None:
    assert clock(ms) == shown
