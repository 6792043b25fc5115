"""A text that is kept up to date says the same as one that is read anew, whatever is done to it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pycrdt import Doc, Text

from offline.domain import PassId, Segment, TurnId
from offline.edits import Delete, Edit, InsertText, InsertTurn
from server.mirror import Mirror
from server.transcript import Transcript

WORDS = ("", " a", " Grüße", " 🙂", "\n", "語", " zwei\nZeilen ", "é́")
SEEDS = 60


def read_anew(transcript: Transcript) -> Mirror:
    return Mirror((str(text), attributes or {}) for text, attributes in transcript._text.diff())


class Person:
    """An editor who does anything at all, and is in step now and then."""

    def __init__(self, client: int, chance: random.Random) -> None:
        self.doc: Doc[Any] = Doc(client_id=client)
        self.text: Text = self.doc.get("text", type=Text)
        self.chance = chance

    def edit(self) -> None:
        text, chance = str(self.text), self.chance
        start, end = sorted(self.place(text) for _ in range(2))
        match chance.choice(("type", "type", "type plain", "delete", "mark", "unmark")):
            case "type":
                self.text.insert(start, chance.choice(WORDS))
            case "type plain":
                self.text.insert(start, chance.choice(WORDS), {"hl": "red", "t": None, "g": None})
            case "delete" if end > start:
                del self.text[start:end]
            case "mark" if end > start:
                self.text.format(start, end, {"hl": chance.choice(("red", "blue"))})
            case "unmark" if end > start:
                self.text.format(start, end, {"hl": None})

    def place(self, text: str) -> int:
        return len(text[: self.chance.randint(0, len(text))].encode())


def machine_edit(transcript: Transcript, chance: random.Random, number: int) -> None:
    text = transcript.text
    start, end = sorted(chance.randint(0, len(text)) for _ in range(2))
    edits: dict[str, list[Edit]] = {
        "say": [InsertText(start, f" said{number}é", Segment(PassId("1"), number, number + 1))],
        "turn": [InsertTurn(start, TurnId(f"1.{number}"))],
        "correct": [
            InsertText(start, " ñow", Segment(PassId("2"), number, number + 1)),
            Delete(start, min(end, start + 4)),
            InsertText(end, " and", Segment(PassId("2"), number + 1, number + 2)),
        ],
    }
    transcript.write(edits[chance.choice(sorted(edits))])


def check(seed: int) -> int:
    chance = random.Random(seed)
    transcript = Transcript(1)
    transcript.write([InsertText(0, " Grüße an alle 🙂", Segment(PassId("1"), 0, 4))])
    mirror = transcript.mirror()
    people = [Person(client, chance) for client in (2, 3)]
    for number in range(60):
        person = chance.choice(people)
        match chance.choice(("machine", "person", "person", "person", "send", "receive")):
            case "machine":
                machine_edit(transcript, chance, number)
            case "person":
                person.edit()
            case "send":
                transcript.apply(person.doc.get_update(transcript.state_vector()))
            case "receive":
                person.doc.apply_update(transcript.update_since(person.doc.get_state()))
        expected = read_anew(transcript)
        assert mirror.text == transcript.text, (seed, number)
        assert mirror.runs == expected.runs, (seed, number)
    return len(mirror.text)


def test_whatever_is_changed_the_mirror_says_what_the_text_says() -> None:
    assert sum(check(seed) for seed in range(6)) > 100


@pytest.mark.slow
def test_whatever_is_changed_for_long_the_mirror_says_what_the_text_says() -> None:
    assert sum(check(seed) for seed in range(6, SEEDS)) > 1_000


def test_an_empty_text_has_no_runs() -> None:
    mirror = Transcript(1).mirror()

    assert (mirror.runs, mirror.text) == ([], "")
    mirror.change([])
    assert mirror.runs == []


def test_neighbours_that_are_alike_are_one_run() -> None:
    mirror = Mirror([("a", {"g": "1:0:1"}), ("", {}), ("b", {"g": "1:0:1"}), ("c", {})])
    assert [run.text for run in mirror.runs] == ["ab", "c"]

    mirror.change([{"retain": 2, "attributes": {"g": None}}])
    assert [run.text for run in mirror.runs] == ["abc"]
