"""Tests of `server.authorship`: what Yjs says of each character, without asking it."""

from __future__ import annotations

import random

import pytest

from offline.domain import PassId, Segment
from offline.edits import Delete, Edit, InsertText
from server.authorship import Authorship
from server.transcript import Transcript

OURS, THEIRS, PERSON = 1, 2, 3


def _edit(chance: random.Random, transcript: Transcript) -> None:
    length = len(transcript.text)
    first, last = sorted(chance.choices(range(length + 1), k=2))
    text = "".join(chance.choices("ab é\n🙂", k=chance.randint(1, 4)))
    inserted = InsertText(first, text, Segment(PassId("1"), 0, 1))
    deleted = Delete(first, min(last, first + 3))
    edits: list[Edit] = [inserted] if chance.random() < 0.6 else []
    transcript.write([*edits, deleted] if chance.random() < 0.6 else edits)


@pytest.mark.parametrize("seed", range(20))
def test_it_says_what_yjs_says(seed: int) -> None:
    chance = random.Random(seed)
    ours, person = Transcript(OURS), Transcript(PERSON)
    before = Transcript(THEIRS)
    for one in (before, person, ours) * 3:
        _edit(chance, one)
        for other in (before, person, ours):
            other.apply(one.update_since())
    machines = {OURS, THEIRS}
    authorship = ours.authorship(machines)
    for _ in range(20):
        one = chance.choice((ours, person))
        _edit(chance, one)
        ours.apply(person.update_since())
        person.apply(ours.update_since())
        text = ours.text
        assert authorship.size_bytes == len(text.encode())
        for start in range(len(text)):
            end = chance.randint(start, min(start + 4, len(text)))
            at = len(text[:start].encode())
            span = at, at + len(text[start:end].encode())
            assert authorship.theirs(*span) == (ours.authors(start, end) <= machines), seed


def test_of_an_empty_text_nothing_is_anybodys() -> None:
    assert Authorship((), 0).theirs(0, 0)
    assert Authorship([{"delete": 2}], 2).theirs(2, 2)
    assert not Authorship([{"delete": 2}], 2).theirs(0, 2)
