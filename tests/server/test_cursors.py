"""Cursors are found in what editors show, whatever else they show."""

from __future__ import annotations

import json

import pytest

from server.cursors import Cursors
from server.yjs.structs import Id


def place(client: int, clock: int) -> dict[str, object]:
    return {"tname": "text", "item": {"client": client, "clock": clock}, "assoc": 0}


def shown(anchor: object, head: object) -> str:
    return json.dumps({"user": {"name": "Ada"}, "cursor": {"anchor": anchor, "head": head}})


def test_both_ends_of_a_selection_count() -> None:
    cursors = Cursors.of([shown(place(7, 3), place(8, 5)), shown(place(7, 3), place(7, 3))])

    assert cursors == Cursors(frozenset({Id(7, 3), Id(8, 5)}))
    assert cursors
    assert cursors.at(7, range(1, 4))
    assert not cursors.at(7, range(4, 9))
    assert not cursors.at(8, range(1, 4))


def test_a_place_without_a_character_is_the_end_of_its_text() -> None:
    end = {"type": None, "tname": "text", "item": None, "assoc": 0}
    assert Cursors.of([shown(end, end)]) == Cursors(at_end=True)
    assert Cursors.of([shown(end, end)])
    assert not Cursors.of([shown({**end, "tname": "notes"}, None)])


@pytest.mark.parametrize(
    "state",
    [
        "",
        "7",
        "{",
        "null",
        "{}",
        '{"cursor": null}',
        '{"cursor": 7}',
        '{"cursor": {"anchor": 7, "head": {"item": 7}}}',
        '{"cursor": {"anchor": {"item": {"client": "7", "clock": 1}}}}',
        200_000 * "[",
    ],
)
def test_anything_else_is_no_cursor(state: str) -> None:
    assert not Cursors.of([state])
