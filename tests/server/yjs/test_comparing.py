"""Comparing: two documents under one id are told from one document, however it is cut."""

import pytest

from server.yjs.comparing import contradict
from tests.server.yjs.writing import deletes, gc, item, numbers, section, text, update

WHOLE = update(section(1, 0, text("a😀bcd")))


@pytest.mark.parametrize(
    "same",
    [
        WHOLE,
        update(section(1, 1, text("😀", origin=(1, 0)), text("bcd", origin=(1, 2), right=(2, 0)))),
        update(section(1, 0, text("a", parent=(3, 0)), gc(2), item(1, numbers(1)), text("cd"))),
        update(section(1, 4, text("cdef")), section(2, 0, text("x")), deleted=[deletes(1, (0, 1))]),
        update(section(2, 0, text("other"))),
    ],
)
def test_the_same_text_does_not_contradict(same: bytes) -> None:
    assert not contradict(1, same, WHOLE)
    assert not contradict(1, WHOLE, same)


@pytest.mark.parametrize(
    "other",
    [
        update(section(1, 0, text("b"))),
        update(section(1, 3, text("bxd"))),
        update(section(1, 5, item(4, b"\x01y", parent="tags", key="k"))),
    ],
)
def test_other_text_contradicts(other: bytes) -> None:
    assert contradict(1, other, WHOLE)
    assert contradict(1, WHOLE, other)
