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
"""How many times as much work twice as many threads have to do: they only wait for a core, and
another program may have had that just now."""

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


def pace(recognizer: SharedRecognizer, *, workers: int, batch: int, language: str) -> Pace:
    """Find out how many windows are best recognised at once.

    Args:
        recognizer: Loaded, and used by nobody else now.
        workers: Calls that it takes at once, at most.
        batch: Windows of one kin that a call may be given, at most.
        language: One that it knows.

    Raises:
        Exception: What the recognizer raises over one window.
    """
    give_up_s = time.perf_counter() + ENOUGH_S
    window = _grown(recognizer, language)
    step_s = _seconds(lambda: recognizer.recognize([window]))
    alone = recognizer.kin(window) is None
    together, _ = _most(
        lambda count: _rate(recognizer, [window] * count, 1),
        1 if alone else batch,
        WORTH,
        give_up_s,
    )
    windows = [window] * together
    threads, at_once = _most(
        lambda count: _rate(recognizer, windows, count), workers, NO_LOSS, give_up_s
    )
    return Pace(threads, together, step_s, at_once)


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


def _rate(recognizer: SharedRecognizer, windows: list[RecognitionWindow], threads: int) -> float:
    """Return how many windows are recognised in a second, so many in each thread at once."""
    with ThreadPoolExecutor(threads) as executor:

        def work() -> None:
            list(executor.map(recognizer.recognize, [windows] * threads))

        return threads * len(windows) / _seconds(work)


def _seconds(work: Callable[[], object]) -> float:
    """Return how long work takes when nothing else gets in between: the best of a few tries."""
    took_s: list[float] = []
    for _ in range(TRIES):
        began_s = time.perf_counter()
        work()
        took_s.append(time.perf_counter() - began_s)
    return max(min(took_s), 1e-6)


@cache
def _speech() -> Pcm:
    import soundfile  # with a library of its own, which only this needs

    pcm, _ = soundfile.read(SPEECH, dtype="float32")
    return np.asarray(pcm, dtype=np.float32)
