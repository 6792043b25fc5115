"""Tests of `streaming.core.domain`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.core.domain import Samples, Span, Speaker, Voice, from_ms, to_ms

points = st.integers(-(10**9), 10**9).map(Samples)
spans = st.lists(points, min_size=2, max_size=2).map(sorted).map(lambda ends: Span(*ends))


@given(st.integers(0, 10**9))
def test_milliseconds_survive_the_session_clock(milliseconds: int) -> None:
    assert to_ms(from_ms(milliseconds)) == milliseconds


def test_a_part_of_a_millisecond_is_rounded_down() -> None:
    assert [to_ms(samples) for samples in (15, 16, 31, 32)] == [0, 1, 1, 2]


def test_a_span_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at or after its start: got 2\.\.1"):
        Span(Samples(2), Samples(1))


def test_a_span_may_be_empty() -> None:
    assert Span(Samples(2), Samples(2)).length == 0


@given(spans, spans)
def test_spans_overlap_by_the_samples_in_both(one: Span, other: Span) -> None:
    shared = min(one.end, other.end) - max(one.start, other.start)

    assert one.overlap(other) == other.overlap(one) == max(0, shared)
    assert one.overlap(one) == one.length


def test_spans_that_touch_do_not_overlap() -> None:
    assert Span(Samples(0), Samples(5)).overlap(Span(Samples(5), Samples(9))) == 0


def voice(*embedding: float) -> Voice:
    return Voice(Speaker("S1"), np.array(embedding, dtype="<f4").tobytes(), 1.0)


def test_the_print_of_a_voice_are_its_numbers() -> None:
    assert voice(0.6, 0.8).embedding.tolist() == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize(
    ("other", "likeness"), [((0, 1), 1.0), ((1, 0), 0.0), ((0, -1), -1.0), ((0.6, 0.8), 0.8)]
)
def test_voices_are_alike_as_their_prints_point_the_same_way(
    other: tuple[float, float], likeness: float
) -> None:
    assert voice(0, 1).likeness(voice(*other)) == pytest.approx(likeness)
