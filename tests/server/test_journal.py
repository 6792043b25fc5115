"""Journal lines read back as they were written, and what they add up to."""

import json

import pytest
from hypothesis import given

from server.journal import Entry, LastingEvent, Ledger, read_entry, write_entry
from streaming.core.domain import DetectedLanguage, Permille, Samples, Speaker, UtteranceId
from streaming.core.events import (
    Correction,
    Final,
    LanguageDetected,
    SpeakerRevised,
    SpeechStarted,
    UtteranceEnded,
)
from tests.server.events import lasting_events, span, word

U0, U1 = UtteranceId(0), UtteranceId(1)


@given(lasting_events)
def test_entries_survive_the_way_to_the_disk_and_back(event: LastingEvent) -> None:
    line = write_entry(Entry(3, event))

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert read_entry(line) == Entry(3, event)


def test_half_a_line_is_refused_wherever_it_was_cut() -> None:
    line = write_entry(Entry(1, Final(U0, (word(" Grüße", 5, 9, "S1"),))))

    for length in range(len(line) - 1):
        with pytest.raises(ValueError, match=r"."):
            read_entry(line[:length])


@pytest.mark.parametrize(
    "fields",
    [
        {"seq": 1, "type": "dance"},
        {"seq": 1, "type": "speech_start", "utterance": 0},
        {"seq": 1, "type": "speech_start", "utterance": "0", "at": 0},
        {"seq": 1, "type": "final", "utterance": 0, "words": [["a", 0]]},
        {"seq": 1, "type": "final", "utterance": 0, "words": {}},
        {"seq": 1, "type": "language", "language": 7, "confidence": 0},
        {"seq": 1, "type": "speaker", "span": [2, 1], "speaker": None},
    ],
)
def test_lines_that_are_not_ours_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_entry(json.dumps(fields).encode())


def test_a_ledger_numbers_and_counts_what_was_said() -> None:
    ledger = Ledger()
    said: list[LastingEvent] = [
        SpeechStarted(U0, Samples(100)),
        Final(U0, (word("a", 100, 200, "S1"), word(" b", 200, 300))),
        SpeakerRevised(span(200, 300), Speaker("S2")),
        SpeakerRevised(span(200, 300), None),
        UtteranceEnded(U0, span(100, 400)),
        Correction(U0, span(100, 400), (word("c", 100, 300, "S3"),)),
        LanguageDetected(DetectedLanguage("de", Permille(900))),
    ]

    entries = [ledger.record(event) for event in said]

    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5, 6, 7]
    assert (ledger.utterances, ledger.words, len(ledger.speakers), ledger.corrections) == (
        1,
        2,
        3,
        1,
    )
    assert ledger.language == "de"
    assert ledger.final_until == 400
    assert ledger.next_utterance == 1
    assert ledger.closing() == []


def test_a_ledger_read_again_continues_the_numbers() -> None:
    first = Ledger()
    entries = [first.record(SpeechStarted(U0, Samples(5)))]

    again = Ledger(entries)

    assert again.record(UtteranceEnded(U0, span(5, 9))).seq == 2


def test_closing_ends_open_utterances_at_the_last_final_word() -> None:
    ledger = Ledger()
    ledger.record(SpeechStarted(U0, Samples(100)))
    ledger.record(Final(U0, (word("a", 100, 300),)))
    ledger.record(SpeechStarted(U1, Samples(900)))

    closing = ledger.closing()
    for event in closing:
        ledger.record(event)

    assert closing == [UtteranceEnded(U0, span(100, 300)), UtteranceEnded(U1, span(300, 300))]
    assert ledger.final_until == 300  # what lies between is heard again
    assert ledger.next_utterance == 2
    assert ledger.closing() == []
