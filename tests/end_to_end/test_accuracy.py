"""The real models on the conversations of `tests/data`, within generous bounds.

The numbers themselves come from `python -m loadtest accuracy`, which computes the same. What
stands here catches what breaks, not what drifts.
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import reduce
from operator import add

import numpy as np
import pytest

from loadtest.accuracy import AccuracyReport, SpeakerReport, fewer_errors, measure_accuracy
from loadtest.recordings import conversations, read_recording
from loadtest.rules import settings_for
from loadtest.scoring import WordErrors
from loadtest.whole_file import WholeFileRecognizer
from server.app import engine_config
from server.messages import Start
from server.options import read_settings
from streaming.core.domain import SAMPLE_RATE, Samples
from streaming.core.ports import Effort, RecognitionWindow
from streaming.engines.loading import load

pytestmark = pytest.mark.models

MOST_LIVE = {"pub-2spk-clean": 0.16, "pub-3spk-ov08": 0.27, "pub-4spk-ov06-snr20": 0.24}
"""Word error rate of the live finals, about five points above what was measured."""

TALKS = tuple(MOST_LIVE)


@pytest.fixture(scope="module")
def hearings() -> Iterator[Mapping[str, Future[AccuracyReport]]]:
    """Hear all conversations, two at once: the engines let go of the interpreter's lock."""
    server = read_settings({}, os.environ)
    config = engine_config(server)
    engines = load(config)
    settings = settings_for(Start(language="en"), server, engines.languages)
    whole_file = WholeFileRecognizer(config)

    def measure(name: str) -> AccuracyReport:
        path = next(path for path in conversations() if path.stem == name)
        return measure_accuracy(read_recording(path), engines, settings, whole_file)

    threads = ThreadPoolExecutor(2)
    yield {name: threads.submit(measure, name) for name in TALKS}
    threads.shutdown(cancel_futures=True)


@pytest.fixture(scope="module", params=TALKS)
def report(
    request: pytest.FixtureRequest, hearings: Mapping[str, Future[AccuracyReport]]
) -> AccuracyReport:
    """What came of one conversation, as soon as it is there."""
    return hearings[request.param].result()


def test_a_server_that_was_told_nothing_hears_only_what_is_new() -> None:
    recognizer = load(engine_config(read_settings({}, os.environ))).recognizer
    pcm = np.zeros(SAMPLE_RATE, np.float32)

    (heard,) = recognizer.recognize([RecognitionWindow(Samples(0), pcm, Effort.LIVE, "en")])

    assert heard.kept is not None


def test_live_finals_are_mostly_right(report: AccuracyReport) -> None:
    assert report.live.rate <= MOST_LIVE[report.name]


def test_the_utterance_pass_is_nearly_as_good_as_hearing_the_whole_file(
    report: AccuracyReport,
) -> None:
    whole_file = report.whole_file

    assert whole_file is not None
    assert report.corrected.rate <= whole_file.errors.rate + 0.04


def test_the_utterance_pass_removes_errors(
    hearings: Mapping[str, Future[AccuracyReport]],
) -> None:
    """Of all talks together: in a clean one there may be nothing that these weights can mend."""
    reports = [hearing.result() for hearing in hearings.values()]
    nothing = WordErrors()
    live = reduce(add, (report.live for report in reports), nothing)
    corrected = reduce(add, (report.corrected for report in reports), nothing)

    assert fewer_errors(live, corrected) >= 0.12
    assert all(report.fewer_errors >= -0.1 for report in reports)


def test_finals_come_in_order_and_are_never_said_twice(report: AccuracyReport) -> None:
    assert report.disordered_finals == 0


def test_words_are_final_soon(report: AccuracyReport) -> None:
    latency = report.final_latency_s

    assert latency is not None
    assert latency.median <= 1.5
    # The default `max_delay_ms`, a step, and what a recognizer gets wrong about the end of a word.
    assert latency.maximum <= 4 + 0.5 + 1


def test_words_have_the_times_at_which_they_were_said(report: AccuracyReport) -> None:
    times = report.times

    assert times is not None
    assert times.start_s.median < 0.3
    assert times.end_s.median < 0.3


def test_speakers_are_told_apart(report: AccuracyReport) -> None:
    speakers = report.speakers

    assert isinstance(speakers, SpeakerReport)
    assert abs(speakers.voices - speakers.people) <= 1
    assert speakers.words.rate <= 0.15
    assert speakers.turns is not None
    assert speakers.turns.rate <= 0.2
    assert speakers.turns.core_rate <= 0.15
