"""Tests of `streaming.engines.local_speakers`, with models that read a code from the audio."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.core.domain import SAMPLE_RATE, Pcm, Samples, Span
from streaming.engines.local_speakers import (
    DIMENSIONS,
    LONG,
    SHORT,
    STRETCH,
    LocalSpeakerModels,
    LocalSpeakers,
    clean,
    stretches,
)
from streaming.engines.segmentation import POWERSET
from tests.streaming.engines.tones import CodedSegmentation, TonalEmbedding, said


def heard(pcm: Pcm) -> LocalSpeakers:
    """Return what is heard in all of a recording."""
    models = LocalSpeakerModels(CodedSegmentation(), TonalEmbedding())
    samples = Samples(len(pcm))
    return LocalSpeakers.joined(
        [models.hear(pcm[s.start : s.end], s, samples) for s in stretches(samples)]
    )


@settings(max_examples=30)
@given(samples=st.integers(1, 60 * SAMPLE_RATE))
def test_stretches_cover_a_recording(samples: int) -> None:
    spans = stretches(Samples(samples))
    assert spans[0].start == 0
    assert spans[-1].end == samples
    assert all(after.start == before.start + STRETCH for before, after in itertools.pairwise(spans))
    assert all(after.start <= before.end for before, after in itertools.pairwise(spans))


def test_no_audio_has_no_stretch() -> None:
    assert stretches(Samples(0)) == []


@pytest.mark.parametrize("seconds", [0.05, 1.0, 5.0, 7.3, 10.0, 23.0])
def test_windows_reach_the_end_and_are_each_heard_once(seconds: float) -> None:
    samples = round(seconds * SAMPLE_RATE)
    found = heard(np.zeros(samples, dtype=np.float32))
    assert len(found.short) == SHORT.count(samples)
    assert len(found.long) == LONG.count(samples)
    for windows, classes in ((SHORT, found.short), (LONG, found.long)):
        last = (len(classes) - 1) * windows.step
        assert last < samples <= last + windows.length + windows.step


def test_frames_of_all_windows_fall_on_each_other() -> None:
    found = heard(said((6.0, 0, ()), (4.0, 1, (0,)), (9.0, 0, ())))
    starts = {
        number * SHORT.hop + int(np.flatnonzero(window)[0])
        for number, window in enumerate(found.short)
        if window.any() and window[0] == 0
    }
    starts |= {
        number * LONG.hop + int(np.flatnonzero(window)[0])
        for number, window in enumerate(found.long)
        if window.any() and window[0] == 0
    }
    assert len(starts) == 1


def test_a_voice_sounds_the_same_in_all_windows_and_like_no_other() -> None:
    found = heard(said((8.0, 1, (0,)), (8.0, 2, (3,))))
    first, second = found.embeddings[:, 0], found.embeddings[:, 1]
    first = first[~np.isnan(first).any(axis=1)].astype(np.float32)
    second = second[~np.isnan(second).any(axis=1)].astype(np.float32)
    assert (first @ first.T).min() > 0.7
    assert (second @ second.T).min() > 0.7
    assert (first @ second.T).max() < 0.5


def test_embeddings_have_length_one_and_only_who_speaks_has_any() -> None:
    found = heard(said((3.0, 1, (0,)), (5.0, 0, ())))
    assert np.isnan(found.embeddings[:, 1:]).all()
    there = ~np.isnan(found.embeddings[:, 0]).any(axis=1)
    lengths = np.linalg.norm(found.embeddings[there, 0].astype(np.float32), axis=1)
    assert lengths == pytest.approx(1.0, abs=1e-2)


def test_silence_runs_no_embedding() -> None:
    embedding = TonalEmbedding()
    models = LocalSpeakerModels(CodedSegmentation(), embedding)
    pcm = np.zeros(SAMPLE_RATE, dtype=np.float32)
    models.hear(pcm, Span(Samples(0), Samples(len(pcm))), Samples(len(pcm)))
    assert embedding.runs == 0


def test_overlapped_frames_count_only_where_nothing_else_is_there() -> None:
    classes = np.array([4] * 20 + [1] * 30)
    weights = clean(POWERSET[classes])
    assert weights[:, 0].tolist() == [0.0] * 20 + [1.0] * 30
    assert weights[:, 1].tolist() == [1.0] * 20 + [0.0] * 30


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), short=st.integers(0, 5), long=st.integers(0, 3))
def test_what_is_kept_comes_back_as_it_was(seed: int, short: int, long: int) -> None:
    random = np.random.default_rng(seed)
    embeddings = random.normal(size=(short, 3, DIMENSIONS)).astype(np.float16)
    embeddings[random.random((short, 3)) < 0.5] = np.nan
    before = LocalSpeakers(
        random.integers(0, 7, (short, SHORT.frames)).astype(np.uint8),
        embeddings,
        random.integers(0, 7, (long, LONG.frames)).astype(np.uint8),
    )
    after = LocalSpeakers.decode(before.encode())
    np.testing.assert_array_equal(after.short, before.short)
    np.testing.assert_array_equal(after.long, before.long)
    np.testing.assert_array_equal(after.embeddings, before.embeddings)


@pytest.mark.parametrize("content", [b"", b"1234567", b"\1\0\0\0\0\0\0\0abc"])
def test_something_else_is_not_read(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"buffer|reshape"):
        LocalSpeakers.decode(content)
