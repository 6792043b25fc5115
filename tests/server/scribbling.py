"""Editors that do at random what people do to a transcript, and an account of what is to stand.

Every character that anybody writes, and that the script says, occurs once only. So it is known of
each of them whether it may be missing: only who deletes it makes it go.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from pycrdt import Doc, Map, Text
from websockets.exceptions import ConnectionClosed

from server.registers import DROPPED
from server.storage.store import Store
from tests.server.editing import Editor, editing
from tests.server.talking import Running, script

# Letters without case, of a script that puts spaces between words.
_LETTERS = [chr(code) for code in range(0x1200, 0x1380) if chr(code).isalpha()]
WORD_LETTERS = 3
MOST_WORDS = len(_LETTERS) // WORD_LETTERS

MAPS = ("turns", "hturns", "mspeakers", "speakers", "meta")


def spoken_words(count: int) -> list[str]:
    """Return words of which no two have a letter in common."""
    starts = range(0, count * WORD_LETTERS, WORD_LETTERS)
    return ["".join(_LETTERS[start : start + WORD_LETTERS]) for start in starts]


def speech_of(words: list[str]) -> str:
    """Return a script of two speakers: two words a second, a pause after every fifth."""
    return script(
        *(
            (word, 0.5 * n + n // 5, 0.5 * n + n // 5 + 0.4, f"S{n // 5 % 2 + 1}")
            for n, word in enumerate(words)
        )
    )


class Scribbler:
    """Edits one replica at random, whether it is connected or not.

    Attributes:
        written: The characters that it wrote into the text.
        deleted: The characters that it deleted, whoever wrote them.
        noted: The characters that it wrote into the notes.
        chosen: What it wrote into the registers of people, by map and key.
        codes: The close codes of its connections.
    """

    def __init__(self, number: int, chance: random.Random) -> None:
        self.editor = Editor()
        self.written: list[str] = []
        self.deleted: set[str] = set()
        self.noted: list[str] = []
        self.chosen: dict[tuple[str, str], set[str]] = {}
        self.codes: set[int] = set()
        self._name = f"p{number}"
        self._chance = chance
        # Three bytes in UTF-8 and one unit in UTF-16; four and two.
        self._narrow = iter(range(0x4E00 + 2_000 * number, 0x4E00 + 2_000 * (number + 1)))
        self._wide = iter(range(0x1F300 + 200 * number, 0x1F300 + 200 * (number + 1)))
        self._notes: Text = self.editor.doc.get("notes", type=Text)
        self._count = 0

    def act(self) -> None:
        """Do one thing."""
        actions: list[tuple[int, Callable[[], None]]] = [
            (8, self._type),
            (4, self._delete),
            (2, self._split),
            (1, self._join),
            (1, self._rename),
            (2, self._choose),
            (2, self._highlight),
            (1, self._note),
        ]
        weights = [weight for weight, _ in actions]
        self._chance.choices(actions, weights)[0][1]()

    async def work(self, server: Running, transcript: str, sittings: int) -> None:
        """Edit with connections that break again and again; the last one ends well."""
        for sitting in range(sittings):
            async with self.connected(server, transcript):
                for _ in range(self._chance.randrange(5, 15)):
                    self.act()
                    if self._chance.random() < 0.7:
                        await self.editor.flush()
                    await asyncio.sleep(self._chance.random() * 0.05)
                if sitting < sittings - 1 and self._chance.random() < 0.7:
                    self.lose_connection()
            for _ in range(self._chance.randrange(4)):
                self.act()

    @asynccontextmanager
    async def connected(self, server: Running, transcript: str) -> AsyncIterator[None]:
        """Connect; that the connection is lost meanwhile does not matter."""
        with suppress(ConnectionClosed, OSError):
            async with editing(server, transcript, self.editor):
                yield
        self.codes.add(self.editor.code)

    def lose_connection(self) -> None:
        """Lose the connection, with what is on its way."""
        assert self.editor.socket is not None
        self.editor.socket.transport.abort()

    def _type(self) -> None:
        characters = "".join(self._new() for _ in range(self._chance.randrange(1, 5)))
        self.written += characters
        text = str(self.editor.text)
        self.editor.text.insert(self._bytes(self._chance.randrange(len(text) + 1)), characters)

    def _delete(self) -> None:
        text = str(self.editor.text)
        if text:
            start = self._chance.randrange(len(text))
            end = min(len(text), start + self._chance.randrange(1, 6))
            self.deleted.update(text[start:end])
            del self.editor.text[self._bytes(start) : self._bytes(end)]

    def _split(self) -> None:
        at = self._chance.randrange(len(str(self.editor.text)) + 1)
        self.editor.text.insert(self._bytes(at), "\n", {"t": self._fresh()})

    def _join(self) -> None:
        text = str(self.editor.text)
        breaks = [at for at, character in enumerate(text) if character == "\n"]
        if breaks:
            at = self._chance.choice(breaks)
            del self.editor.text[self._bytes(at) : self._bytes(at + 1)]

    def _rename(self) -> None:
        speaker = self._chance.choice(["s1", "s2"])
        name = self._fresh()
        self.editor.map("speakers")[speaker] = {"name": name}
        self.chosen.setdefault(("speakers", speaker), set()).add(name)

    def _choose(self) -> None:
        turns = sorted(self.editor.map("turns").keys())
        if turns:
            turn, speaker = self._chance.choice(turns), self._fresh()
            self.editor.map("hturns")[turn] = speaker
            self.chosen.setdefault(("hturns", turn), set()).add(speaker)

    def _highlight(self) -> None:
        length = len(str(self.editor.text))
        if length:
            start = self._chance.randrange(length)
            end = min(length, start + self._chance.randrange(1, 20))
            self.editor.text.format(
                self._bytes(start), self._bytes(end), {"hl": self._chance.choice(["red", "green"])}
            )

    def _note(self) -> None:
        character = self._new()
        self.noted.append(character)
        self._notes.insert(0, character)

    def _new(self) -> str:
        return chr(next(self._chance.choice([self._narrow, self._wide])))

    def _fresh(self) -> str:
        self._count += 1
        return f"{self._name}-{self._count}"

    def _bytes(self, at: int) -> int:
        return len(str(self.editor.text)[:at].encode())


def contents(doc: Doc[Any]) -> dict[str, object]:
    """Return all that a replica shows: each character with its attributes, and the maps."""
    text, notes = doc.get("text", type=Text), doc.get("notes", type=Text)
    found: dict[str, object] = {
        "text": [
            (character, attributes or {})
            for stretch, attributes in text.diff()
            for character in str(stretch)
        ],
        "notes": str(notes),
    }
    for name in MAPS:
        register: Map[Any] = doc.get(name, type=Map)
        found[name] = dict(register.items())
    return found


def stored_doc(store: Store, transcript: str) -> Doc[Any]:
    """Return a replica of what is stored."""
    document = store.documents.read(transcript)
    doc: Doc[Any] = Doc()
    for update in (document.snapshot, *document.updates):
        if update is not None:
            doc.apply_update(update)
    return doc


async def all_equal(server: Running, transcript: str, scribblers: list[Scribbler]) -> None:
    """Connect everybody once more, and wait until they show the same."""
    for each in scribblers:
        async with each.connected(server, transcript):
            await each.editor.acknowledged()
    for each in scribblers:
        async with each.connected(server, transcript):
            await each.editor.acknowledged()
    first, *others = (contents(each.editor.doc) for each in scribblers)
    assert [other == first for other in others] == [True] * len(others)


def check(doc: Doc[Any], words: list[str], scribblers: list[Scribbler]) -> None:
    """Check that everything stands that was said and written, unless somebody deleted it."""
    written = [character for each in scribblers for character in each.written]
    deleted = {character for each in scribblers for character in each.deleted}
    counted = Counter(str(doc.get("text", type=Text)))
    for character in (*written, *"".join(words)):
        expected = 0 if character in deleted else 1
        assert counted.pop(character, 0) == expected, (character, expected)
    assert set(counted) <= {" ", "\n"}

    noted = [character for each in scribblers for character in each.noted]
    assert sorted(str(doc.get("notes", type=Text))) == sorted(noted)
    for name, key in {choice for each in scribblers for choice in each.chosen}:
        register: Map[Any] = doc.get(name, type=Map)
        by_people = {value for each in scribblers for value in each.chosen.get((name, key), set())}
        found = register[key]
        assert (found["name"] if isinstance(found, dict) else found) in by_people
    begun = {(attributes or {}).get("t") for _, attributes in doc.get("text", type=Text).diff()}
    for turn, speaker in doc.get("turns", type=Map).items():
        dropped = speaker == DROPPED and turn not in begun
        assert dropped or re.fullmatch(r"s\d+", speaker), (turn, speaker)
