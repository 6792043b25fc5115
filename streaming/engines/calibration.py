"""How many windows a recognizer takes at once on this machine, found out by trying.

How many windows fit onto a GPU, and how many are worth it there or on a processor, nobody knows
before. So a recognizer hears a sentence (John F. Kennedy's inaugural address, public domain) as a
live session does: it goes on by half a second, by itself and together with its kin in twos, fours
and so on. On a GPU as many threads call it as do more work than fewer; on a processor one for each
core, whoever has the cores just now. It takes a second or two, in which the model gets warm for the
first session as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from streaming.core.domain import Pcm, Samples, from_ms
from streaming.core.ports import Effort, RecognitionWindow, SharedRecognizer
from streaming.engines.decoding import LONGEST_WINDOW

SPEECH = Path(__file__).with_suffix(".ogg")
"""8 s of English at 16 kHz."""

LONGER = from_ms(500)
"""How much a live window grows."""

WORTH = 1.1
"""How many times as much work so many more at once have to do: they wait for each other."""

TRIES = 2
"""How often each number is tried: another program may have had the core."""

ENOUGH_S = 3.0
"""After so long no more windows are tried together, nor threads: a large model."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a recognizer does on this machine.

    Attributes:
        workers: Calls that are best made at once.
        batch: Windows of one kin that are best recognised in one call.
        step_s: How long it takes to hear half a second more of one window of 8 s.
        at_once: How many times as much it does with that many calls of so many, as with one of one.
    """

    workers: int
    batch: int
    step_s: float
    at_once: float


def pace(
    recognizer: SharedRecognizer, *, workers: int, batch: int, language: str, on_cpu: bool
) -> Pace:
    """Find out how many windows are best recognised at once.

    Args:
        recognizer: Loaded, and used by nobody else now.
        workers: Calls that it takes at once, at most.
        batch: Windows of one kin that a call may be given, at most.
        language: One that it knows.
        on_cpu: Whether it computes on the processor: then all of `workers` call it.

    Raises:
        Exception: What the recognizer raises over one window.
    """
    window = _grown(recognizer, language)

    def rate(windows: int, threads: int) -> float:
        return windows * threads / _seconds(recognizer, [window] * windows, threads)

    alone = rate(1, 1)
    together = 1 if recognizer.kin(window) is None else _most(lambda n: rate(n, 1), alone, batch)
    if not on_cpu:  # Its memory is to hold as many of the longest windows.
        together = max(1, together * len(window.pcm) // LONGEST_WINDOW)
    one = alone if together == 1 else rate(together, 1)
    threads = workers if on_cpu else _most(lambda n: rate(together, n), one, workers)
    most = one if threads == 1 else rate(together, threads)
    return Pace(threads, together, 1 / alone, most / alone)


def _grown(recognizer: SharedRecognizer, language: str) -> RecognitionWindow:
    """Return a window as it comes after one that was half a second shorter."""
    pcm = _speech()
    window = RecognitionWindow(Samples(0), pcm[:-LONGER], Effort.LIVE, language)
    (heard,) = recognizer.recognize([window])
    expected = "".join(word.text for word in heard.words)
    return replace(window, pcm=pcm, expected=expected, kept=heard.kept)


def _most(rate: Callable[[int], float], one: float, limit: int) -> int:
    """Return how many at once are worth it.

    Args:
        rate: What so many at once do in a second. `MemoryError` or `RuntimeError`: they are too
            many, as CTranslate2 says where a GPU is full.
        one: What one does.
        limit: Not to be exceeded.
    """
    give_up_s = time.perf_counter() + ENOUGH_S
    most, best = 1, one
    for count in _twice_as_many(limit):
        if time.perf_counter() > give_up_s:
            break
        try:
            found = rate(count)
        except (MemoryError, RuntimeError):
            break
        if found < best * WORTH:
            break
        most, best = count, found
    return most


def _twice_as_many(limit: int) -> Iterator[int]:
    """Yield 2, 4, 8 and so on, and at last the limit."""
    count = 2
    while count < limit:
        yield count
        count *= 2
    if limit > 1:
        yield limit


def _seconds(recognizer: SharedRecognizer, windows: list[RecognitionWindow], threads: int) -> float:
    """Return how long it takes to recognise windows in each of some threads: the best of tries."""
    took_s: list[float] = []
    with ThreadPoolExecutor(threads) as executor:
        for _ in range(TRIES):
            began_s = time.perf_counter()
            list(executor.map(recognizer.recognize, [windows] * threads))
            took_s.append(time.perf_counter() - began_s)
    return max(min(took_s), 1e-6)


def _speech() -> Pcm:
    import soundfile  # with a library of its own, which only this needs

    pcm, _ = soundfile.read(SPEECH, dtype="float32")
    return np.asarray(pcm, dtype=np.float32)
