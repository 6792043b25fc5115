"""Pace: how much of an update is applied at once, and when it is broken off."""

from server.pacing import LARGEST, MOST_S, SHORT, SLICE_S, STRUCT_S, Pace


def test_slices_grow_while_they_are_quick() -> None:
    pace = Pace(10_000)
    sizes = []
    for _ in range(8):
        sizes.append(pace.slice)
        pace.spend(SLICE_S / 10)

    assert sizes[:3] == [SHORT, 2 * SHORT, 4 * SHORT]
    assert sizes[-1] == LARGEST


def test_slices_shrink_when_they_are_slow() -> None:
    pace = Pace(10_000)
    for _ in range(10):
        pace.spend(2 * SLICE_S)

    assert pace.slice == 1


def test_an_update_may_take_longer_the_more_it_has() -> None:
    small, large = Pace(10), Pace(10_000)
    for pace in (small, large):
        pace.spend(MOST_S + 1_000 * STRUCT_S)

    assert small.exhausted
    assert not large.exhausted
