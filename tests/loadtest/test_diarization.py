"""Tests of `loadtest.diarization`."""

import pytest

from loadtest.diarization import (
    DiarizationErrors,
    as_turns,
    diarization_errors,
    turns_of_words,
)
from loadtest.recordings import TrueTurn
from loadtest.scoring import Token
from offline.diarization import VoiceTurn
from streaming.core.domain import SAMPLE_RATE, Samples, Span, Speaker, Turn, from_ms

TRUE = (TrueTurn(0, 4, "A"), TrueTurn(4, 8, "B"))


def turn(start_s: float, end_s: float, speaker: str) -> Turn:
    span = Span(Samples(round(start_s * SAMPLE_RATE)), Samples(round(end_s * SAMPLE_RATE)))
    return Turn(span, Speaker(speaker))


@pytest.mark.slow
def test_names_do_not_matter_and_edges_do_without_a_collar() -> None:
    errors = diarization_errors(TRUE, [turn(0, 4.2, "S2"), turn(4.2, 8, "S1")], 10)

    assert errors.rate == pytest.approx(0.2 / 8)
    assert errors.core_rate == 0


@pytest.mark.slow
def test_missed_invented_and_confused_speech_is_wrong() -> None:
    heard = [turn(0, 3, "S1"), turn(4, 7, "S2"), turn(7, 8, "S1"), turn(9, 10, "S1")]

    errors = diarization_errors(TRUE, heard, 10)

    assert errors.wrong_s == pytest.approx(3)
    assert errors.speech_s == pytest.approx(8)


def test_errors_add_up_over_recordings() -> None:
    both = DiarizationErrors(10, 1, 8, 0.5) + DiarizationErrors(30, 3, 24, 1.5)

    assert (both.rate, both.core_rate) == (0.1, 0.0625)
    assert DiarizationErrors().rate == 0


def test_turns_of_voices_become_those_of_speakers() -> None:
    found = as_turns([VoiceTurn(500, 1_000, 0), VoiceTurn(900, 2_000, 1)])
    assert [(turn.span.start, turn.span.end, turn.speaker) for turn in found] == [
        (8_000, 16_000, "V1"), (14_400, 32_000, "V2"),
    ]  # fmt: skip


def test_what_one_speaker_says_in_a_row_is_a_turn() -> None:
    words = [
        Token("so", 0.0, 0.5, "A"),
        Token("my", 0.75, 1.0, "A"),
        Token("um", 1.0, 1.25, None),
        Token("no", 1.25, 1.5, "B"),
        Token("yes", 3.0, 3.5, "B"),
    ]

    turns = [(turn.span, turn.speaker) for turn in turns_of_words(words)]

    assert turns == [
        (Span(from_ms(0), from_ms(1000)), "A"),
        (Span(from_ms(1250), from_ms(1500)), "B"),
        (Span(from_ms(3000), from_ms(3500)), "B"),
    ]
