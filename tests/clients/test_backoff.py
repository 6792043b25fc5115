"""Waits grow, are bounded, and differ from client to client."""

from itertools import islice

import pytest

from trax_client import Reconnect


def test_waits_grow_to_their_longest_and_are_scattered_below() -> None:
    policy = Reconnect(first_s=1, longest_s=8)
    ceilings = [1, 2, 4, 8, 8, 8]
    runs = [list(islice(policy.delays_s(), len(ceilings))) for _ in range(200)]
    for ceiling, waits in zip(ceilings, zip(*runs, strict=True), strict=True):
        assert 0 <= min(waits) < ceiling / 4
        assert ceiling * 3 / 4 < max(waits) <= ceiling


@pytest.mark.parametrize(
    "make",
    [
        lambda: Reconnect(first_s=0),
        lambda: Reconnect(first_s=2, longest_s=1),
        lambda: Reconnect(give_up_s=-1),
        lambda: Reconnect(handshake_s=0),
    ],
)
def test_waits_that_make_no_sense_are_refused(make: type[Reconnect]) -> None:
    with pytest.raises(ValueError, match="expected"):
        make()
