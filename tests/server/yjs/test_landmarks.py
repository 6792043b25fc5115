"""Landmarks: what would break a document is refused, and what would not is not."""

from typing import Any

import pytest
from pycrdt import Doc, Text

from server.yjs.errors import Misplaced
from server.yjs.landmarks import Landmarks
from server.yjs.updates import Limits, inspect
from tests.server.yjs.writing import NULL, deletes, gc, item, numbers, section, skip, text, update

LIMITS = Limits(structs=100, clients=10, delete_ranges=10)

MAP = item(7, numbers(1), parent="comments", key="c")
DEAD = item(1, numbers(2))


def holding(*updates: bytes) -> Landmarks:
    """Return the landmarks of a document to which updates were applied."""
    landmarks = Landmarks()
    for each in updates:
        landmarks.add(inspect(each, LIMITS))
    return landmarks


def check(landmarks: Landmarks, encoded: bytes) -> None:
    landmarks.check(inspect(encoded, LIMITS))


def test_the_state_is_that_of_the_document() -> None:
    landmarks = holding(
        update(section(1, 0, text("abc")), section(2, 0, gc(3))),
        update(section(1, 1, text("bcdef"))),
    )

    assert landmarks.state == {1: 6, 2: 3}


@pytest.mark.parametrize("parent", [MAP, DEAD, gc(2)])
def test_what_is_or_was_a_shared_type_may_be_written_into(parent: bytes) -> None:
    written = section(2, 0, text("x", parent=(1, 0)))

    check(holding(), update(section(1, 0, parent), written))
    check(holding(update(section(1, 0, parent))), update(written))


def test_nothing_is_written_into_text() -> None:
    words = section(1, 0, MAP, text("no"))
    written = section(2, 0, text("x", parent=(1, 1)))

    with pytest.raises(Misplaced, match="tick 1 of client 1: expected a shared type"):
        check(holding(), update(words, written))
    with pytest.raises(Misplaced, match="tick 1 of client 1: expected a shared type"):
        check(holding(update(words)), update(written))


@pytest.mark.parametrize("claimed", [MAP, gc(1)])
def test_a_struct_is_what_the_document_says_and_not_the_update(claimed: bytes) -> None:
    landmarks = holding(update(section(1, 0, text("no"))))
    forged = inspect(update(section(1, 0, claimed)), LIMITS)
    written = update(section(1, 0, claimed), section(2, 0, text("x", parent=(1, 0))))

    with pytest.raises(Misplaced):
        check(landmarks, written)
    landmarks.add(forged)
    with pytest.raises(Misplaced):
        check(landmarks, written)


@pytest.mark.parametrize(
    "cut",
    [
        update(section(2, 0, text("x", origin=(1, 1)))),
        update(section(2, 0, text("x", origin=(1, 1), right=(1, 2)))),
        update(deleted=[deletes(1, (2, 1))]),
        update(deleted=[deletes(1, (0, 2))]),
    ],
)
def test_no_character_is_cut_in_two(cut: bytes) -> None:
    smile = "a😀b"

    with pytest.raises(Misplaced, match="tick 2 of client 1: expected a whole character"):
        check(holding(update(section(1, 0, text(smile)))), cut)
    check(holding(update(section(1, 0, text("abcd")))), cut)


def test_no_character_of_the_update_itself_is_cut_in_two() -> None:
    inner = update(section(1, 0, text("😀"), text("x", origin=(1, 0))))

    with pytest.raises(Misplaced, match="tick 1 of client 1: expected a whole character"):
        check(holding(), inner)


def test_a_struct_does_not_begin_within_a_character() -> None:
    known = holding(update(section(1, 0, text("ab"))))

    with pytest.raises(Misplaced, match="tick 2 of client 1: expected a whole character"):
        check(known, update(section(1, 0, text("a😀"))))
    check(known, update(section(1, 0, text("ab😀"))))


