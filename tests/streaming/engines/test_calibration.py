"""Tests of `streaming.engines.calibration`, with recognizers of known speed and with a real one."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Sequence

import pytest

from streaming.core.domain import Permille, Samples, Span, Word
from streaming.core.ports import RecognitionWindow, Transcription
from streaming.engines.calibration import pace
from streaming.engines.whisper import WhisperRecognizer
from tests.streaming.engines.recordings import weights

WINDOW_S = 0.01
WORD = Word(" so", Span(Samples(0), Samples(8_000)), Permille(900))


class Sleeper:
    """A recognizer that takes as long as it was told to."""

    def __init__(self, *, together: int = 1, threads: int = 64, full: int = 1_000) -> None:
        """Begin with nothing heard.

        Args:
            together: Windows that one call recognises in the time of one; 0: none have kin.
            threads: Calls that run at once; more disturb each other.
            full: Windows at once for which there is no memory.
        """
        self.asked: list[Sequence[RecognitionWindow]] = []
        self._together, self._threads, self._full = together, threads, full
        self._running = 0
        self._lock = threading.Lock()

    def kin(self, window: RecognitionWindow) -> Hashable:
        """Return what all windows share, if they have kin."""
        return window.language if self._together else None

    def recognize(self, windows: Sequence[RecognitionWindow]) -> Sequence[Transcription]:
        """Take the time, and hear a word in each."""
        if len(windows) >= self._full:
            raise RuntimeError("CUDA failed with error out of memory")
        with self._lock:
            self.asked.append(windows)
            self._running += 1
            disturbed = self._running > self._threads
        rounds = -(-len(windows) // max(1, self._together))
        time.sleep(rounds * WINDOW_S * (10 if disturbed else 1))
        with self._lock:
            self._running -= 1
        return [Transcription((WORD,), kept="kept")] * len(windows)


def test_so_many_windows_are_recognised_together_as_gain() -> None:
    found = pace(Sleeper(together=4), workers=1, batch=64, language="en", on_cpu=True)

    assert (found.workers, found.batch) == (1, 4)
    assert 2 < found.at_once < 6, "four together"
    assert found.step_s >= WINDOW_S


def test_no_more_windows_are_recognised_together_than_fit_into_the_memory() -> None:
    recognizer = Sleeper(together=64, full=16)

    assert pace(recognizer, workers=1, batch=64, language="en", on_cpu=True).batch == 8
    assert pace(recognizer, workers=1, batch=64, language="en", on_cpu=False).batch == 2, "of 30 s"


def test_windows_without_kin_are_recognised_alone() -> None:
    recognizer = Sleeper(together=0)

    assert pace(recognizer, workers=1, batch=64, language="en", on_cpu=False).batch == 1
    assert {len(windows) for windows in recognizer.asked} == {1}


def test_so_many_threads_recognise_as_do_not_disturb_each_other() -> None:
    found = pace(Sleeper(threads=4), workers=8, batch=1, language="en", on_cpu=False)

    assert found.workers == 4
    assert 2 < found.at_once <= 5


def test_on_a_processor_each_core_has_its_thread_whoever_has_it_just_now() -> None:
    found = pace(Sleeper(threads=1), workers=8, batch=1, language="en", on_cpu=True)

    assert found.workers == 8
    assert found.at_once < 2


def test_a_number_of_threads_is_never_exceeded() -> None:
    assert pace(Sleeper(), workers=3, batch=1, language="en", on_cpu=False).workers == 3


def test_a_window_that_goes_on_is_heard() -> None:
    recognizer = Sleeper()

    pace(recognizer, workers=1, batch=1, language="fr", on_cpu=False)

    (first,), *others = recognizer.asked
    assert (first.kept, first.expected) == (None, "")
    assert {(each.kept, each.expected) for (each,) in others} == {("kept", " so")}
    assert {len(each.pcm) - len(first.pcm) for (each,) in others} == {8_000}
    assert {each.language for (each,) in [(first,), *others]} == {"fr"}


def test_a_slow_machine_is_not_asked_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.engines.calibration.ENOUGH_S", 0.0)
    recognizer = Sleeper(together=8)

    assert pace(recognizer, workers=8, batch=8, language="en", on_cpu=True).workers == 8
    assert {len(windows) for windows in recognizer.asked} == {1}


@pytest.mark.models
def test_a_real_recognizer_hears_the_sentence() -> None:
    recognizer = WhisperRecognizer(weights("whisper-base"), live=True)

    found = pace(recognizer, workers=2, batch=8, language="en", on_cpu=True)

    assert (found.workers, found.batch) == (2, 1)
    assert 0.001 < found.step_s < 5
