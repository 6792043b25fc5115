"""Tests of `loadtest.hearing` and `loadtest.accuracy`, with engines that play what is said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from loadtest.accuracy import measure_accuracy
from loadtest.arrivals import corrected_words
from loadtest.errors import LoadtestError
from loadtest.hearing import hear
from loadtest.recordings import Recording, read_recording
from loadtest.scoring import WordErrors
from streaming.core.domain import SAMPLE_RATE
from streaming.core.settings import SessionSettings
from streaming.engines.loading import EngineConfig, EngineSet, load

SETTINGS = SessionSettings(language="en")


def playing(path: Path) -> EngineSet:
    script = path.with_suffix(".words.json")
    return load(EngineConfig(f"scripted:{script}", script.parent, "cpu", "int8", 1))


@pytest.fixture(scope="module")
def talk(speech: Path) -> Recording:
    return read_recording(speech / "conversations" / "pub-2spk-clean.flac")


@pytest.mark.slow
def test_engines_that_know_the_words_make_no_error(talk: Recording) -> None:
    report = measure_accuracy(talk, playing(talk.path), SETTINGS, whole_file=None)

    assert report.corrected == WordErrors(words=227)
    assert report.disordered_finals == 0
    assert report.times is not None
    assert report.times.end_s.median < 0.01
    assert report.final_latency_s is not None
    # The look-ahead of 0.3 s, a step of 0.5 s, and pieces of 0.1 s.
    assert 0.3 <= report.final_latency_s.median <= 1.0
    assert report.speakers is not None
    assert (report.speakers.people, report.speakers.voices) == (2, 2)
    assert report.speakers.words.wrong == 0
    # A script's turns end with each breath, the truth's do not.
    assert report.speakers.turns is not None
    assert report.speakers.turns.rate < 0.2
    assert report.costs.live_windows > report.costs.utterance_passes == 0, "no word is doubtful"


@pytest.mark.slow
def test_the_same_audio_is_heard_the_same_again(talk: Recording) -> None:
    pcm, engines = talk.samples[: 20 * SAMPLE_RATE], playing(talk.path)

    first, second = (hear(pcm, engines, SETTINGS) for _ in range(2))

    assert first.arrivals == second.arrivals
    assert first.turns == second.turns
    assert corrected_words(first.arrivals)


def test_a_blink_of_audio_is_heard_as_nothing(speech: Path) -> None:
    settings = replace(SETTINGS, diarization=False)

    heard = hear(np.zeros(100, np.float32), playing(speech / "items" / "jfk.flac"), settings)

    assert heard.arrivals == ()
    assert heard.turns == ()


def test_a_recording_of_unknown_words_is_refused(talk: Recording) -> None:
    unknown = Recording("r", talk.path, b"", None, None)

    with pytest.raises(LoadtestError, match=r"r: a \.words\.json expected"):
        measure_accuracy(unknown, playing(talk.path), SETTINGS, whole_file=None)