def test_characters_that_the_document_does_not_have_do_not_count() -> None:
    landmarks = holding(update(section(1, 0, text("abcd"))), update(section(1, 0, text("a😀b"))))

    check(landmarks, update(section(2, 0, text("x", origin=(1, 1)))))


def between(behind: int, before: int) -> bytes:
    return section(2, 0, text("x", origin=(1, behind), right=(1, before)))


@pytest.mark.parametrize(("behind", "before"), [(0, 1), (4, 5), (5, 6), (6, 5), (6, 0), (7, 2)])
def test_neighbours_stand_from_left_to_right(behind: int, before: int) -> None:
    """The document reads `hello!`, and `x` and `y` were put in later, in front of all."""
    landmarks = holding(
        update(section(1, 0, text("hel"), text("lo!", origin=(1, 2)))),
        update(section(1, 6, text("x", right=(1, 0)))),
        update(section(1, 7, text("y", origin=(1, 6)))),
    )

    check(landmarks, update(between(behind, before)))


@pytest.mark.parametrize(("behind", "before"), [(0, 0), (5, 0), (3, 2), (5, 5), (7, 6)])
def test_neighbours_are_not_swapped(behind: int, before: int) -> None:
    structs = [text("hel"), text("lo!", origin=(1, 2)), text("xy", right=(1, 0))]
    swapped = f"tick {before} of client 1: expected neighbours in order"

    with pytest.raises(Misplaced, match=swapped):
        check(holding(update(section(1, 0, *structs))), update(between(behind, before)))
    with pytest.raises(Misplaced, match=swapped):
        check(holding(), update(section(1, 0, *structs), between(behind, before)))
    with pytest.raises(Misplaced, match=swapped):
        check(
            holding(update(section(1, 0, text("hel")))),
            update(section(1, 2, text("l"), *structs[1:]), between(behind, before)),
        )


HELLO = section(1, 0, text("hel"), text("lo", origin=(1, 2)))
OTHERS = section(3, 0, text("y", origin=(1, 0), right=(1, 1)))


@pytest.mark.parametrize(
    ("never", "named"),
    [
        (text("x", right=(1, 2)), "tick 2 of client 1: expected the first tick"),
        (text("x", right=(3, 0)), "tick 0 of client 3: expected the first tick"),
        (text("x", origin=(1, 0), right=(1, 4)), "tick 4 of client 1: expected neighbours"),
        (text("x", origin=(2, 0)), "tick 0 of client 2: expected the last tick"),
        (text("x", origin=(1, 2)), "tick 2 of client 1: expected the last tick"),
    ],
)
def test_nothing_known_stands_between_neighbours(never: bytes, named: str) -> None:
    """Who wrote this had put `ab` behind all of `hello` before."""
    ours = section(2, 0, text("ab", origin=(1, 4)), never)

    with pytest.raises(Misplaced, match=named):
        check(holding(update(HELLO, OTHERS)), update(ours))
    with pytest.raises(Misplaced, match=named):
        check(holding(), update(HELLO, OTHERS, ours))


def test_many_structs_at_one_place_are_refused_before_they_are_compared_with_each_other() -> None:
    limits = Limits(structs=1_000, clients=10, delete_ranges=10)
    landmarks = holding(update(section(5, 0, text(1_000 * "y"))))
    scattered = update(section(7, 0, *(text("x", right=(5, at)) for at in range(1_000))))

    with pytest.raises(Misplaced, match="expected the first tick, got one behind another one"):
        landmarks.check(inspect(scattered, limits))


def test_where_something_was_put_before_others_came_it_stays() -> None:
    """Who wrote this had `hel` only, as far as can be seen."""
    landmarks = holding(update(HELLO, OTHERS))

    check(landmarks, update(section(2, 0, text("x", origin=(1, 2)), text("y", right=(1, 0)))))
    check(landmarks, update(section(2, 0, text("x", origin=(1, 0), right=(1, 1)))))


