"""Tests of `streaming.engines.going_on`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from streaming.engines.going_on import HEARD_WELL, Cells, Embedded

LENGTH, LATER = 500, 100


def window(*speakers: tuple[int, int]) -> Cells:
    """Return a window in which each local speaker is active from one cell to another."""
    active = np.zeros((LENGTH, 3), dtype=np.bool_)
    for number, (first, end) in enumerate(speakers):
        active[first:end, number] = True
    return active


def going_on(
    before: Cells, voices: Mapping[int, int], active: Cells, later: int = LATER
) -> Mapping[int, int] | None:
    return Embedded(before, voices).going_on(active, later)


def test_who_goes_on_keeps_the_voice_whatever_the_number() -> None:
    before = window((100, 300), (300, 500))

    assert going_on(before, {0: 7, 1: 4}, window((200, 450), (0, 200))) == {0: 4, 1: 7}


def test_who_was_hardly_heard_is_embedded_again_once_heard_longer() -> None:
    voices, said = {0: 7}, HEARD_WELL - 10
    before = window((LENGTH - said, LENGTH))
    start = LENGTH - said - LATER

    assert going_on(before, voices, window((start, LENGTH - LATER + 10))) == voices
    assert going_on(before, voices, window((start, LENGTH))) is None


def test_who_was_heard_well_is_not_embedded_again() -> None:
    before = window((LENGTH - HEARD_WELL, LENGTH))

    assert going_on(before, {0: 7}, window((LENGTH - HEARD_WELL - LATER, LENGTH))) == {0: 7}


@pytest.mark.parametrize(
    ("active", "later"),
    [
        pytest.param(window((450, 500)), LATER, id="somebody new"),
        pytest.param(window((0, 200), (450, 500)), LATER, id="somebody new beside one who goes on"),
        pytest.param(window((0, 90)), LATER, id="another stretch"),
        pytest.param(window((0, 0), (200, 400)), LATER, id="somebody who had no voice"),
        pytest.param(window((0, 200), (0, 200)), LATER, id="one who became two"),
        pytest.param(window((0, 200)), LENGTH, id="a window that shares no audio"),
    ],
)
def test_everybody_else_is_embedded(active: Cells, later: int) -> None:
    before = window((100, 300), (300, 500))

    assert going_on(before, {0: 7}, active, later) is None


def test_nobody_goes_on_where_nobody_speaks() -> None:
    assert going_on(window((0, 500)), {0: 7}, window()) == {}
