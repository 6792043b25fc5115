"""Client audio to 16 kHz: any cuts give the same bits, and a recording can be continued."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.codes import ErrorCode
from server.errors import PeerMistake
from server.messages import Encoding
from server.resampling import Intake, Pcm16, as_heard, client_samples, next_sample, quantise
from streaming.core.domain import Samples

RATES = (8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 47_999, 48_000)


def noise(rate: int, seconds: int = 4) -> bytes:
    generator = np.random.default_rng(rate)
    return (generator.standard_normal(rate * seconds) * 4000).astype("<i2").tobytes()


def converted(intake: Intake, pcm: bytes, cuts: list[int]) -> Pcm16:
    edges = [0, *sorted(cuts), len(pcm)]
    pieces = [intake.take(pcm[a:b]) for a, b in pairwise(edges)]
    return np.concatenate([*pieces, intake.finish()])


def test_16_khz_in_16_bits_passes_unchanged() -> None:
    pcm = noise(16_000)

    assert converted(Intake(Encoding.PCM_S16LE, 16_000), pcm, []).tobytes() == pcm


def test_every_16_bit_value_survives_the_way_to_the_engines_and_back() -> None:
    every = np.arange(-32_768, 32_768).astype("<i2")

    assert (quantise(as_heard(every)) == every).all()


def test_floats_mean_the_same_as_16_bits_and_are_clipped() -> None:
    floats = np.array([0, 0.5, -1, 1, 2, -3], dtype="<f4")

    result = converted(Intake(Encoding.PCM_F32LE, 16_000), floats.tobytes(), [])

    assert result.tolist() == [0, 16_384, -32_768, 32_767, 32_767, -32_768]


def test_floats_far_beyond_full_scale_are_clipped_before_they_overflow() -> None:
    floats = np.full(48_000, 3e38, dtype="<f4")

    result = converted(Intake(Encoding.PCM_F32LE, 48_000), floats.tobytes(), [])

    assert (result[1_000:-1_000] == 32_767).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused_by_name(bad: float) -> None:
    intake = Intake(Encoding.PCM_F32LE, 16_000)
    intake.take(bytes(40))

    with pytest.raises(PeerMistake) as caught:
        intake.take(np.array([0.1, bad], dtype="<f4").tobytes())

    assert caught.value.code is ErrorCode.MALFORMED
    assert "sample 11" in caught.value.got
    assert intake.received == 10


@pytest.mark.parametrize("rate", RATES)
def test_the_length_is_that_of_the_audio(rate: int) -> None:
    result = converted(Intake(Encoding.PCM_S16LE, rate), noise(rate), [])

    assert abs(len(result) - 4 * 16_000) <= 1


@settings(max_examples=20)
@given(st.sampled_from(RATES), st.lists(st.integers(0, 40_000), max_size=20))
def test_cuts_do_not_change_a_bit(rate: int, cuts: list[int]) -> None:
    pcm = noise(rate)
    whole = converted(Intake(Encoding.PCM_S16LE, rate), pcm, [])

    cut = converted(
        Intake(Encoding.PCM_S16LE, rate), pcm, [2 * c for c in cuts if 2 * c < len(pcm)]
    )

    assert cut.tobytes() == whole.tobytes()


def test_samples_one_by_one_give_the_same_as_all_at_once() -> None:
    pcm = noise(8_000, 1)
    whole = converted(Intake(Encoding.PCM_S16LE, 8_000), pcm, [])

    cut = converted(Intake(Encoding.PCM_S16LE, 8_000), pcm, list(range(2, len(pcm), 2)))

    assert cut.tobytes() == whole.tobytes()


@settings(max_examples=40)
@given(st.sampled_from(RATES), st.integers(0, 4 * 16_000))
def test_a_recording_cut_anywhere_is_continued_as_if_it_had_not_been(rate: int, kept: int) -> None:
    pcm = noise(rate)
    whole = converted(Intake(Encoding.PCM_S16LE, rate), pcm, [])
    kept = min(kept, len(whole))

    again = Intake(Encoding.PCM_S16LE, rate, Samples(kept))
    assert again.received == next_sample(rate, Samples(kept))
    rest = converted(again, pcm[2 * again.received :], [])

    assert len(rest) == len(whole) - kept
    difference = rest.astype(int) - whole[kept:].astype(int)
    assert np.abs(difference).max(initial=0) <= 1
    assert (difference != 0).mean() < 0.01 if len(rest) > 1000 else True


@given(st.sampled_from(RATES), st.integers(0, 10**9), st.integers(0, 10**6))
def test_what_may_be_forgotten_only_grows(rate: int, samples: int, more: int) -> None:
    assert next_sample(rate, Samples(samples)) <= next_sample(rate, Samples(samples + more))


@given(st.sampled_from(RATES), st.integers(0, 10**7))
def test_credit_never_promises_more_than_there_is_room_for(rate: int, room: int) -> None:
    assert client_samples(rate, room) * 16_000 / rate <= room
