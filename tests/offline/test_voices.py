"""Voices of a hearing become speakers of the transcript: examples, and laws over all there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.domain import SpeakerId
from offline.results import HeardVoice
from offline.voices import LEAST_SHARE, SAME, identify, likeness

ONE, TWO, THREE = SpeakerId("s1"), SpeakerId("s2"), SpeakerId("s3")


def sounding(*parts: float) -> bytes:
    """Return a print of length 1 in a direction."""
    row = np.zeros(8)
    row[: len(parts)] = parts
    return (row / np.linalg.norm(row)).astype("<f4").tobytes()


A, B, C = sounding(1), sounding(0, 1), sounding(0, 0, 1)


def voice(speech_ms: int, sounds: bytes = b"") -> HeardVoice:
    return HeardVoice(sounds, speech_ms)


def test_voices_are_whom_they_agree_with_in_time() -> None:
    agreed = {(0, TWO): 8_000, (0, ONE): 1_000, (1, ONE): 6_000}
    assert identify([voice(10_000), voice(7_000)], agreed, {}) == {0: TWO, 1: ONE}


def test_all_pairs_together_agree_most() -> None:
    # The best single pair, voice 0 with s1, would leave voice 1 with nobody.
    agreed = {(0, ONE): 6_000, (0, TWO): 5_000, (1, ONE): 5_500}
    assert identify([voice(11_000), voice(6_000)], agreed, {}) == {0: TWO, 1: ONE}


def test_a_voice_that_hardly_agrees_is_new() -> None:
    agreed = {(0, ONE): 900, (1, ONE): 0}
    assert identify([voice(10_000), voice(5_000)], agreed, {}) == {}


def test_a_voice_is_known_by_its_print_from_another_microphone() -> None:
    known = {ONE: [A], TWO: [C, B]}
    assert identify([voice(5_000, B), voice(5_000, A)], {}, known) == {0: TWO, 1: ONE}


def test_a_print_contradicts_a_time_that_agrees_by_chance() -> None:
    agreed = {(0, ONE): 3_000}
    assert identify([voice(10_000, B)], agreed, {ONE: [A]}) == {}
    assert identify([voice(10_000)], agreed, {ONE: [A]}) == {0: ONE}


def test_time_stands_above_a_print_where_most_of_it_agrees() -> None:
    assert identify([voice(10_000, B)], {(0, ONE): 9_000}, {ONE: [A]}) == {0: ONE}


def test_a_print_decides_between_speakers_who_agree_about_as_well() -> None:
    agreed = {(0, ONE): 4_500, (0, TWO): 4_000}
    assert identify([voice(9_000, B)], agreed, {ONE: [A], TWO: [B]}) == {0: TWO}


def test_two_voices_are_one_speaker_only_if_they_sound_the_same() -> None:
    agreed = {(0, ONE): 5_000, (1, ONE): 3_000}
    apart = [voice(5_000, A), voice(3_000, B)]
    assert identify(apart, agreed, {}) == {0: ONE}
    split = [voice(5_000, A), voice(3_000, sounding(1, 0.2))]
    assert identify(split, agreed, {}) == {0: ONE, 1: ONE}


def test_nobody_is_matched_with_nothing() -> None:
    assert identify([], {}, {ONE: [A]}) == {}
    assert identify([voice(1_000)], {}, {}) == {}


def test_prints_of_different_models_are_not_compared() -> None:
    assert likeness(A, A[:16]) is None
    assert likeness(b"", b"") is None
    assert likeness(A, sounding(1, 1)) == pytest.approx(0.7071, abs=1e-3)


@st.composite
def hearings(
    draw: st.DrawFn,
) -> tuple[list[HeardVoice], dict[tuple[int, SpeakerId], int], dict[SpeakerId, list[bytes]]]:
    """Draw voices, how they agree with speakers, and what those sound like."""
    prints = st.sampled_from([b"", A, B, C, sounding(1, 1), sounding(1, 1, 1)])
    count = draw(st.integers(0, 5))
    voices = [voice(draw(st.integers(1, 20_000)), draw(prints)) for _ in range(count)]
    agreed = {}
    for number in range(count):
        left = voices[number].speech_ms
        for who in draw(st.lists(st.sampled_from([ONE, TWO, THREE]), unique=True)):
            agreed[number, who] = draw(st.integers(0, left))
            left -= agreed[number, who]
    known = {
        who: draw(st.lists(prints.filter(bool), max_size=2))
        for who in draw(st.lists(st.sampled_from([ONE, TWO, THREE]), unique=True))
    }
    return voices, agreed, known


@pytest.mark.slow
@given(hearings())
def test_who_shares_a_speaker_sounds_the_same(
    made: tuple[list[HeardVoice], dict[tuple[int, SpeakerId], int], dict[SpeakerId, list[bytes]]],
) -> None:
    voices, agreed, known = made
    found = identify(voices, agreed, known)
    for (one, who), (other, whose) in itertools.combinations(found.items(), 2):
        if who == whose:
            alike = [
                likeness(voices[number].print, voices[third].print) or 0.0
                for number, third in itertools.permutations(
                    [n for n, speaker in found.items() if speaker == who], 2
                )
                if number in (one, other)
            ]
            assert max(alike) >= SAME


@pytest.mark.slow
@given(hearings())
def test_nobody_is_somebody_without_evidence(
    made: tuple[list[HeardVoice], dict[tuple[int, SpeakerId], int], dict[SpeakerId, list[bytes]]],
) -> None:
    voices, agreed, known = made
    silent = [voice(each.speech_ms) for each in voices]
    for number, who in identify(silent, agreed, known).items():
        assert agreed[number, who] >= LEAST_SHARE * voices[number].speech_ms


@pytest.mark.slow
@given(hearings())
def test_no_other_pairing_agrees_longer(
    made: tuple[list[HeardVoice], dict[tuple[int, SpeakerId], int], dict[SpeakerId, list[bytes]]],
) -> None:
    voices, agreed, _ = made
    silent = [voice(each.speech_ms) for each in voices]
    enough = {
        pair: length
        for pair, length in agreed.items()
        if length >= LEAST_SHARE * voices[pair[0]].speech_ms
    }
    mine = sum(agreed[pair] for pair in identify(silent, agreed, {}).items())
    for order in itertools.permutations(
        [ONE, TWO, THREE, None, None, None, None, None], len(voices)
    ):
        assert mine >= sum(
            enough.get((number, who), 0) for number, who in enumerate(order) if who is not None
        )
