"""What a server grants of what a client asks for; `test_recordings` shows that it is kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from server.codes import ErrorCode
from server.errors import PeerMistake
from server.messages import NEW_TRANSCRIPT, Start
from server.settings import Settings
from server.terms import SPEAKER_AFTER_WORD_MS, SPEAKER_AT_LEAST_MS, Terms, agree, session_settings
from streaming.core.domain import from_ms

SERVER = Settings(data_dir=Path("data"), cache_dir=Path("cache"))
ENGLISH = frozenset({"en"})


def granted(start: Start, server: Settings = SERVER) -> Terms:
    return agree(start, server, ENGLISH)


@pytest.mark.parametrize("transcript", [None, "weekly-7", NEW_TRANSCRIPT])
def test_transcript_is_granted_as_asked_for(transcript: str | None) -> None:
    assert granted(Start(transcript=transcript)).transcript == transcript


def test_person_and_microphone_are_granted() -> None:
    terms = granted(Start(person="Zoë", microphone="desk"))
    assert (terms.person, terms.microphone) == ("Zoë", "desk")


def test_speakers_are_told_apart_unless_client_server_or_person_say_otherwise() -> None:
    assert granted(Start()).diarization
    assert not granted(Start(diarization=False)).diarization
    assert not granted(Start(), replace(SERVER, diarization=False)).diarization
    assert not granted(Start(person="Zoë", diarization=True)).diarization


def test_a_session_goes_on_without_speakers_where_they_are_told_apart_no_more() -> None:
    terms = granted(Start())
    assert session_settings(terms, None, SERVER).diarization
    assert not session_settings(terms, None, replace(SERVER, diarization=False)).diarization


def test_one_persons_microphone_has_no_diarization_latency() -> None:
    terms = granted(Start(person="Zoë", diarization_latency_ms=900))
    assert terms.diarization_latency_ms is None
    assert not session_settings(terms, None, SERVER).diarization


def test_diarization_latency_is_as_asked_for_or_tied_to_the_lookahead() -> None:
    assert granted(Start(diarization_latency_ms=900)).diarization_latency_ms == 900
    tied = granted(Start(lookahead_ms=1_000)).diarization_latency_ms
    assert tied == 1_000 + SPEAKER_AFTER_WORD_MS
    assert granted(Start(lookahead_ms=0)).diarization_latency_ms == SPEAKER_AT_LEAST_MS


def test_no_word_is_final_before_the_lookahead_was_heard() -> None:
    terms = granted(Start(lookahead_ms=3_000, max_delay_ms=500))
    assert (terms.lookahead_ms, terms.max_delay_ms) == (3_000, 3_000)


def test_language_that_the_recognizer_does_not_know_is_refused() -> None:
    with pytest.raises(PeerMistake) as refusal:
        granted(Start(language="de"))
    assert refusal.value.code is ErrorCode.UNSUPPORTED


def test_detected_language_counts_only_where_it_was_to_be_detected() -> None:
    assert session_settings(granted(Start()), "de", SERVER).language == "de"
    assert session_settings(granted(Start(language="en")), "de", SERVER).language == "en"
    assert session_settings(granted(Start()), None, SERVER).lookahead == from_ms(
        SERVER.lookahead_ms
    )
