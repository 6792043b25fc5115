"""Tests of `server.registers`, and that the client reads the same in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import registers
from trax_client import document

NAMES = st.sampled_from(["s1", "s2", "s3", "s10", "é", "😀", "\uffee"])


@pytest.mark.parametrize(
    ("same", "merged"),
    [
        ({"s1": "s2", "s2": "s3"}, {"s1": "s3", "s2": "s3"}),
        ({"s2": "s1", "s1": "s2"}, {"s2": "s1"}),
        ({"s3": "s2", "s2": "s1", "s1": "s2"}, {"s3": "s1", "s2": "s1"}),
        ({"s1": "s1"}, {}),
        ({"s1": 5, "s2": None}, {}),
    ],
)
def test_speakers_are_followed_to_whom_they_are_in_the_end(
    same: dict[str, object], merged: dict[str, str]
) -> None:
    assert registers.merged({each: {"same": other} for each, other in same.items()}) == merged


@pytest.mark.slow
@given(st.dictionaries(NAMES, NAMES))
def test_everybody_sees_the_same_speakers(same: dict[str, str]) -> None:
    values: dict[str, object] = {each: {"same": other} for each, other in same.items()}
    merged = registers.merged(values)

    assert merged == document.merged(values)
    assert not merged.keys() & set(merged.values())
    assert merged.keys() <= same.keys()


def test_a_chain_of_any_length_is_followed() -> None:
    values: dict[str, object] = {str(n): {"same": str(n + 1)} for n in range(20_000)}

    assert set(registers.merged(values).values()) == {"20000"}
