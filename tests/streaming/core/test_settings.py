"""Tests of `streaming.core.settings`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streaming.core.domain import Samples, from_ms
from streaming.core.settings import DIARIZATION_WINDOW, SessionSettings
from tests.streaming.core.scripts import SETTINGS

LEAST = SETTINGS.endpoints.longest + 2 * DIARIZATION_WINDOW


def test_a_capacity_is_refused_in_which_the_longest_utterance_could_not_end() -> None:
    with pytest.raises(ValueError, match=f"at least {LEAST} samples expected, got {LEAST - 1}"):
        replace(SETTINGS, capacity=Samples(LEAST - 1))


def test_the_least_capacity_is_enough() -> None:
    assert replace(SETTINGS, capacity=Samples(LEAST)).capacity == LEAST


def test_the_defaults_fit_together() -> None:
    chosen = SessionSettings()

    assert 0 < chosen.lookahead <= chosen.max_delay
    assert chosen.endpoints.long <= chosen.endpoints.longest
    assert chosen.live.context < chosen.live.longest_window
    assert chosen.live.closing_silence < chosen.endpoints.pause
    assert 0 < chosen.endpoints.go_on <= chosen.endpoints.begin <= 1


def test_diarization_windows_are_further_apart_where_labels_may_wait() -> None:
    hasty = replace(SETTINGS, diarization_latency=from_ms(1_999))
    patient = replace(SETTINGS, diarization_latency=from_ms(2_000))

    assert (hasty.diarization_step, patient.diarization_step) == (from_ms(500), from_ms(1_000))
