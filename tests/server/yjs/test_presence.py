"""Presence: the rule of y-protocols among the honest, and ownership where somebody is not."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.yjs.errors import LimitExceeded, MalformedYjs
from server.yjs.presence import (
    EXPIRY_S,
    MAX_CLOCK,
    MAX_STEP,
    RENEWAL_S,
    Applied,
    Presence,
    PresenceLimits,
)
from server.yjs.varints import Reader, write_text, write_varuint
from tests.server.yjs.yjs_fixtures import FIXTURES

LIMITS = PresenceLimits(state_bytes=100, states_per_owner=3, states=5)
NOTHING = Applied(None, None)
SERVER = 99

Line = tuple[int, int, str]
"""A line of an awareness update: client, clock, JSON."""


def awareness(*lines: Line) -> bytes:
    return write_varuint(len(lines)) + b"".join(
        write_varuint(client) + write_varuint(clock) + write_text(state)
        for client, clock, state in lines
    )


def lines(update: bytes | None) -> list[Line]:
    assert update is not None
    reader = Reader(update)
    found = [(reader.varuint(), reader.varuint(), reader.text()) for _ in range(reader.varuint())]
    reader.end()
    return found


def told(*entries: Line) -> Applied:
    """Return what happens when everybody is told these lines, and nobody else anything."""
    return Applied(awareness(*entries), None)


class Peer:
    """Awareness of y-protocols, as far as it decides what is newer: `applyAwarenessUpdate`."""

    def __init__(self) -> None:
        self.clocks: dict[int, int] = {}
        self.states: dict[int, str] = {}

    def apply(self, update: bytes) -> None:
        for client, clock, state in lines(update):
            known = self.clocks.get(client, 0)
            equal_and_gone = clock == known and state == "null" and client in self.states
            if clock > known or equal_and_gone:
                self.clocks[client] = clock
                self.states[client] = state
                if state == "null":
                    del self.states[client]


def room(*entries: Line, owner: str = "ada", now_s: float = 0) -> Presence:
    """Return the presence of a room in which an owner announced something."""
    presence = Presence(LIMITS)
    presence.apply(awareness(*entries), owner, now_s)
    return presence


def shown(presence: Presence) -> dict[int, str]:
    update = presence.everybody()
    return {} if update is None else {client: state for client, _, state in lines(update)}


def test_states_of_y_protocols_are_passed_on_unchanged() -> None:
    presence = Presence(LIMITS)
    announced, moved, gone, gone_again = map(bytes.fromhex, FIXTURES["presence"])

    assert presence.apply(announced, "ada", 0) == Applied(announced, None)
    assert presence.apply(moved, "ada", 1) == Applied(moved, None)
    assert presence.everybody() == moved
    assert presence.apply(gone, "ada", 2) == Applied(gone, None)
    assert presence.apply(gone_again, "ada", 3) == NOTHING
    assert presence.everybody() is None


def test_who_comes_late_is_told_everybody() -> None:
    presence = room((1, 4, '{"a":1}'))
    presence.apply(awareness((2, 7, "{}")), "ben", 0)
    presence.set_own(SERVER, '{"s":1}', 0)

    assert lines(presence.everybody()) == [(1, 4, '{"a":1}'), (2, 7, "{}"), (SERVER, 1, '{"s":1}')]


@pytest.mark.parametrize("line", [(1, 4, '{"b":2}'), (1, 3, "{}"), (1, 3, "null"), (2, 0, "{}")])
def test_what_is_not_newer_changes_nothing(line: Line) -> None:
    presence = room((1, 4, '{"a":1}'))

    assert presence.apply(awareness(line), "ada", 0) == NOTHING
    assert shown(presence) == {1: '{"a":1}'}


def test_an_owner_removes_its_state_at_the_same_clock() -> None:
    presence = room((1, 4, "{}"))

    assert presence.apply(awareness((1, 4, " null\n")), "ada", 0) == told((1, 4, "null"))
    assert shown(presence) == {}


@pytest.mark.parametrize("line", [(1, 4, "null"), (1, 9, "null"), (1, 9, " null "), (1, 4, "{}")])
def test_nobody_else_removes_or_changes_a_state(line: Line) -> None:
    presence = room((1, 4, '{"a":1}'))

    assert presence.apply(awareness(line), "ben", 0) == NOTHING
    assert shown(presence) == {1: '{"a":1}'}


def test_a_browser_that_comes_back_takes_its_state_over() -> None:
    presence = room((1, 4, "{}"), owner="old")

    assert presence.apply(awareness((1, 5, "{}")), "new", 0) == told((1, 5, "{}"))

    assert presence.apply(awareness((1, 6, "null")), "old", 0) == NOTHING
    assert presence.leave("old") is None
    assert presence.leave("new") == awareness((1, 6, "null"))


def test_who_yields_takes_nothing_over() -> None:
    presence = room((1, 4, "{}"))

    for line in ((1, 5, '{"a":1}'), (1, 5, "null")):
        assert presence.apply(awareness(line), "ben", 0, yields_to={"ada"}) == NOTHING
    assert presence.apply(awareness((1, 5, '{"a":1}')), "ben", 0, yields_to={"eve"}) != NOTHING


def test_who_leaves_takes_its_states_with_it() -> None:
    presence = room((1, 4, "{}"), (2, 8, "{}"))
    presence.apply(awareness((3, 1, "{}")), "ben", 0)

    assert presence.leave("ada") == awareness((1, 5, "null"), (2, 9, "null"))
    assert presence.leave("ada") is None
    assert shown(presence) == {3: "{}"}


def test_a_browser_that_comes_back_too_late_is_told_to_insist() -> None:
    revival = FIXTURES["revival"]
    before, goes, after = (bytes.fromhex(revival[name]) for name in ("before", "told", "after"))
    presence = Presence(LIMITS)
    presence.apply(before, "old", 0)
    assert presence.leave("old") == goes

    assert presence.apply(before, "new", 0) == Applied(None, goes)
    assert presence.apply(after, "new", 0) == Applied(after, None)
    assert presence.everybody() == after


def test_removing_what_was_never_there_tells_nobody() -> None:
    presence = Presence(LIMITS)

    assert presence.apply(awareness((1, 5, "null")), "ada", 0) == NOTHING
    assert presence.apply(awareness((1, 5, "null")), "ada", 0) == NOTHING
    assert presence.apply(awareness((1, 6, "{}")), "ada", 0) == told((1, 6, "{}"))


def test_states_that_nobody_renews_are_removed() -> None:
    presence = room((1, 4, "{}"), (2, 4, "{}"), now_s=100)
    presence.apply(awareness((2, 5, "{}")), "ada", 101)

    assert presence.refresh(100 + EXPIRY_S - 0.1) is None
    assert presence.refresh(100 + EXPIRY_S) == awareness((1, 5, "null"))
    assert presence.refresh(101 + EXPIRY_S) == awareness((2, 6, "null"))
    assert presence.refresh(1000) is None


def test_the_servers_states_are_renewed() -> None:
    presence = Presence(LIMITS)
    presence.set_own(SERVER, '{"s":1}', 100)

    assert presence.refresh(100 + RENEWAL_S - 0.1) is None
    assert presence.refresh(100 + RENEWAL_S) == awareness((SERVER, 2, '{"s":1}'))
    assert presence.refresh(100 + 2 * RENEWAL_S - 0.1) is None


@pytest.mark.parametrize("state", ["null", "{}"])
def test_the_servers_states_are_nobody_elses(state: str) -> None:
    presence = Presence(LIMITS)
    assert presence.set_own(SERVER, '{"s":1}', 0) == awareness((SERVER, 1, '{"s":1}'))

    assert presence.apply(awareness((SERVER, 9, state)), "ben", 0) == NOTHING

    assert shown(presence) == {SERVER: '{"s":1}'}
    assert presence.set_own(SERVER, '{"s":2}', 0) == awareness((SERVER, 2, '{"s":2}'))
    assert presence.set_own(SERVER, None, 0) == awareness((SERVER, 3, "null"))
    assert presence.set_own(SERVER, None, 0) is None
    assert presence.apply(awareness((SERVER, 10, state)), "ben", 0) == NOTHING
    assert presence.set_own(SERVER, "{}", 0) == awareness((SERVER, 4, "{}"))


def test_the_server_takes_its_id_from_whoever_has_it() -> None:
    presence = room((SERVER, 7, "{}"))

    assert presence.set_own(SERVER, '{"s":1}', 0) == awareness((SERVER, 8, '{"s":1}'))
    assert presence.leave("ada") is None


def test_echoes_are_not_looked_into() -> None:
    presence = room((1, 4, "{}"))
    presence.set_own(SERVER, '{"s":"' + "x" * 200 + '"}', 0)

    echo = presence.everybody()

    assert echo is not None
    assert presence.apply(echo, "ben", 0) == NOTHING


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("{", "byte 3: expected a state in JSON, got something else"),
        ("", "expected a state in JSON"),
        ('{"a":' * 33 + "1" + "}" * 33, "a state in JSON with at most 32 levels"),
        ("5", "byte 3: expected a state that is a JSON object, got float"),
        ('"x"', "expected a state that is a JSON object, got str"),
    ],
)
def test_a_state_is_a_json_object(state: str, said: str) -> None:
    limits = PresenceLimits(state_bytes=1000, states_per_owner=1, states=1)
    with pytest.raises(MalformedYjs) as refused:
        Presence(limits).apply(awareness((1, 1, state)), "ada", 0)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("update", "said"),
    [
        (b"", "one more byte"),
        (awareness((1, 1, "{}"))[:-1], "byte 3: expected 2 bytes, got 1"),
        (awareness((1, 1, "{}")) + b"\0", "the end"),
        (awareness((1, 1, "{}"), (1, 2, "{}")), "each client once, got client 1 again"),
        (b"\x01\x01\x01\x01\xff", "UTF-8"),
    ],
)
def test_a_malformed_update_is_refused(update: bytes, said: str) -> None:
    with pytest.raises(MalformedYjs, match=said):
        Presence(LIMITS).apply(update, "ada", 0)


@pytest.mark.parametrize(
    ("entries", "what", "got"),
    [
        ([(2, 1, '{"a":"' + "é" * 50 + '"}')], "bytes of a presence state", 108),
        ([(2, 1, "{}"), (3, 1, "{}"), (4, 1, "{}")], "presence states of a connection", 4),
        ([(c, 1, "{}") for c in range(2, 8)], "states of an awareness update", 6),
        ([(2, MAX_STEP + 1, "{}")], "steps of a presence clock", MAX_STEP + 1),
        ([(1, MAX_STEP + 5, "null")], "steps of a presence clock", MAX_STEP + 1),
    ],
)
def test_presence_is_limited(entries: list[Line], what: str, got: int) -> None:
    presence = room((1, 4, '{"a":1}'))

    with pytest.raises(LimitExceeded) as refused:
        presence.apply(awareness(*entries), "ada", 0)

    assert refused.value.what == what
    assert str(refused.value).endswith(f"got {got}")
    assert shown(presence) == {1: '{"a":1}'}


def test_a_room_holds_so_many_states() -> None:
    presence = room((1, 1, "{}"), (2, 1, "{}"), (3, 1, "{}"))
    presence.apply(awareness((4, 1, "{}"), (5, 1, "{}")), "ben", 0)

    with pytest.raises(LimitExceeded, match="presence states of a room: expected at most 5, got 6"):
        presence.apply(awareness((6, 1, "{}")), "ben", 0)
    replaced = awareness((5, 2, "null"), (6, 1, "{}"))
    assert presence.apply(replaced, "ben", 0) == Applied(replaced, None)
    assert presence.apply(awareness((4, 2, "{}")), "ben", 0) == told((4, 2, "{}"))


def test_an_update_is_taken_whole_or_not_at_all() -> None:
    presence = room((1, 4, "{}"))

    with pytest.raises(MalformedYjs):
        presence.apply(awareness((1, 5, '{"new":1}'), (2, 1, "{")), "ada", 0)

    assert presence.everybody() == awareness((1, 4, "{}"))


def test_only_so_many_removed_states_are_remembered() -> None:
    presence = Presence(LIMITS)
    for client in range(1, 7):
        presence.apply(awareness((client, 5, "{}")), "ada", 0)
        presence.leave("ada")

    forgotten = presence.apply(awareness((1, 2, "{}")), "ada", 0)
    remembered = presence.apply(awareness((2, 2, "{}")), "ada", 0)

    assert forgotten == told((1, 2, "{}"))
    assert remembered == Applied(None, awareness((2, 6, "null")))


def test_clocks_do_not_reach_the_end_of_numbers() -> None:
    presence = room((1, 4, "{}"))

    assert presence.apply(awareness((1, MAX_CLOCK + 1, "{}")), "ada", 0) == NOTHING


@dataclass(frozen=True)
class Said:
    """Something that a client says on its own connection."""

    client: int
    clock: int
    state: str


statements = st.builds(
    Said,
    client=st.integers(1, 4),
    clock=st.integers(0, 6),
    state=st.sampled_from(["null", '{"a":1}', '{"b":2}']),
)


@given(st.lists(statements, max_size=30))
def test_honest_clients_see_what_y_protocols_would_show(said: list[Said]) -> None:
    presence = Presence(LIMITS)
    direct = Peer()
    through_us = Peer()
    for entry in said:
        update = awareness((entry.client, entry.clock, entry.state))
        direct.apply(update)
        result = presence.apply(update, f"connection {entry.client}", 0)
        if result.everybody is not None:
            through_us.apply(result.everybody)

        assert shown(presence) == direct.states == through_us.states


@given(st.lists(statements, max_size=12), st.randoms(use_true_random=False))
def test_order_and_repetition_make_no_difference(said: list[Said], order: random.Random) -> None:
    """Of one clock there is one state, or none: a client counts what it says."""
    once = {(entry.client, entry.clock): entry for entry in said}
    results = []
    for _ in range(2):
        shuffled = [*once.values(), *order.sample(list(once.values()), k=len(once) // 2)]
        order.shuffle(shuffled)
        presence = Presence(LIMITS)
        for entry in shuffled:
            update = awareness((entry.client, entry.clock, entry.state))
            presence.apply(update, f"connection {entry.client}", 0)
        results.append(shown(presence))

    assert results[0] == results[1]


@given(
    st.lists(st.tuples(st.sampled_from(["ada", "ben", "leave", "late"]), statements), max_size=40)
)
def test_who_listens_and_who_comes_late_agree_whatever_anybody_does(
    steps: list[tuple[str, Said]],
) -> None:
    presence = Presence(LIMITS)
    presence.set_own(4, '{"s":0}', 0)
    listener = Peer()
    listener.apply(presence.everybody() or b"\0")
    for now_s, (who, entry) in enumerate(steps):
        match who:
            case "leave":
                change = presence.leave("ada")
            case "late":
                change = presence.refresh(now_s * 10)
            case _:
                update = awareness((entry.client, entry.clock, entry.state))
                change = presence.apply(update, who, now_s * 10).everybody
        if change is not None:
            listener.apply(change)

        assert shown(presence) == listener.states
        assert shown(presence)[4] == '{"s":0}'


def test_only_the_server_shows_what_is_reserved_for_it() -> None:
    presence = Presence(
        PresenceLimits(state_bytes=100, states_per_owner=3, states=5, reserved="trax")
    )

    with pytest.raises(MalformedYjs, match="expected a state without 'trax'"):
        presence.apply(awareness((1, 1, '{"trax": 1}')), "somebody", 0.0)

    own = presence.set_own(SERVER, '{"trax": 1}', 0.0)
    assert lines(own) == [(SERVER, 1, '{"trax": 1}')]
    assert own is not None
    assert presence.apply(own, "who echoes", 0.0) == NOTHING
