"""yrs itself: everything that it writes is taken, and everything that is taken it can bear."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text

from server.yjs.errors import YjsError
from server.yjs.landmarks import Landmarks
from server.yjs.updates import Inspection, Limits, decode_state_vector, fresh, inspect, missing
from tests.server.yjs.yjs_fixtures import FIXTURES

LIMITS = Limits(structs=10_000, clients=100, delete_ranges=10_000)

WORDS = ["a", "hello ", "naïve", "日本", "😀", "👩‍👩‍👧 "]


def state_of(doc: Doc[Any]) -> dict[int, int]:
    return decode_state_vector(doc.get_state(), limit=100)


@dataclass
class Editor:
    """A document, the updates it emits, and everything that can be changed in it."""

    doc: Doc[Any] = field(default_factory=Doc)
    updates: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.text = self.doc.get("text", type=Text)
        self.map = self.doc.get("map", type=Map)
        self.array = self.doc.get("array", type=Array)
        self.doc.observe(lambda event: self.updates.append(event.update))

    def edit(self, choice: random.Random) -> None:
        edits: list[Callable[[random.Random], None]] = [
            self._insert,
            self._insert,
            self._delete,
            self._format,
            self._set,
            self._nest,
            self._push,
        ]
        choice.choice(edits)(choice)

    def _places(self) -> list[int]:
        """Where characters begin: pycrdt counts bytes."""
        places = [0]
        for character in str(self.text):
            places.append(places[-1] + len(character.encode()))
        return places

    def _insert(self, choice: random.Random) -> None:
        self.text.insert(choice.choice(self._places()), choice.choice(WORDS))

    def _delete(self, choice: random.Random) -> None:
        start, end = sorted(choice.choices(self._places(), k=2))
        if start < end:
            del self.text[start:end]

    def _format(self, choice: random.Random) -> None:
        start, end = sorted(choice.choices(self._places(), k=2))
        if start < end:
            self.text.format(start, end, {"hl": choice.choice([None, "red", {"by": [1]}])})

    def _set(self, choice: random.Random) -> None:
        self.map[choice.choice("abc")] = choice.choice([None, 1, 2.5, "😀", {"x": [True]}])

    def _nest(self, choice: random.Random) -> None:
        self.map[choice.choice("abc")] = choice.choice(
            [Text("in😀side"), Map({"k": 1}), Array([1])]
        )

    def _push(self, choice: random.Random) -> None:
        self.array.insert(choice.randint(0, len(self.array)), choice.choice([1, "😀"]))
        if len(self.array) > 3:
            del self.array[choice.randint(0, 3)]


@pytest.mark.slow
@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_every_update_of_an_editor_is_taken(choice: random.Random) -> None:
    """Three editors write, and hear of each other now and then; a server hears everything."""
    editors = [Editor() for _ in range(3)]
    landmarks = Landmarks()
    server: Doc[Any] = Doc()
    for _ in range(15):
        editor = choice.choice(editors)
        editor.edit(choice)
        for update in editor.updates:
            take(landmarks, server, update)
        if choice.random() < 0.4:
            editor.doc.apply_update(server.get_update(editor.doc.get_state()))
        editor.updates.clear()

    whole = inspect(server.get_update(), LIMITS)
    assert missing(whole, {}) is None
    assert {client: ranges[-1].end for client, ranges in fresh(whole, {}).items()} == dict(
        landmarks.state
    )


def take(landmarks: Landmarks, doc: Doc[Any], update: bytes) -> Inspection:
    """Apply an update that is to be taken, and check that what was said about it is so."""
    inspection = inspect(update, LIMITS)
    assert missing(inspection, landmarks.state) is None
    landmarks.check(inspection)
    doc.apply_update(update)
    landmarks.add(inspection)
    assert state_of(doc) == landmarks.state
    return inspection


SESSIONS = [
    [bytes.fromhex(update) for update in session["updates"]] for session in FIXTURES["sessions"]
] + [[bytes.fromhex(document["update"])] for document in FIXTURES["documents"]]

INTERESTING = (0, 1, 2, 3, 4, 7, 8, 10, 0x27, 0x28, 0x44, 0x81, 0x84, 0xC4, 0x7F, 0x80)
"""Bytes that mean something: kinds of structs and of values, and ends of numbers."""


def mutated(update: bytes, choice: random.Random) -> bytes:
    """Return an update with a few bytes changed, added, removed, repeated or cut off."""
    found = bytearray(update)
    for _ in range(choice.randint(1, 3)):
        at = choice.randrange(len(found)) if found else 0
        match choice.randrange(6):
            case 0:
                found[at : at + 1] = bytes((choice.choice(INTERESTING),))
            case 1:
                found[at : at + 1] = bytes((choice.randrange(256),))
            case 2:
                found[at:at] = bytes((choice.randrange(256),))
            case 3:
                del found[at : at + 1]
            case 4:
                found[at:at] = found[at : at + choice.randint(1, 6)]
            case _:
                other = choice.choice(choice.choice(SESSIONS))
                start = choice.randrange(len(other))
                found[at:at] = other[start : start + choice.randint(1, 10)]
    return bytes(found)


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_what_is_taken_of_an_attacker_leaves_the_document_whole(choice: random.Random) -> None:
    session = choice.choice(SESSIONS)
    landmarks = Landmarks()
    editor = Editor()
    for step in range(len(session) + 5):
        honest = step < len(session) and choice.random() < 0.7
        update = session[step] if honest else mutated(choice.choice(session), choice)
        try:
            inspection = inspect(update, LIMITS)
            if missing(inspection, landmarks.state) is not None:
                continue
            landmarks.check(inspection)
        except YjsError:
            continue
        take(landmarks, editor.doc, update)

        assert_whole(editor, landmarks)
    editor.edit(choice)
    for update in editor.updates[-1:]:
        inspect(update, LIMITS)


def assert_whole(editor: Editor, landmarks: Landmarks) -> None:
    """A document read again holds the same text, and nothing in it waits for anything.

    In which order is not sure: see the end of what `server.yjs.landmarks` says about itself.
    """
    written = editor.doc.get_update()
    again = Editor()
    inspection = take(Landmarks(), again.doc, written)

    assert missing(inspection, {}) is None
    assert state_of(again.doc) == landmarks.state
    assert sorted(str(again.text)) == sorted(str(editor.text))


def test_what_waits_in_yrs_is_told_before() -> None:
    update = bytes.fromhex(FIXTURES["skipping"])
    doc: Doc[Any] = Doc()
    doc.apply_update(update)

    assert missing(inspect(update, LIMITS), {}) is not None
    assert state_of(doc) == {1: 2}
