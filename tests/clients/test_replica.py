"""A replica, and its successor under another client id."""

import random
from collections.abc import Callable

import pytest

from trax_client import ProtocolViolation
from trax_client.document import Part
from trax_client.replica import LONGEST_LOG, Replica


class Editor:
    """A replica, and which parts it said had changed."""

    def __init__(self) -> None:
        self.told: set[Part] = set()
        self.replica = Replica(self.told.update)

    def type(self, position: int, text: str) -> None:
        with self.replica.edit():
            self.replica.insert("text", position, text)


def everything(replica: Replica) -> bytes:
    return replica.update_since(b"\0")


def test_what_the_server_has_is_taken_and_the_rest_made_anew() -> None:
    ours, server = Editor().replica, Editor().replica
    for text in ("one ", "two "):
        with ours.edit():
            ours.insert("text", len(ours.text), text)
    for update in ours.unsent():
        server.receive(update)
    with ours.edit():
        ours.insert("text", 4, "ö")
        ours.put("speakers", "s1", {"name": "Ann"})
    heir = ours.succeed(ours.clock_in(server.state_vector()))
    assert heir.client_id != ours.client_id
    server.receive(heir.update_since(server.state_vector()))
    assert server.text == heir.text == "one ötwo "
    assert server.register("speakers") == {"s1": {"name": "Ann"}}
    assert heir.written == ours.written == 3


def test_what_was_never_sent_is_made_anew_whatever_the_server_has() -> None:
    ours = Editor().replica
    with ours.edit():
        ours.insert("text", 0, "never sent")
    heir = ours.succeed(1_000_000)
    assert heir.clock_in(heir.state_vector()) == len("never sent")


def test_successor_of_one_that_may_not_write_has_nothing_of_it() -> None:
    ours, theirs = Editor().replica, Editor().replica
    with theirs.edit():
        theirs.insert("text", 0, "theirs")
    ours.receive(everything(theirs))
    with ours.edit():
        ours.insert("text", 0, "ours ")
    with theirs.edit():
        theirs.insert("text", 6, " too")
    ours.receive(everything(theirs))
    heir = ours.succeed(None)
    assert heir.text == "theirs too"
    assert (heir.written, heir.confirmed) == (1, 1)


@pytest.mark.parametrize("seed", range(20))
def test_successor_says_what_its_predecessor_said(seed: int) -> None:
    chance = random.Random(seed)
    ours, theirs = Editor().replica, Editor().replica
    edits: list[Callable[[Replica], None]] = [
        lambda replica: replica.insert("text", chance.randint(0, len(replica.text)), "aä👋"),
        lambda replica: replica.delete("text", len(replica.text) // 2, len(replica.text)),
        lambda replica: replica.put("hturns", chance.choice("ab"), "s1"),
    ]
    for step in range(40):
        writer = chance.choice([ours, theirs])
        with writer.edit():
            chance.choice(edits)(writer)
        if chance.random() < 0.3:
            ours.receive(theirs.update_since(ours.state_vector()))
        if step == 20:
            theirs.receive(everything(ours))
            ours.confirm(ours.written)
    heir = ours.succeed(ours.clock_in(theirs.state_vector()))
    assert heir.text == ours.text
    assert heir.register("hturns") == ours.register("hturns")
    theirs.receive(heir.update_since(theirs.state_vector()))
    heir.receive(theirs.update_since(heir.state_vector()))
    assert heir.stretches() == theirs.stretches()


def test_successor_keeps_attributes_and_what_was_undone() -> None:
    ours = Editor().replica
    with ours.edit():
        ours.insert("text", 0, "aä👋b")
        ours.insert("text", 2, "\n", {"t": "x"})
    with ours.edit():
        ours.mark(1, 4, "hl", "red")
    with ours.edit():
        ours.delete("text", 0, 5)
    assert ours.undo()
    assert ours.text == "aä\n👋b"
    assert ours.succeed(0).stretches() == ours.stretches()


def test_entry_that_is_undone_is_gone_in_the_successor_too() -> None:
    ours = Editor().replica
    with ours.edit():
        ours.put("hturns", "a", "s1")
    ours.undo()
    assert ours.succeed(0).register("hturns") == {}


def test_log_is_folded_while_there_is_always_something_unconfirmed() -> None:
    ours = Editor().replica
    for number in range(LONGEST_LOG + 2):
        with ours.edit():
            ours.insert("text", number, "x")
    ours.unsent()
    ours.confirm(ours.written - 1)
    assert len(ours._log) == 1
    assert ours.succeed(0).text == ours.text
    ours.confirm(ours.written)
    assert not ours._log


def test_part_of_a_log_that_is_confirmed_is_taken_as_it_is() -> None:
    ours = Editor().replica
    for text in "ab":
        with ours.edit():
            ours.insert("text", 0, text)
    ours.unsent()
    ours.confirm(1)
    heir = ours.succeed(None)
    assert heir.text == "a"


def test_edit_that_changes_nothing_is_none() -> None:
    editor = Editor()
    with editor.replica.edit():
        pass
    assert not editor.replica.undo()
    assert (editor.replica.written, editor.told) == (0, set())


def test_a_character_is_the_same_for_everybody_wherever_it_stands() -> None:
    ours, theirs = Editor(), Editor()
    ours.type(0, "two")
    theirs.replica.receive(everything(ours.replica))
    theirs.type(0, "ö one ")
    ours.type(1, "h")
    theirs.replica.receive(everything(ours.replica))
    at = theirs.replica.text.index("t")

    identities = [ours.replica.identity(number) for number in range(4)]
    assert [theirs.replica.identity(at + number) for number in range(4)] == identities
    assert len(set(identities)) == 4


def test_parts_that_changed_are_told() -> None:
    editor = Editor()
    editor.type(0, "x")
    assert editor.told == {Part.TURNS}
    with editor.replica.edit():
        editor.replica.put("speakers", "s1", {})
    assert editor.told == {Part.TURNS, Part.SPEAKERS, Part.PARTIALS}


def test_nonsense_is_refused() -> None:
    replica = Editor().replica
    for refuse in (
        lambda: replica.receive(b"nonsense"),
        lambda: replica.update_since(b"\xff\xff"),
        lambda: replica.clock_in(b"\x05\x01"),
        lambda: replica.clock_in(b""),
        lambda: replica.receive_presence(b"\x05"),
    ):
        with pytest.raises(ProtocolViolation):
            refuse()
