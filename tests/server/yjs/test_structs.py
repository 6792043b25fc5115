"""Numbers of structs."""

import pytest

from server.yjs.errors import MalformedYjs
from server.yjs.structs import MAX_CLOCK, Range, covers, read_length
from server.yjs.varints import Reader
from tests.server.yjs.writing import numbers


def test_lengths_end_where_clocks_end() -> None:
    assert read_length(Reader(numbers(MAX_CLOCK))) == MAX_CLOCK

    with pytest.raises(MalformedYjs, match=f"a number of at most {MAX_CLOCK}"):
        read_length(Reader(numbers(MAX_CLOCK + 1)))


def test_ranges_cover_their_start_but_not_their_end() -> None:
    ranges = [Range(2, 4), Range(4, 5), Range(7, 9)]

    assert [clock for clock in range(10) if covers(ranges, clock)] == [2, 3, 4, 7, 8]
    assert not covers([], 0)
