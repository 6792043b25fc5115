"""Slices: one after the other they do what the whole update does."""

import random
from typing import Any

import pytest
from pycrdt import Doc, Map, Text

from server.yjs.landmarks import Landmarks
from server.yjs.slicing import Slices
from server.yjs.updates import Limits, decode_state_vector, inspect, missing
from tests.server.yjs.writing import deletes, section, skip, text, update

LIMITS = Limits(structs=10_000, clients=100, delete_ranges=10_000)


def sliced(whole: bytes, size: int, known: bytes | None = None) -> list[bytes]:
    """Cut an update into slices, each of which has what it needs once those before are applied."""
    landmarks = Landmarks()
    if known is not None:
        landmarks.add(inspect(known, LIMITS))
    slices = Slices(whole, inspect(whole, LIMITS), landmarks.state)
    found = []
    while (piece := slices.take(size)) is not None:
        inspection = inspect(piece, LIMITS)
        assert missing(inspection, landmarks.state) is None
        assert inspection.structs + sum(map(len, inspection.deleted.values())) <= size
        landmarks.check(inspection)
        landmarks.add(inspection)
        found.append(piece)
    return found


def edited(seed: int) -> Doc[Any]:
    """Return what several wrote who heard of each other now and then."""
    chance = random.Random(seed)
    docs: list[Doc[Any]] = [Doc(client_id=client) for client in (9, 5, 700)]
    for _ in range(100):
        doc = chance.choice(docs)
        words, tags = doc.get("text", type=Text), doc.get("tags", type=Map)
        match chance.randrange(4):
            case 0 | 1:
                words.insert(chance.randint(0, len(words)), "abc")
            case 2 if len(words) > 2:
                at = chance.randrange(len(words) - 1)
                del words[at : at + 2]
            case _:
                tags[chance.choice("ab")] = chance.random()
        if chance.random() < 0.2:
            doc.apply_update(chance.choice(docs).get_update())
    for other in docs:
        docs[0].apply_update(other.get_update())
    return docs[0]


@pytest.mark.parametrize("size", [1, 3, 16, 10_000])
@pytest.mark.parametrize("seed", range(5))
def test_slices_come_to_the_same_as_the_whole(size: int, seed: int) -> None:
    whole = edited(seed).get_update()
    once: Doc[Any] = Doc()
    once.apply_update(whole)
    bit_by_bit: Doc[Any] = Doc()
    for piece in sliced(whole, size):
        bit_by_bit.apply_update(piece)

    reached, whole_state = (decode_state_vector(doc.get_state(), 9) for doc in (bit_by_bit, once))
    assert reached == whole_state
    assert str(bit_by_bit.get("text", type=Text)) == str(once.get("text", type=Text))
    tags, expected = (dict(doc.get("tags", type=Map).items()) for doc in (bit_by_bit, once))
    assert tags == expected


def test_a_slice_has_no_gaps() -> None:
    known = update(section(1, 0, text("abcd")))
    whole = update(section(1, 1, text("b"), skip(2), text("d"), text("e")))

    assert sliced(whole, 9, known) == [
        update(section(1, 1, text("b"))),
        update(section(1, 4, text("d"), text("e"))),
    ]


def test_deletes_come_last_in_slices_too() -> None:
    gone = [deletes(1, (0, 1), (2, 1)), deletes(2, (0, 2))]
    whole = update(section(1, 0, text("abc")), section(2, 0, text("de")), deleted=gone)

    assert sliced(whole, 2)[1:] == [
        update(deleted=[deletes(1, (0, 1), (2, 1))]),
        update(deleted=[deletes(2, (0, 2))]),
    ]


def test_nothing_has_no_slices() -> None:
    assert sliced(update(), 9) == []
