"""Tests of `loadtest.distribution`."""

import pytest

from loadtest.distribution import Distribution


def test_values_are_summed_up_in_any_order() -> None:
    spread = Distribution.of([3.0, 1.0, 2.0, 4.0, 10.0])

    assert spread is not None
    assert (spread.count, spread.mean, spread.median, spread.maximum) == (5, 4.0, 3.0, 10.0)
    assert spread.p90 == pytest.approx(7.6)
    assert spread.twentieths[::5] == (1.0, 2.0, 3.0, 4.0, 10.0)
    assert spread.twentieths[18] == pytest.approx(7.6)


def test_one_value_is_all_of_them() -> None:
    assert Distribution.of([2.5]) == Distribution(1, 2.5, 2.5, 2.5, 2.5, (2.5,) * 21)


def test_no_values_have_no_distribution() -> None:
    assert Distribution.of([]) is None
