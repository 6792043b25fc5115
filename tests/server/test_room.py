"""Whose changes a room takes, who hears of them, and when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Awareness, Doc, Map, Text, TransactionEvent

from offline.domain import PassId, Segment, SpeakerId, TurnId
from offline.edits import AssignTurn, InsertText
from server import member, pacing
from server import room as module
from server.allowance import FRAME_S
from server.codes import CloseCode
from server.errors import TranscriptError
from server.mailbox import Mailbox
from server.member import MOST_HELD_BYTES, Held
from server.room import LIMITS, LONG_BYTES, Room
from server.rooms import FAILED
from server.yjs import messages
from server.yjs.errors import LimitExceeded
from server.yjs.updates import decode_state_vector
from server.yjs.varints import write_text, write_varuint
from tests.server.editing import TRANSCRIPT, Fragile, Storage, open_rooms, write
from tests.server.yjs.writing import section, text, update

UNREAD_BYTES = 16 * 1024 * 1024
TOO_MANY = update(section(7, 0, *(LIMITS.structs + 1) * [text("a")]))
SEGMENT = Segment(PassId("1"), 0, 1)


class Peer:
    """A replica in a room, without a connection: what it says is handed over by the test."""

    def __init__(self, room: Room, *, writes: bool = True, client: int | None = None) -> None:
        self.room = room
        self.doc: Doc[Any] = Doc() if client is None else Doc(client_id=client)
        self.text: Text = self.doc.get("text", type=Text)
        self.mailbox = Mailbox(UNREAD_BYTES)
        self.member = room.join(self.mailbox, writes=writes)
        self.changes: list[bytes] = []
        self.doc.observe(self._note)

    def _note(self, event: TransactionEvent) -> None:
        self.changes.append(event.update)

    def map(self, name: str) -> Map[Any]:
        found: Map[Any] = self.doc.get(name, type=Map)
        return found

    async def say(self, message: messages.Message) -> None:
        await self.room.receive(self.member, messages.encode(message))

    async def send(self) -> None:
        """Send what was changed here since the last time."""
        changes, self.changes = self.changes, []
        for change in changes:
            await self.say(messages.Update(change))

    async def hear(self) -> list[messages.Message]:
        """Take in what came, once everything is committed."""
        await self.room.idle()
        heard: list[messages.Message] = []
        while self.mailbox._frames:
            frame = await self.mailbox.take()
            assert frame is not None
            message = messages.decode(frame)
            assert message is not None
            heard.append(message)
            if isinstance(message, messages.Update | messages.SyncStep2):
                self.doc.apply_update(message.update)
        self.changes.clear()
        return heard

    async def synchronise(self) -> None:
        await self.say(messages.SyncStep1(self.doc.get_state()))
        await self.hear()

    @property
    def code(self) -> CloseCode | None:
        return None if self.mailbox.dismissal is None else self.mailbox.dismissal.code

    @property
    def reason(self) -> str:
        return "" if self.mailbox.dismissal is None else self.mailbox.dismissal.reason


@asynccontextmanager
async def opened(
    folder: Path, *, transcript_bytes: int = 1024 * 1024
) -> AsyncIterator[tuple[Storage, Room]]:
    async with (
        open_rooms(folder, transcript_bytes=transcript_bytes) as (stored, rooms),
        rooms.enter(TRANSCRIPT) as room,
    ):
        await write(room, InsertText(0, " said", SEGMENT))
        await room.idle()
        yield stored, room


async def test_who_comes_gets_the_document_and_is_asked_for_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        peer = Peer(room)
        question, *rest = await peer.hear()
        assert question == messages.SyncStep1(room.transcript.state_vector())
        assert rest == []

        await peer.synchronise()
        assert str(peer.text) == " said"


async def test_what_one_writes_the_others_get_and_the_storage(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        ada, bob = Peer(room), Peer(room)
        for peer in (ada, bob):
            await peer.synchronise()
        ada.text.insert(0, "Ada")
        await ada.send()

        assert await ada.hear() == []
        assert len(await bob.hear()) == 1
        assert str(bob.text) == stored.written().text == "Ada said"


async def test_what_machines_write_everybody_gets(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        viewer = Peer(room, writes=False)
        await viewer.synchronise()
        await write(room, InsertText(5, " more", SEGMENT))
        await write(room)
        await viewer.hear()

        assert str(viewer.text) == " said more"


async def test_nobody_hears_of_what_is_not_committed(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        ada, bob = Peer(room), Peer(room)
        for peer in (ada, bob):
            await peer.synchronise()
        with stored.locked():
            ada.text.insert(0, "Ada")
            await ada.send()
            await bob.say(messages.SyncStep1(bob.doc.get_state()))
            await asyncio.sleep(0.05)
            assert not bob.mailbox._frames
        await bob.hear()

        assert str(bob.text) == "Ada said"


async def test_what_was_written_offline_comes_with_the_answer(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        peer = Peer(room)
        peer.text.insert(0, "offline")
        await peer.say(messages.SyncStep2(peer.doc.get_update(room.transcript.state_vector())))
        await room.idle()

        assert sorted(stored.written().text) == sorted("offline said")


async def test_what_is_known_already_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        peer = Peer(room)
        await peer.synchronise()
        before = stored.store.documents.read(TRANSCRIPT).last_seq
        await peer.say(messages.Update(peer.doc.get_update()))
        await peer.say(messages.SyncStep2(peer.doc.get_update()))
        await room.idle()

        assert stored.store.documents.read(TRANSCRIPT).last_seq == before
        assert peer.code is None


async def test_what_was_deleted_already_is_not_stored_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        ada, bob = Peer(room), Peer(room)
        for peer in (ada, bob):
            await peer.synchronise()
            del peer.text[0:5]
        await ada.send()
        await room.idle()
        before = stored.store.documents.read(TRANSCRIPT).last_seq
        await bob.send()
        await room.idle()

        assert stored.store.documents.read(TRANSCRIPT).last_seq == before
        assert stored.written().text == ""


async def test_a_long_update_is_taken_like_a_short_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        peer = Peer(room)
        await peer.synchronise()
        peer.text.insert(0, LONG_BYTES * "ä")
        await peer.send()
        await room.idle()

        assert stored.written().text == LONG_BYTES * "ä" + " said"


async def test_others_have_their_turn_while_a_long_update_is_taken(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        ada, bob = Peer(room), Peer(room)
        for peer in (ada, bob):
            await peer.synchronise()
        for _ in range(1_000):
            ada.text.insert(0, "a")
        del ada.text[0:10]
        offline = ada.doc.get_update()
        bob.text.insert(0, "b")
        taking = asyncio.create_task(ada.say(messages.SyncStep2(offline)))
        while room.transcript.text.count("a") < 3:  # noqa: ASYNC110 - until it has begun
            await asyncio.sleep(0)
        await bob.send()

        assert not taking.done()
        await taking
        await room.idle()
        assert ada.code is bob.code is None
        assert sorted(stored.written().text) == sorted("b said" + 990 * "a")


async def test_an_update_that_takes_too_long_is_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "MOST_S", 0.0)
    monkeypatch.setattr(pacing, "STRUCT_S", 0.0)
    async with opened(tmp_path) as (stored, room):
        peer = Peer(room)
        await peer.synchronise()
        for _ in range(100):
            peer.text.insert(0, "a")
        await peer.say(messages.SyncStep2(peer.doc.get_update()))
        await room.idle()

        assert peer.code is CloseCode.TOO_LARGE
        assert "milliseconds that an update takes" in peer.reason
        assert stored.written().text == room.transcript.text
        assert len(stored.written().text) < 100


async def test_a_long_update_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        peer = Peer(room)
        for _ in range(100):
            peer.text.insert(0, "a")
        peer.doc.get("elsewhere", type=Text).insert(0, "e")
        await peer.say(messages.SyncStep2(peer.doc.get_update()))
        await room.idle()

        assert peer.code is CloseCode.FORBIDDEN
        assert stored.written().text == " said"


async def test_who_is_ahead_of_the_server_is_held_back_until_it_has_synchronised(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (stored, room):
        peer = Peer(room)
        await peer.hear()
        await peer.say(messages.SyncStep2(b"\0\0"))
        for word in ("a", "b", "c"):
            peer.text.insert(0, word)
        first, *later = peer.changes
        for change in later:
            await peer.say(messages.Update(change))
        question, *rest = await peer.hear()

        assert isinstance(question, messages.SyncStep1)
        assert rest == []
        assert len(peer.member.held) == len(later)
        assert stored.written().text == " said"

        await peer.say(messages.SyncStep2(first))
        await room.idle()
        assert "cba" in stored.written().text
        assert not peer.member.held


async def test_who_never_becomes_whole_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        peer = Peer(room, client=7)
        for word in ("a", "b"):
            peer.text.insert(0, word)
        await peer.say(messages.SyncStep2(peer.changes[1]))

        assert peer.code is CloseCode.MALFORMED
        assert "lacks 7:0" in peer.reason
        assert stored.written().text == " said"


async def test_what_is_held_back_is_bounded(tmp_path: Path) -> None:
    async with opened(tmp_path, transcript_bytes=8 * MOST_HELD_BYTES) as (_, room):
        peer = Peer(room)
        peer.text.insert(0, "a")
        del peer.changes[0]
        for _ in range(2):
            peer.text.insert(0, (MOST_HELD_BYTES // 2) * "b")
        await peer.send()

        assert peer.code is CloseCode.TOO_LARGE
        assert len(peer.member.held) == 1


def test_how_many_updates_are_held_back_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member, "MOST_HELD", 2)
    held = Held()
    for _ in range(2):
        held.add(b"a")

    with pytest.raises(LimitExceeded, match="updates before synchronising: expected at most 2"):
        held.add(b"a")
    assert held.release() == [b"a", b"a"]
    held.add(MOST_HELD_BYTES * b"a")


async def test_what_was_held_back_is_taken_as_if_it_came_by_and_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as (stored, room):
        now_s = room._clock()
        monkeypatch.setattr(room, "_clock", lambda: now_s)
        ada, bob = Peer(room), Peer(room)
        for peer in (ada, bob):
            await peer.synchronise()
        for _ in range(200):
            ada.text.insert(0, "a")
        first, *later = ada.changes
        for change in later:
            await ada.say(messages.Update(change))
        left_s = ada.member.allowance._left_s
        bob.text.insert(0, "b")
        taking = asyncio.create_task(ada.say(messages.SyncStep2(first)))
        while room.transcript.text.count("a") < 3:  # noqa: ASYNC110 - until it has begun
            await asyncio.sleep(0)
        await bob.send()

        assert not taking.done()
        await taking
        await room.idle()
        assert left_s - ada.member.allowance._left_s > 199 * FRAME_S / 2
        assert stored.written().text.count("a") == 201


async def test_a_viewer_is_told_so_and_reads_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        editor, viewer = Peer(room), Peer(room, writes=False)
        assert await viewer.hear() == []  # it is not asked for what it has
        await viewer.synchronise()
        viewer.text.insert(0, "mine")
        behind_a_gap = viewer.doc.get_update()
        viewer.text.insert(0, "more")
        await viewer.send()
        await viewer.say(messages.SyncStep2(behind_a_gap))
        del viewer.changes[:]
        viewer.text.insert(0, "again")
        await viewer.send()
        denials = await viewer.hear()

        assert [type(each) for each in denials] == 4 * [messages.PermissionDenied]
        assert viewer.code is None
        assert stored.written().text == " said"

        await editor.synchronise()
        editor.text.insert(0, "We")
        await editor.send()
        assert len(await viewer.hear()) == 1


async def test_a_viewer_cannot_send_an_editor_away(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        editor, viewer = Peer(room, client=7), Peer(room, writes=False, client=7)
        editor.text.insert(0, "a")
        await editor.send()
        viewer.text.insert(0, "bcd")
        await viewer.send()

        assert editor.code is None


async def test_a_viewer_does_not_show_itself_as_an_editor(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        editor, viewer, other = Peer(room), Peer(room, writes=False), Peer(room, writes=False)
        for peer, clock, name in ((editor, 1, "Ada"), (viewer, 2, "Eve"), (other, 1, "Ben")):
            client = 8 if peer is other else 7
            state = write_text(json.dumps({"name": name}))
            entry = write_varuint(1) + write_varuint(client) + write_varuint(clock) + state
            await peer.say(messages.Awareness(entry))

        assert [json.loads(state)["name"] for state in room.shown()] == ["Ada", "Ben"]


async def test_an_update_that_is_refused_sends_nobody_else_away(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        ada, bob = Peer(room, client=7), Peer(room, client=7)
        ada.text.insert(0, "a")
        bob.doc.apply_update(ada.doc.get_update())
        await ada.send()
        bob.text.insert(0, "bcd")
        bob.doc.get("elsewhere", type=Text).insert(0, "e")
        await bob.say(messages.Update(bob.doc.get_update()))

        assert bob.code is CloseCode.FORBIDDEN
        assert ada.code is None


async def test_of_two_who_write_under_one_id_the_newer_one_stays(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        ada, bob, eve = (Peer(room, client=client) for client in (7, 7, 8))
        for peer, word in ((eve, "e"), (ada, "a"), (ada, "a")):
            peer.text.insert(0, word)
            await peer.send()
        bob.doc.apply_update(ada.doc.get_update())  # it is the same page, which comes back
        bob.text.insert(0, "bcd")
        await bob.send()

        assert ada.code is CloseCode.REPLACED
        assert "client id 7 is used by a newer connection" in ada.reason
        assert bob.code is eve.code is None


async def test_who_came_first_does_not_take_its_id_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        ada, bob = Peer(room, client=7), Peer(room, client=7)
        bob.text.insert(0, "b")
        await bob.send()
        ada.text.insert(0, "aa")
        await ada.send()
        await room.idle()

        assert ada.code is CloseCode.REPLACED
        assert bob.code is None
        assert stored.written().text == "b said"


async def test_whose_text_is_lost_under_an_id_of_two_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        ada, bob = Peer(room, client=7), Peer(room, client=7)
        ada.text.insert(0, "a😀xxxx")
        bob.text.insert(0, "a😀y")
        await ada.send()
        await bob.send()
        await room.idle()

        assert bob.code is CloseCode.REPLACED
        assert "client id 7 is used by another connection" in bob.reason
        assert ada.code is None
        assert stored.written().text == "a😀xxxx said"


async def test_what_another_wrote_may_be_said_again(tmp_path: Path) -> None:
    """As a page does that reads it from its own storage; parts of it may be deleted since."""
    async with opened(tmp_path) as (_, room):
        ada, bob = Peer(room, client=7), Peer(room, client=8)
        ada.map("tags")["tag"] = "x"
        ada.map("comments")["c"] = Map({"note": Text("hm")})
        ada.text.insert(0, "abcd")
        ada.text.insert(0, "e")
        said = list(ada.changes)
        del ada.text[2:4]
        await ada.send()
        for change in said:
            await bob.say(messages.Update(change))
        await bob.say(messages.Update(ada.doc.get_update()))

        assert ada.code is bob.code is None


async def test_an_id_whose_writer_left_is_free(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        ada, bob, eve = (Peer(room, client=client) for client in (7, 7, 8))
        for peer, word in ((eve, "e"), (ada, "a")):
            peer.text.insert(0, word)
            await peer.send()
        room.leave(ada.member)
        bob.text.insert(0, "bcd")
        await bob.send()

        assert ada.code is None
        assert room._writers._members == {7: bob.member, 8: eve.member}


async def test_nobody_writes_as_the_server(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        client = room.transcript.client_id
        forger = Peer(room, client=client)
        await forger.synchronise()
        clock = decode_state_vector(room.transcript.state_vector(), 9)[client]
        await forger.say(messages.Update(update(section(client, clock, text("forged")))))

        assert forger.code is CloseCode.FORBIDDEN
        assert forger.reason == f"client id {client} is the server's own"
        assert stored.written().text == " said"


async def test_a_server_of_before_is_a_server_too(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (_, rooms):
        async with rooms.enter(TRANSCRIPT) as room:
            before = room.transcript.client_id
        while rooms._open:  # noqa: ASYNC110 - until the room is closed
            await asyncio.sleep(0)
        async with rooms.enter(TRANSCRIPT) as room:
            forger = Peer(room, client=before)
            await forger.synchronise()
            forger.text.insert(0, "forged")
            await forger.send()

            assert forger.code is CloseCode.FORBIDDEN
            assert room.transcript.client_id != before


async def test_a_transcript_has_its_roots_only(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        peer = Peer(room)
        peer.doc.get("elsewhere", type=Text).insert(0, "a")
        await peer.send()

        assert peer.code is CloseCode.FORBIDDEN
        assert peer.reason == "a transcript has no 'elsewhere'"
        assert stored.written().text == " said"


async def test_what_is_no_shared_type_is_not_written_into(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        peer = Peer(room, client=7)
        peer.text.insert(0, "a")
        await peer.send()
        await peer.say(messages.Update(update(section(7, 1, text("b", parent=(7, 0))))))

        assert peer.code is CloseCode.MALFORMED
        assert "a shared type" in peer.reason
        await room.idle()
        assert stored.written().text == "a said"


async def test_a_document_does_not_grow_beyond_its_limit(tmp_path: Path) -> None:
    async with opened(tmp_path, transcript_bytes=2_000) as (stored, room):
        ada, bob = Peer(room), Peer(room)
        await ada.synchronise()
        for _ in range(8):
            ada.text.insert(0, 300 * "a")
        await ada.send()

        assert ada.code is CloseCode.TOO_LARGE
        assert ada.reason == "a transcript has 2000 bytes"
        assert bob.code is None
        await room.idle()
        assert 0 < len(stored.written().text) < 2_000


async def test_a_full_document_can_be_shortened_and_then_has_room(tmp_path: Path) -> None:
    async with opened(tmp_path, transcript_bytes=2_000) as (stored, room):
        ada, bob, eve = Peer(room), Peer(room), Peer(room)
        await ada.synchronise()
        for _ in range(4):
            ada.text.insert(0, 300 * "a")
        await ada.send()
        for peer in (bob, eve):
            await peer.synchronise()
        bob.text.insert(0, 800 * "b")
        await bob.send()
        assert bob.code is CloseCode.TOO_LARGE

        room._most_bytes = room._size_bytes
        del eve.text[0:1_200]
        await eve.send()
        assert eve.code is None
        room.describe()
        eve.text.insert(0, 800 * "e")
        await eve.send()
        await room.idle()

        assert eve.code is None
        assert stored.written().text == 800 * "e" + " said"


async def test_a_document_has_a_bounded_number_of_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_CLIENTS", 4)  # two are the server
    async with opened(tmp_path) as (stored, room):
        peers = [Peer(room) for _ in range(3)]
        for peer in (*peers, peers[0]):
            peer.text.insert(0, "x")
            await peer.send()

        assert [peer.code for peer in peers] == [None, None, CloseCode.TOO_LARGE]
        await room.idle()
        assert stored.written().text.count("x") == 3


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"", CloseCode.MALFORMED),
        ("text", CloseCode.MALFORMED),
        (b"\0\0", CloseCode.MALFORMED),
        (b"\0\2\3abc", CloseCode.MALFORMED),
        (b"\0\1\2\0\1", CloseCode.MALFORMED),
        (b"\0\0\1\xff", CloseCode.MALFORMED),
        (b"\1\2\1\1", CloseCode.MALFORMED),
        (b"\0\0\4\xff\xff\xff\x7f", CloseCode.TOO_LARGE),
        (messages.encode(messages.Update(TOO_MANY)), CloseCode.TOO_LARGE),
    ],
    ids=["empty", "text", "cut", "update", "more", "state", "presence", "clients", "structs"],
)
async def test_what_is_no_message_ends_the_connection_that_sent_it(
    tmp_path: Path, frame: bytes | str, code: CloseCode
) -> None:
    async with opened(tmp_path) as (_, room):
        ada, bob = Peer(room), Peer(room)
        await room.receive(ada.member, frame)

        assert ada.code is code
        assert "expected" in ada.reason
        assert bob.code is None


@pytest.mark.parametrize(
    "frame", [b"\x63", b"\0\x63", messages.encode(messages.PermissionDenied("no"))]
)
async def test_messages_that_mean_nothing_to_us_are_ignored(tmp_path: Path, frame: bytes) -> None:
    async with opened(tmp_path) as (_, room):
        peer = Peer(room)
        await peer.hear()
        await room.receive(peer.member, frame)

        assert peer.code is None
        assert await peer.hear() == []


async def test_who_was_sent_away_while_its_update_was_looked_into_changes_nothing(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (stored, room):
        peer = Peer(room)
        await peer.synchronise()
        peer.text.insert(0, LONG_BYTES * "a")
        sending = asyncio.create_task(peer.send())
        await asyncio.sleep(0)
        peer.mailbox.dismiss(FAILED)
        await sending
        await room.idle()

        assert stored.written().text == " said"


async def test_a_document_that_failed_is_not_shown_to_anybody(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, rooms), rooms.enter(TRANSCRIPT) as room:
        await room.idle()
        room.transcript = Fragile(room.transcript.client_id, [room.transcript.update_since()])
        ada, bob = Peer(room), Peer(room)
        ada.text.insert(0, "half")
        with pytest.raises(TranscriptError):
            await ada.send()
        await bob.mailbox.dismissed()

        assert bob.mailbox.dismissal == FAILED
        assert stored.written().text == ""
        async with rooms.enter(TRANSCRIPT) as again:
            assert again.transcript.text == ""


async def test_who_is_here_is_told_to_all_and_to_who_comes_later(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        ada, bob = Peer(room), Peer(room, writes=False)
        for peer, name in ((ada, "Ada"), (bob, "Bob")):
            awareness = Awareness(peer.doc)
            awareness.set_local_state({"name": name})
            shown = awareness.encode_awareness_update([peer.doc.client_id])
            await peer.say(messages.Awareness(shown))
        late = Peer(room, writes=False)
        await late.say(messages.QueryAwareness())
        first, second = await late.hear()

        assert first == second
        assert isinstance(first, messages.Awareness)
        seen = Awareness(late.doc)
        seen.apply_awareness_update(first.update, "room")
        states = {client: state for client, state in seen.states.items() if state}
        assert states == {ada.doc.client_id: {"name": "Ada"}, bob.doc.client_id: {"name": "Bob"}}

        room.leave(ada.member)
        gone = (await late.hear())[-1]
        assert isinstance(gone, messages.Awareness)
        seen.apply_awareness_update(gone.update, "room")
        assert ada.doc.client_id not in seen.states
        assert bob.doc.client_id in seen.states


async def test_who_comes_back_too_early_is_told_that_it_is_gone(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        ada = Peer(room)
        awareness = Awareness(ada.doc)
        awareness.set_local_state({"name": "Ada"})
        shown = messages.Awareness(awareness.encode_awareness_update([ada.doc.client_id]))
        await ada.say(shown)
        room.leave(ada.member)
        again = Peer(room)
        await again.hear()
        await again.say(shown)

        assert [type(each) for each in await again.hear()] == [messages.Awareness]


async def test_what_is_being_said_is_shown_in_the_server_s_own_state(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        viewer = Peer(room, writes=False)
        room.show("one", {"text": " hé"})
        room.show("two", {"text": " hm"})
        room.show("two", {"text": " hm"})  # nothing new
        room.show("one", None)
        room.show("one", None)
        room.show("two", None)
        heard = await viewer.hear()

        seen = Awareness(viewer.doc)
        states = []
        for message in heard:
            assert isinstance(message, messages.Awareness)
            seen.apply_awareness_update(message.update, "room")
            states.append(seen.states.get(room.transcript.client_id))
        assert states == [
            {"trax": {"partials": {"one": {"text": " hé"}}}},
            {"trax": {"partials": {"one": {"text": " hé"}, "two": {"text": " hm"}}}},
            {"trax": {"partials": {"two": {"text": " hm"}}}},
            None,
        ]
        assert json.dumps(states[0], ensure_ascii=False).encode() in messages.encode(heard[0])


async def test_two_speakers_never_turn_out_to_be_each_other(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        one, two, three = (SpeakerId(f"s{number}") for number in (1, 2, 3))
        await write(room, AssignTurn(TurnId("1.0"), two), AssignTurn(TurnId("1.5"), three))
        await room.identify(two, one)
        await room.identify(one, two)
        await room.identify(three, two)

        assert [room.identity(each) for each in (one, two, three)] == [one, one, one]
        assert room.transcript.machine_speakers() == {"1.0": "s1", "1.5": "s1"}


async def test_a_room_knows_whether_anybody_is_there(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        found = [room.empty]
        member = Peer(room).member
        found.append(room.empty)
        room.leave(member)
        found.append(room.empty)

        assert found == [True, False, True]
