"""How many windows a recognizer takes at once on this machine, found out by trying.

Cores that belong to two threads of one core, or that share their way to the memory, do not do twice
the work; and how many windows fit onto a GPU, nobody knows before. So a recognizer hears a sentence
(John F. Kennedy's inaugural address, public domain) as a live session does: it goes on by half a
second, in one thread, in two, in four; together with its kin in twos, fours and so on. It takes a
second or two, in which the model gets warm for the first session as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from streaming.core.domain import Pcm, Samples, from_ms
from streaming.core.ports import Effort, RecognitionWindow, SharedRecognizer

SPEECH = Path(__file__).with_suffix(".ogg")
"""8 s of English at 16 kHz."""

LONGER = from_ms(500)
"""How much a live window grows."""

WORTH = 1.1
"""How many times as much work so many more in one call have to do: they wait for each other."""

NO_LOSS = 0.9
"""How many times as much work so many more threads have to do: more of them do no harm."""

TRIES = 2
"""How often each number is tried: another program may have had the core."""

ENOUGH_S = 3.0
"""After so long, what was found has to do: a large model on a small machine."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a recognizer does on this machine.

    Attributes:
        workers: Calls that are best made at once.
        batch: Windows of one kin that are best recognised in one call.
        step_s: How long it takes to hear half a second more of one window of 8 s.
        at_once: How many times as much it does with that many calls, as with one.
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
        on_cpu: Whether it computes on the processor. Then its time there counts: that another
            program has the cores just now says nothing about the time to come.

    Raises:
        Exception: What the recognizer raises over one window.
    """
    give_up_s = time.perf_counter() + ENOUGH_S
    window = _grown(recognizer, language)

    def rate(windows: int, threads: int) -> float:
        took_s = _seconds(recognizer, [window] * windows, threads, on_cpu=on_cpu)
        return windows * threads / took_s

    alone = recognizer.kin(window) is None
    together, _ = _most(lambda count: rate(count, 1), 1 if alone else batch, WORTH, give_up_s)
    threads, at_once = _most(lambda count: rate(together, count), workers, NO_LOSS, give_up_s)
    return Pace(threads, together, 1 / rate(1, 1), at_once)


def _grown(recognizer: SharedRecognizer, language: str) -> RecognitionWindow:
    """Return a window as it comes after one that was half a second shorter."""
    pcm = _speech()
    window = RecognitionWindow(Samples(0), pcm[:-LONGER], Effort.LIVE, language)
    (heard,) = recognizer.recognize([window])
    expected = "".join(word.text for word in heard.words)
    return replace(window, pcm=pcm, expected=expected, kept=heard.kept)


def _most(
    rate: Callable[[int], float], limit: int, worth: float, give_up_s: float
) -> tuple[int, float]:
    """Return how many at once are worth it, and how many times as much work as one they do.

    Args:
        rate: What so many at once do in a second. `MemoryError` or `RuntimeError`: they are too
            many, as CTranslate2 says where a GPU is full.
        limit: Not to be exceeded.
        worth: How many times as much they have to do as the best so far.
        give_up_s: When to stop trying.
    """
    one = best = last = rate(1)
    most = 1
    for count in _twice_as_many(limit):
        if time.perf_counter() > give_up_s:
            break
        try:
            found = rate(count)
        except (MemoryError, RuntimeError):
            break
        if found < best * worth:
            break
        most, last, best = count, found, max(best, found)
    return most, last / one


def _twice_as_many(limit: int) -> Iterator[int]:
    """Yield 2, 4, 8 and so on, and at last the limit."""
    count = 2
    while count < limit:
        yield count
        count *= 2
    if limit > 1:
        yield limit


def _seconds(
    recognizer: SharedRecognizer, windows: list[RecognitionWindow], threads: int, *, on_cpu: bool
) -> float:
    """Return how long it takes to recognise windows in each of some threads: the best of tries."""
    took_s: list[float] = []
    with ThreadPoolExecutor(threads) as executor:
        for _ in range(TRIES):
            began_s, cpu_began_s = time.perf_counter(), time.process_time()
            list(executor.map(recognizer.recognize, [windows] * threads))
            took_s.append(time.perf_counter() - began_s)
            if on_cpu:
                took_s.append((time.process_time() - cpu_began_s) / threads)
    return max(min(took_s), 1e-6)


@cache
def _speech() -> Pcm:
    import soundfile  # with a library of its own, which only this needs

    pcm, _ = soundfile.read(SPEECH, dtype="float32")
    return np.asarray(pcm, dtype=np.float32)
