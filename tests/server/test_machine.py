"""What machines write: planned on a replica, taken over whole or not at all."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Text

from offline.belief import Belief
from offline.decisions import Decision
from offline.domain import PassId, PassWord, Segment, SpeakerId, WordRef
from offline.edits import Delete, InsertText, Plan
from offline.history import History
from offline.page import Page
from offline.placement import place
from offline.reconcile import Portion, correct
from offline.view import View
from server.codes import CloseCode
from server.errors import TranscriptError
from server.mailbox import Mailbox
from server.mirror import Mirror
from server.room import Room
from server.storage.values import PassKind, WordChunk
from server.transcript import Transcript
from server.yjs import messages
from server.yjs.updates import decode_state_vector
from streaming.core.domain import Permille
from tests.server.editing import TRANSCRIPT, Fragile, Storage, open_rooms, until, write
from tests.server.yjs.writing import section, text, update

Decisions = Sequence[Decision]
ONE, TWO = PassId("1"), PassId("2")
SPEAKERS = (SpeakerId("s1"), SpeakerId("s2"), None)
SEEDS = 1
MORE_SEEDS = 60


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Storage, Room]]:
    """Open a room whose transcript has two passes."""
    async with open_rooms(folder) as (stored, rooms), rooms.enter(TRANSCRIPT) as room:
        lease = rooms.lease(TRANSCRIPT)
        for kind in (PassKind.LIVE, PassKind.UTTERANCE):
            stored.store.passes.begin(lease, kind)
        yield stored, room


def word(said: str, at_ms: int) -> PassWord:
    return PassWord(said, at_ms, at_ms + 100, Permille(900))


def insert(at: int, said: str) -> Callable[[View], Plan]:
    return lambda _view: Plan((InsertText(at, said, Segment(ONE, 0, 1)),))


class Halt:
    """A plan that waits in its thread until it may go on."""

    def __init__(self, plan: Callable[[View], Plan]) -> None:
        self.go_on = threading.Event()
        self._begun = threading.Event()
        self._plan = plan

    def __call__(self, view: View) -> Plan:
        self._begun.set()
        self.go_on.wait()
        return self._plan(view)

    async def begun(self) -> None:
        await asyncio.to_thread(self._begun.wait)


class Person:
    """An editor in a room, without a connection."""

    def __init__(self, room: Room, client: int) -> None:
        self.room = room
        self.member = room.join(Mailbox(1024 * 1024), writes=True)
        self.doc: Doc[Any] = Doc(client_id=client)
        self.text: Text = self.doc.get("text", type=Text)
        self.receive()

    def receive(self) -> None:
        self.doc.apply_update(self.room.transcript.update_since(self.doc.get_state()))

    async def send(self) -> None:
        change = self.doc.get_update(self.room.transcript.state_vector())
        await self.room.receive(self.member, messages.encode(messages.Update(change)))


async def test_a_plan_sees_what_was_written_and_its_words_are_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        seen: list[tuple[str, int]] = []

        def plan(view: View) -> Plan:
            seen.append((view.text, len(view.passes[ONE])))
            said = view.passes[ONE][-1].text
            return Plan((InsertText(len(view.text), said, Segment(ONE, 0, 1)),))

        for number, said in enumerate((" a", " b")):
            await room.machine.write(plan, words=(WordChunk(ONE, number, (word(said, number),)),))
        await room.idle()

        assert seen == [("", 1), (" a", 2)]
        assert stored.written().text == room.transcript.text == " a b"
        assert stored.store.passes.words(TRANSCRIPT, [ONE])[ONE] == tuple(room.passes[ONE])


async def test_each_plan_of_a_step_sees_what_those_before_it_wrote(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        await room.machine.write(insert(0, "b"), insert(0, "a"), insert(2, "c"))

        *_, change = room._commits._waiting
        assert len(change.updates) == 3
        await room.idle()
        assert stored.written().text == "abc"


async def test_editors_are_served_while_a_plan_is_made(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        await write(room, InsertText(0, " said", Segment(ONE, 0, 1)))
        person = Person(room, 7)
        halt = Halt(lambda view: Plan((Delete(0, len(view.text)),)))
        writing = asyncio.create_task(room.machine.write(halt))
        await halt.begun()
        person.text.insert(3, "TYPED")
        await person.send()
        assert room.transcript.text == " saTYPEDid"
        halt.go_on.set()
        await writing
        person.receive()
        await room.idle()

        assert room.transcript.text == str(person.text) == stored.written().text == "TYPED"


async def test_a_write_that_is_cancelled_is_not_written_and_others_wait_for_its_end(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (stored, room):
        halt, words = Halt(insert(0, "lost")), (WordChunk(ONE, 0, (word(" lost", 0),)),)
        lost = asyncio.create_task(room.machine.write(insert(0, "also "), halt, words=words))
        await halt.begun()
        seen: list[str] = []

        def look(view: View) -> Plan:
            seen.append(view.text)
            return insert(0, "kept")(view)

        kept = asyncio.create_task(room.machine.write(look))
        lost.cancel()
        for _ in range(4):
            await asyncio.sleep(0)
        assert (lost.done(), kept.done(), seen) == (False, False, [])
        halt.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await lost
        await kept
        await room.idle()

        assert seen == [""]
        assert stored.written().text == "kept"
        assert ONE not in room.passes or room.passes[ONE] == []


async def test_a_write_that_is_cancelled_before_its_turn_is_not_begun(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        halt = Halt(insert(0, "first"))
        first = asyncio.create_task(room.machine.write(halt))
        await halt.begun()
        second = asyncio.create_task(room.machine.write(insert(0, "second")))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert not first.done()
        halt.go_on.set()
        await first

        assert room.transcript.text == "first"


async def test_what_a_plan_that_fails_began_is_not_written(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        await room.machine.write(insert(0, "a"))

        def fail(view: View) -> Plan:
            assert view.text == "ba"
            raise ZeroDivisionError

        words = (WordChunk(ONE, 0, (word(" b", 0),)),)
        with pytest.raises(ZeroDivisionError):
            await room.machine.write(insert(0, "b"), fail, words=words)
        await room.machine.write(insert(1, "c"))
        await room.idle()

        assert stored.written().text == room.transcript.text == "ac"
        assert room.passes.get(ONE, []) == []


async def test_a_document_that_does_not_take_what_was_written_closes_its_room(
    tmp_path: Path,
) -> None:
    async with open_rooms(tmp_path) as (stored, rooms), rooms.enter(TRANSCRIPT) as room:
        await room.idle()
        fragile = Fragile(room.transcript.client_id, [room.transcript.update_since()])
        room.transcript = fragile
        with pytest.raises(TranscriptError):
            await room.machine.write(insert(0, "a"))
        await rooms.closed(TRANSCRIPT, room)

        assert stored.written().text == ""


async def test_words_that_do_not_continue_their_pass_close_the_room(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as (stored, rooms), rooms.enter(TRANSCRIPT) as room:
        words = (WordChunk(ONE, 5, (word(" b", 0),)),)
        await room.machine.write(insert(0, "b"), words=words)
        await rooms.closed(TRANSCRIPT, room)

        assert stored.written().text == ""


async def test_a_machine_writes_under_an_id_that_the_storage_knows(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        await room.machine.write(insert(0, "said"))
        state = decode_state_vector(room.transcript.state_vector(), 9)

        assert len(state) == 2
        assert state.keys() <= stored.store.documents.clients(TRANSCRIPT)
        (writer,) = state.keys() - {room.transcript.client_id}
        assert state[writer] >= len("said")
        forger = Person(room, 7)
        forged = update(section(writer, state[writer], text("forged")))
        await room.receive(forger.member, messages.encode(messages.Update(forged)))
        assert forger.member.mailbox.dismissal is not None
        assert forger.member.mailbox.dismissal.code is CloseCode.FORBIDDEN


async def test_what_the_machine_wrote_before_is_a_machine_s(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, room):
        await room.machine.write(insert(0, "said"))
        person = Person(room, 7)
        person.text.insert(2, "X")
        await person.send()
        found: list[bool] = []

        def look(view: View) -> Plan:
            spans = [(0, 2), (2, 3), (3, 5), (0, 5)]
            found.extend(view.by_machine(start, end) for start, end in spans)
            return Plan()

        await room.machine.write(look)

        assert found == [True, False, True, False]


async def test_a_text_that_was_not_kept_up_to_date_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Mirror, "change", lambda *_: None)
    async with opened(tmp_path) as (_, room):
        for number in range(3):
            await room.machine.write(insert(number, f"{number}"))

        assert room.transcript.text == "012"
        assert caplog.messages == 2 * ["text read anew"]


class Speech:
    """Words of one session, said and corrected at random; and who plans where they go."""

    def __init__(self, live: PassId, again: PassId, chance: random.Random) -> None:
        self._live, self._again, self._chance = live, again, chance
        self._said: list[PassWord] = []
        self._corrected: list[PassWord] = []

    def step(self) -> tuple[Callable[[View, Decisions], Plan], WordChunk]:
        if self._said and self._chance.random() < 0.3:
            return self._correction()
        first, count = len(self._said), self._chance.randint(1, 4)
        new = tuple(word(f" {self._live}é{first + n}", 100 * (first + n)) for n in range(count))
        self._said += new
        segment, speaker = Segment(self._live, first, first + count), self._chance.choice(SPEAKERS)
        chunk = WordChunk(self._live, first, new)
        return lambda view, _: Plan(tuple(place(view, segment, speaker))), chunk

    def _correction(self) -> tuple[Callable[[View, Decisions], Plan], WordChunk]:
        start = self._chance.randrange(len(self._said))
        heard = self._said[start : start + 3]
        first = len(self._corrected)
        new = tuple(word(f" {self._again}ü{first + n}", w.start_ms) for n, w in enumerate(heard))
        new = tuple(self._chance.choice(pair) for pair in zip(new, heard, strict=True))
        self._corrected += new
        live, said = self._live, len(self._said)
        ours = Segment(self._again, first, first + len(new))
        portion = Portion(ours, heard[0].start_ms, heard[-1].end_ms)
        chunk = WordChunk(self._again, first, new)
        return lambda view, made: correct(view, Belief.of(live, said, made), portion), chunk


def _planned(plan: Callable[[View, Decisions], Plan], room: Room, view: View) -> Plan:
    return plan(view, room.decisions)


def created(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def check_same(folder: Path, seed: int) -> None:
    """Check that plans give what they give when they are carried out on the document itself."""
    speech = Speech(ONE, TWO, random.Random(seed))
    plain = Transcript(1)
    decisions: list[Decision] = []
    aliases: dict[WordRef, WordRef] = {}
    passes: dict[PassId, list[PassWord]] = {ONE: [], TWO: []}
    async with opened(folder) as (stored, room):
        for _ in range(25):
            plan, chunk = speech.step()
            await room.machine.write(partial(_planned, plan, room), words=(chunk,))
            passes[chunk.pass_id].extend(chunk.words)
            view = View(
                Page.of(plain.runs(), passes),
                plain.machine_speakers(),
                frozenset(),
                passes,
                lambda start, end: plain.authors(start, end) <= {1},
                History(decisions, aliases),
            )
            made = plan(view, decisions)
            plain.write(made.edits)
            decisions += made.decisions
            aliases |= {alias.old: alias.new for alias in made.aliases}
            assert room.transcript.turns() == plain.turns(), seed
        assert (room.decisions, room.aliases) == (decisions, aliases)
        await room.idle()
        assert stored.written().turns() == plain.turns(), seed


async def test_the_document_is_the_same_as_if_it_were_written_itself(tmp_path: Path) -> None:
    for seed in range(SEEDS):
        await check_same(created(tmp_path / str(seed)), seed)


@pytest.mark.slow
async def test_the_document_is_the_same_for_many_speeches(tmp_path: Path) -> None:
    for seed in range(SEEDS, MORE_SEEDS):
        await check_same(created(tmp_path / str(seed)), seed)


async def check_together(folder: Path, seed: int) -> None:
    """Let two sessions write at once while somebody types, and look for what is missing."""
    chance = random.Random(seed)
    async with opened(folder) as (stored, room):
        person = Person(room, 7)
        typed: list[str] = []

        async def speak(pass_id: PassId) -> None:
            speech = Speech(pass_id, PassId("none"), random.Random(f"{seed}{pass_id}"))
            speech._correction = speech.step  # type: ignore[method-assign]  # words once only
            for _ in range(12):
                plan, chunk = speech.step()
                await room.machine.write(partial(_planned, plan, room), words=(chunk,))

        speaking = asyncio.gather(speak(ONE), speak(TWO))
        while not speaking.done():
            person.receive()
            typed.append(f"<{len(typed)}>")
            at = chance.randint(0, len(str(person.text)))
            person.text.insert(len(str(person.text)[:at].encode()), typed[-1])
            await person.send()
            await asyncio.sleep(0)
        await speaking
        await room.idle()
        person.receive()

        assert person.member.mailbox.dismissal is None
        assert str(person.text) == room.transcript.text == stored.written().text
        letters = sorted("".join(room.transcript.text.split()))
        said = [each.text.strip() for words in room.passes.values() for each in words]
        assert letters == sorted("".join((*said, *typed)))


@pytest.mark.slow
async def test_two_sessions_and_an_editor_lose_nothing(tmp_path: Path) -> None:
    for seed in range(2):
        await check_together(created(tmp_path / str(seed)), seed)


async def test_whatever_is_in_the_way_everything_is_stored_in_the_end(tmp_path: Path) -> None:
    async with opened(tmp_path) as (stored, room):
        with stored.locked():
            writing = [asyncio.create_task(room.machine.write(insert(0, "a"))) for _ in range(3)]
            await until(lambda: room.transcript.text == "aaa")
            assert stored.written().text == ""
        await asyncio.gather(*writing)
        await room.idle()

        assert stored.written().text == "aaa"
