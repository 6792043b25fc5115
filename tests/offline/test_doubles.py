"""Tests of `offline.doubles`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.arrangement import arrange
from offline.belief import Belief
from offline.comparison import Portion
from offline.decisions import Outcome
from offline.domain import PassId, PassWord, Segment, SpeakerId, WordRef
from offline.doubles import listen, place_once, settle
from offline.edits import Plan
from offline.placement import place
from offline.reconcile import correct
from tests.offline.paper import Paper, said

A, B, C = PassId("1"), PassId("2"), PassId("3")
AGAIN = {A: PassId("4"), B: PassId("5"), C: PassId("6")}
EACH_MS = 300


@dataclass
class Room:
    """Microphones that hear, and what stands of it."""

    paper: Paper = field(default_factory=Paper)

    def __post_init__(self) -> None:
        for live, again in AGAIN.items():
            self.paper.sessions |= {live: f"session{live}", again: f"session{live}"}

    def hear(
        self,
        live: PassId,
        text: str,
        at_ms: int,
        speaker: str | None = "s1",
        each_ms: int = EACH_MS,
    ) -> None:
        """Have a microphone hear words; of `_`, nothing."""
        heard = [word for word in said(text, at_ms, each_ms) if word.text != " _"]
        self.take(live, heard, speaker)

    def take(self, live: PassId, heard: Sequence[PassWord], speaker: str | None = "s1") -> None:
        """Write words as dictations do."""
        words = self.paper.passes.setdefault(live, [])
        segment = Segment(live, len(words), len(words) + len(heard))
        words += heard
        self.settle(live, (heard[0].start_ms, heard[-1].end_ms), segment)
        who = None if speaker is None else SpeakerId(speaker)
        self.paper.follow(place_once(self.paper.view(), segment, who))

    def settle(self, live: PassId, span: tuple[int, int], new: Segment | None = None) -> None:
        """Take out what stands twice."""
        settled = settle(self.paper.view(), self.paper.sessions[live], span, new)
        self.paper.follow(settled.plan)
        if settled.beside:
            self.paper.make(arrange(self.paper.view(), settled.beside))

    def hear_again(self, live: PassId, text: str, at_ms: int, each_ms: int = EACH_MS) -> None:
        """Have a later pass hear what a microphone heard."""
        words = self.paper.passes.setdefault(AGAIN[live], [])
        heard = [word for word in said(text, at_ms, each_ms) if word.text != " _"]
        new = Segment(AGAIN[live], len(words), len(words) + len(heard))
        words += heard
        end_ms = at_ms + each_ms * len(text.split())
        self.paper.follow(self.plan(live, Portion(new, at_ms, end_ms)))
        self.settle(live, (at_ms, end_ms))

    def plan(self, live: PassId, portion: Portion) -> Plan:
        belief = Belief.of(live, len(self.paper.passes[live]), self.paper.decisions)
        return correct(self.paper.view(), belief, portion)

    @property
    def shown(self) -> list[str]:
        return self.paper.shown


@pytest.fixture
def room() -> Room:
    return Room()


def test_words_that_another_microphone_heard_are_written_once(room: Room) -> None:
    room.hear(A, "we walked there and back", 0)
    room.hear(B, "we walked there and back", 50, "s2")

    assert room.shown == ["s1: we walked there and back"]


def test_the_first_words_of_a_talk_go_once_it_is_known_for_one(room: Room) -> None:
    for n, word in enumerate(["we", "walked", "there", "and", "back"]):
        room.hear(A, word, n * EACH_MS)
        room.hear(B, word, n * EACH_MS + 50, "s2")
        if n == 1:
            assert sorted(room.paper.text.split()) == ["walked", "walked", "we", "we"]

    assert room.shown == ["s1: we walked there and back"]


def test_who_wrote_first_goes_on_even_where_another_is_ahead(room: Room) -> None:
    room.hear(A, "we walked there", 0)
    room.hear(B, "we walked there and", 0, "s2")
    assert room.shown == ["s1: we walked there and"]
    room.hear(B, "back", 4 * EACH_MS, "s2")
    assert room.shown == ["s1: we walked there and", "s2: back"]
    room.hear(A, "and back again", 3 * EACH_MS)

    assert room.shown == ["s1: we walked there and back again"]


def test_what_only_one_heard_stands(room: Room) -> None:
    room.hear(A, "we walked _ and back", 0)
    room.hear(B, "we walked there and back home", 0)

    assert room.shown == ["s1: we walked there and back home"]


def test_what_was_heard_differently_stands_once(room: Room) -> None:
    room.hear(A, "we walked there and back", 0)
    for n, word in enumerate(["we", "walked", "their", "and", "back"]):
        room.hear(B, word, n * EACH_MS)

    assert room.shown == ["s1: we walked there and back"]


def test_two_people_who_say_yes_at_once_are_both_kept(room: Room) -> None:
    room.hear(A, "yes", 0, "s1")
    room.hear(B, "yes", 100, "s2")

    assert room.shown == ["s1: yes", "s2: yes"]


def test_one_person_who_says_yes_is_heard_once(room: Room) -> None:
    room.hear(A, "yes", 0, "s1")
    room.hear(B, "yes", 100, "s1")

    assert room.shown == ["s1: yes"]


def test_a_third_microphone_changes_nothing(room: Room) -> None:
    for live in (A, B, C):
        room.hear(live, "we walked there and back", 50 * int(live), f"s{live}")

    assert room.shown == ["s1: we walked there and back"]


def test_what_a_person_changed_stays_and_nothing_stands_beside_it(room: Room) -> None:
    room.hear(B, "we walked", 0, "s2")
    room.hear(A, "we walked", 0, "s1")
    at = room.paper.text.index("walked") + len("walked")
    room.paper.type(at, "!")
    room.hear(A, "there and back", 2 * EACH_MS, "s1")
    room.hear(B, "there and back", 2 * EACH_MS, "s2")

    assert sorted(room.paper.text.split()) == sorted(["we", "walked!", "there", "and", "back"])


def test_a_word_that_a_person_deleted_comes_back_by_no_other_microphone(room: Room) -> None:
    room.hear(A, "we walked there and back", 0)
    at = room.paper.text.index(" there")
    room.paper.erase(at, at + len(" there"))
    room.hear(B, "we walked there and back", 50, "s2")
    room.hear_again(B, "we walked there and back", 50)

    assert room.shown == ["s1: we walked and back"]


def test_what_people_highlighted_is_not_taken_away(room: Room) -> None:
    room.hear(B, "we walked", 0, "s2")
    room.paper.characters = [replace(each, highlight="red") for each in room.paper.characters]
    room.hear(A, "we walked there and back", 0, "s1")
    room.hear(B, "there and back", 2 * EACH_MS, "s2")

    assert "".join(each.text for each in room.paper.characters if each.highlight).split() == [
        "we",
        "walked",
    ]
    assert sorted(room.paper.text.split()) == sorted(["we", "walked", "there", "and", "back"])


def test_a_later_pass_over_what_does_not_stand_suggests_nothing(room: Room) -> None:
    room.hear(A, "we walked there and back", 0)
    room.hear(B, "we walked their and back", 0, "s2")
    room.hear_again(B, "We walked bear and back.", 0)

    assert room.shown == ["s1: we walked there and back"]
    assert {each.outcome for each in room.paper.decisions} == {Outcome.KEPT}
    room.hear_again(A, "We walked there, and back.", 0)
    assert room.shown == ["s1: We walked there, and back."]


def test_a_later_pass_adds_what_no_other_heard(room: Room) -> None:
    room.hear(A, "we walked _ and back", 0)
    room.hear(B, "we walked _ and back", 0, "s2")
    room.hear_again(B, "we walked there and back", 0)
    assert room.shown == ["s1: we walked there and back"]
    room.hear_again(A, "we walked there and back", 0)

    assert room.shown == ["s1: we walked there and back"]


def test_a_later_pass_mends_what_stood_twice(room: Room) -> None:
    room.hear(A, "we walked there and back", 0)
    room.hear(B, "foo bar baz and", 0, "s2")
    room.hear_again(B, "we walked there and", 0)

    assert room.paper.text.split() == ["we", "walked", "there", "and", "back"]


def test_one_session_hears_no_other(room: Room) -> None:
    room.hear(A, "we walked there we walked there", 0, each_ms=50)

    assert room.shown == ["s1: we walked there we walked there"]
    view = room.paper.view()
    assert listen(view, Segment(A, 0, 6)).talks == ()
    assert listen(replace(view, sessions={}), Segment(A, 0, 6)).talks == ()


# Laws

talk = st.lists(st.sampled_from([f"w{n}" for n in range(30)]), min_size=4, max_size=25, unique=True)
order = st.lists(st.tuples(st.sampled_from([A, B]), st.integers(1, 4)), max_size=30)


def play(
    room: Room, heard: dict[PassId, list[PassWord]], order: list[tuple[PassId, int]], who: str
) -> None:
    """Have microphones write what they heard, in any order."""
    left = {live: list(words) for live, words in heard.items()}
    for live, count in [*order, *((live, 100) for live in left)]:
        some, left[live] = left[live][:count], left[live][count:]
        if some:
            room.take(live, some, who if who != "own" else f"s{live}")


@given(talk, order, st.integers(-300, 300), st.sampled_from(["s1", "own"]))
def test_one_talk_heard_by_two_is_the_document_of_one(
    words: list[str], order: list[tuple[PassId, int]], apart_ms: int, who: str
) -> None:
    room = Room()
    text = " ".join(words)
    heard = {A: said(text, 1_000, EACH_MS), B: said(text, 1_000 + apart_ms, EACH_MS)}
    play(room, heard, order, who)

    assert room.paper.text.split() == words
    before = (room.paper.text, len(room.paper.decisions))
    for live in (A, B):
        room.hear_again(live, text, heard[live][0].start_ms)
    assert (room.paper.text, len(room.paper.decisions)) == before


lost = st.sets(st.integers(0, 24), max_size=6)


@given(talk, lost, lost, order)
def test_what_one_session_alone_heard_stands_exactly_once(
    words: list[str], missed_by_a: set[int], missed_by_b: set[int], order: list[tuple[PassId, int]]
) -> None:
    room = Room()
    whole = said(" ".join(words), 0, EACH_MS)
    heard = {
        A: [word for n, word in enumerate(whole) if n not in missed_by_a],
        B: [word for n, word in enumerate(whole) if n not in missed_by_b],
    }
    play(room, heard, order, "s1")

    stands = room.paper.text.split()
    for n, word in enumerate(words):
        heard_by = (n not in missed_by_a) + (n not in missed_by_b)
        assert min(heard_by, 1) <= stands.count(word) <= heard_by


@given(talk, talk, order)
def test_of_different_talks_nothing_is_lost(
    ours: list[str], theirs: list[str], order: list[tuple[PassId, int]]
) -> None:
    room = Room()
    others = [f"{word}x" for word in theirs]
    heard = {A: said(" ".join(ours), 0, EACH_MS), B: said(" ".join(others), 0, EACH_MS)}
    play(room, heard, order, "own")

    assert sorted(room.paper.text.split()) == sorted([*ours, *others])


edits = st.booleans()


@given(talk, order, st.data())
def test_people_lose_nothing(
    words: list[str], order: list[tuple[PassId, int]], data: st.DataObject
) -> None:
    room = Room()
    text = " ".join(words)
    typed = 0
    for live, count in [*order, (A, 100), (B, 100)]:
        start = len(room.paper.passes.get(live, ()))
        some = said(text, 0, EACH_MS)[start : start + count]
        if some:
            room.take(live, some)
        if room.paper.text and data.draw(edits):
            room.paper.type(data.draw(st.integers(0, len(room.paper.text))), "#")
            typed += 1

    assert room.paper.text.count("#") == typed
    assert set(words) <= set(room.paper.text.replace("#", "").split())


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12), order)
def test_with_one_session_nothing_changes(
    words: list[str], order: list[tuple[PassId, int]]
) -> None:
    room, plain = Room(), Paper()
    heard = said(" ".join(words))
    for _, count in [*order, (A, 100)]:
        first = len(plain.passes.setdefault(A, []))
        some = heard[first : first + count]
        if some:
            room.take(A, some)
            plain.passes[A] += some
            segment = Segment(A, first, first + len(some))
            plain.make(place(plain.view(), segment, SpeakerId("s1")))

    assert room.shown == plain.shown
    assert room.paper.decisions == []


def test_words_are_never_covered_by_themselves(room: Room) -> None:
    room.hear(A, "we walked there and back", 0)
    echoes = listen(room.paper.view(), Segment(A, 0, 5))

    assert not any(echoes.covers(WordRef(A, n)) for n in range(5))


def test_words_that_interrupt_one_turn_several_times_split_it_where_each_does(room: Room) -> None:
    room.hear(A, "oh we walked there", 0)
    room.hear(A, "and back", 4 * EACH_MS)
    room.paper.type(room.paper.text.index("we") + 1, "#")
    room.hear(B, "so oh we um walked there", 0, "s2", each_ms=200)

    assert room.shown == ["s1: oh w#e", "s2: so", "s1: walked", "s2: um", "s1: there and back"]