def test_what_several_type_offline_at_one_place_is_taken_forwards_or_backwards() -> None:
    limits = Limits(structs=10_000, clients=10, delete_ranges=10)
    begun: Doc[Any] = Doc(client_id=1)
    begun.get("text", type=Text).insert(0, "begun")
    landmarks = holding(begun.get_update())
    for client in range(2, 6):
        offline: Doc[Any] = Doc(client_id=client)
        words = offline.get("text", type=Text)
        offline.apply_update(begun.get_update())
        for _ in range(100):
            words.insert(0, "b")
            words.insert(len(words), "f")
            words.insert(len(words) // 2, "m")
        typed = inspect(offline.get_update(), limits)
        landmarks.check(typed)
        landmarks.add(typed)


def test_gaps_in_what_is_known_already_do_not_matter() -> None:
    landmarks = holding(update(section(1, 0, text("abcd"))))

    landmarks.add(inspect(update(section(1, 0, skip(3), text("xyz"))), LIMITS))

    assert landmarks.state == {1: 6}


TITLE = item(8, numbers(1) + NULL, parent="meta", key="title")


@pytest.mark.parametrize(
    "foreign",
    [
        section(3, 0, text("notes", parent="notes")),
        section(3, 0, TITLE),
        section(3, 0, item(7, numbers(2), parent="text", key="k")),
    ],
)
def test_neighbours_stand_in_one_type(foreign: bytes) -> None:
    words = section(1, 0, text("abc"))
    put = section(2, 0, text("x", origin=(1, 0), right=(3, 0)))

    with pytest.raises(Misplaced, match="expected neighbours in one type, got in two types"):
        check(holding(update(words), update(foreign)), update(put))
    with pytest.raises(Misplaced, match="expected neighbours in one type, got in two types"):
        check(holding(), update(words, foreign, put))


def test_ticks_stand_where_those_stand_that_they_were_put_next_to() -> None:
    """Each of the chain is found from the last one, over runs of several clients."""
    chain = [
        section(1, 0, text("a"), text("e", origin=(3, 0)), text("g", right=(3, 0))),
        section(2, 0, text("b", origin=(1, 0)), text("f", origin=(1, 2), right=(3, 0))),
        section(3, 0, text("d", right=(1, 0))),
    ]
    put = section(4, 0, text("x", origin=(2, 1), right=(3, 0)), text("y", origin=(1, 2)))

    check(holding(), update(*chain, put))
    check(holding(update(*chain)), update(put))


def test_collected_ticks_have_collected_neighbours() -> None:
    landmarks = holding(update(section(1, 0, gc(2), text("abc"), gc(1))))

    check(landmarks, update(section(2, 0, text("x", origin=(1, 0), right=(1, 5)))))
    with pytest.raises(Misplaced, match="neighbours in one type"):
        check(landmarks, update(section(2, 0, text("x", origin=(1, 0), right=(1, 3)))))


def test_what_the_document_has_in_part_goes_on_where_it_stands() -> None:
    landmarks = holding(update(section(1, 0, text("abc"))), update(section(2, 0, gc(1))))

    check(landmarks, update(section(1, 0, text("abcdef"))))
    check(landmarks, update(section(1, 1, text("bcdef", origin=(1, 0)))))
    check(landmarks, update(section(1, 1, text("bc", parent="notes"))))
    check(landmarks, update(section(2, 0, text("xyz"))))
    with pytest.raises(Misplaced, match="tick 3 of client 1: expected the type of the tick before"):
        check(landmarks, update(section(1, 0, text("abcdef", parent="notes"))))
    with pytest.raises(Misplaced, match="tick 3 of client 1: expected the type of the tick before"):
        check(
            landmarks,
            update(section(1, 1, text("bcdef", origin=(3, 0))), section(3, 0, TITLE)),
        )
