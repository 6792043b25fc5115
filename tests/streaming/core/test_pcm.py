"""Tests of `streaming.core.pcm`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.core.domain import Pcm, Samples, Span
from streaming.core.pcm import AudioBuffer
from tests.streaming.core.hearing import numbered

START = Samples(1_000)
steps = st.lists(st.tuples(st.sampled_from(("append", "forget")), st.integers(0, 90_000)))


def filled(length: int) -> AudioBuffer:
    buffer = AudioBuffer(START)
    buffer.append(numbered(Span(START, Samples(START + length))))
    return buffer


def read(buffer: AudioBuffer, start: int, end: int) -> list[float]:
    found: Pcm = buffer.read(Span(Samples(start), Samples(end)))
    return [float(sample) for sample in found]


@given(steps)
def test_what_is_held_is_what_came_and_was_not_forgotten(steps: list[tuple[str, int]]) -> None:
    buffer = AudioBuffer(START)
    start = end = int(START)
    for step, number in steps:
        if step == "append":
            buffer.append(numbered(Span(Samples(end), Samples(end + number))))
            end += number
        else:
            place = start + number
            buffer.forget(Samples(place))
            start = min(place, end)

        assert (buffer.start, buffer.end) == (start, end)
        held = numbered(Span(Samples(start), Samples(end)))
        assert np.array_equal(buffer.read(Span(Samples(start), Samples(end))), held)


def test_what_is_not_held_reads_as_silence() -> None:
    buffer = filled(4)
    buffer.forget(Samples(1_001))

    assert read(buffer, 999, 1_006) == [0, 0, 1_002, 1_003, 1_004, 0, 0]
    assert read(buffer, 0, 3) == [0, 0, 0]
    assert read(buffer, 1_004, 1_006) == [0, 0]


def test_forgetting_again_or_beyond_the_end_is_harmless() -> None:
    buffer = filled(4)

    buffer.forget(Samples(1_002))
    buffer.forget(Samples(1_001))
    assert buffer.start == 1_002
    buffer.forget(Samples(5_000))

    assert (buffer.start, buffer.end) == (1_004, 1_004)


def test_audio_is_copied_in_and_out() -> None:
    mine = np.ones(3, dtype=np.float32)
    buffer = AudioBuffer(START)

    buffer.append(mine)
    mine[:] = 2
    window = buffer.read(Span(START, Samples(START + 3)))
    window[:] = 3

    assert read(buffer, START, START + 3) == [1, 1, 1]


@pytest.mark.parametrize("piece", [160, 7_777])
def test_an_hour_of_audio_takes_no_more_memory_than_what_is_kept_of_it(piece: int) -> None:
    buffer = AudioBuffer(Samples(0))
    kept = 20_000
    silence = np.zeros(piece, dtype=np.float32)

    for _ in range(3_600_000 // piece):
        buffer.append(silence)
        buffer.forget(Samples(buffer.end - kept))

    assert len(buffer._store) <= max(1 << 15, 2 * (kept + piece))


def test_a_store_that_a_burst_made_large_shrinks_again() -> None:
    buffer = filled(400_000)
    buffer.forget(buffer.end)
    silence = np.zeros(4_000, dtype=np.float32)

    for _ in range(200):
        buffer.append(silence)
        buffer.forget(buffer.end)

    assert len(buffer._store) == 1 << 15
