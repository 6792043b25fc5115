"""Tests of `offline.reconcile`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.belief import Belief
from offline.domain import PassId, Segment, SpeakerId, TurnId, WordRef
from offline.edits import Plan
from offline.reconcile import Portion, correct
from tests.offline.paper import LIVE, OTHER, Character, Paper, said
from tests.offline.test_placement import say


def hear_again(paper: Paper, text: str, start_ms: int = 0, end_ms: int = 10_000) -> None:
    """Have another pass hear everything, or what is in a span, once more."""
    words = paper.passes.setdefault(OTHER, [])
    new = Segment(OTHER, len(words), len(words) + len(text.split()))
    words += said(text, start_ms)
    belief = Belief.of(LIVE, len(paper.passes[LIVE]), paper.decisions)
    paper.follow(correct(paper.view(), belief, Portion(new, start_ms, end_ms)))


@pytest.fixture
def paper() -> Paper:
    paper = Paper()
    say(paper, "we went to", "s1", 0)
    say(paper, "there house", "s1", 300)
    say(paper, "fine", "s2", 500)
    return paper


@pytest.mark.parametrize(
    ("heard", "shown"),
    [
        ("we went to there house fine", ["s1: we went to there house", "s2: fine"]),
        ("we went to their house fine", ["s1: we went to their house", "s2: fine"]),
        ("We went to their house. Fine.", ["s1: We went to their house.", "s2: Fine."]),
        ("we went to the old house fine", ["s1: we went to the old house", "s2: fine"]),
        ("so we went to there house fine", ["s1: so we went to there house", "s2: fine"]),
        ("we went there house fine", ["s1: we went there house", "s2: fine"]),
        ("we went to there house yes fine", ["s1: we went to there house yes", "s2: fine"]),
        ("went to there house fine then", ["s1:  went to there house", "s2: fine then"]),
    ],
)
def test_words_that_nobody_touched_are_replaced(paper: Paper, heard: str, shown: list[str]) -> None:
    hear_again(paper, heard)

    assert paper.shown == shown


def test_a_word_that_a_person_changed_stays(paper: Paper) -> None:
    at = paper.text.index("there") + 5
    paper.type(at, "abouts")

    hear_again(paper, "we walked to their house fine")

    assert paper.shown == ["s1: we walked to thereabouts house", "s2: fine"]


def test_a_word_that_a_person_typed_again_stays(paper: Paper) -> None:
    at = paper.text.index("there")
    paper.erase(at, at + 5)
    paper.type(at, "there")

    hear_again(paper, "we went to their house fine")

    assert paper.shown == ["s1: we went to there house", "s2: fine"]


def test_nothing_is_replaced_across_what_a_person_wrote(paper: Paper) -> None:
    paper.type(paper.text.index(" house"), " (green)")

    hear_again(paper, "we went to my home fine")

    assert "(green)" in paper.text
    assert paper.shown == ["s1: we went to there (green) house", "s2: fine"]


def test_what_a_person_deleted_does_not_come_back(paper: Paper) -> None:
    at = paper.text.index(" there")
    paper.erase(at, at + 6)

    hear_again(paper, "we went to their house fine")

    assert paper.shown == ["s1: we went to house", "s2: fine"]


def test_words_are_not_inserted_where_both_neighbours_are_gone(paper: Paper) -> None:
    at = paper.text.index(" to there")
    paper.erase(at, at + len(" to there"))

    hear_again(paper, "we went to over there house fine")

    assert paper.shown == ["s1: we went house", "s2: fine"]


def test_words_before_the_first_of_a_turn_are_inserted_behind_its_newline(paper: Paper) -> None:
    hear_again(paper, "quite fine", 500)

    assert paper.shown == ["s1: we went to there house", "s2: quite fine"]


texts = st.lists(st.sampled_from("abcd"), min_size=1, max_size=8).map(" ".join)


@given(texts, texts, st.data())
def test_untouched_text_becomes_what_was_heard_and_people_lose_nothing(
    first: str, second: str, data: st.DataObject
) -> None:
    paper = Paper()
    say(paper, first, "s1", 0)
    places = data.draw(st.lists(st.integers(1, len(paper.text)), max_size=3))
    for place in sorted(places, reverse=True):
        paper.type(place, "X")

    hear_again(paper, second)

    typed = [each for each in paper.characters if each.by_person]
    assert len(typed) == len(places)
    if not places:
        assert paper.text.split() == second.split()


def test_what_a_person_highlighted_stays_so(paper: Paper) -> None:
    at = paper.text.index(" there")
    for place in range(at, at + 6):
        each = paper.characters[place]
        paper.characters[place] = Character(each.text, each.segment, highlight="yellow")

    hear_again(paper, "we went to their house fine")

    runs = [run.text for run in paper.runs() if run.highlight == "yellow"]
    assert (paper.shown[0], runs) == ("s1: we went to their house", [" their"])


def test_a_hunk_over_two_turns_leaves_the_one_that_a_person_named(paper: Paper) -> None:
    hear_again(paper, "we went to there home dine")
    assert paper.shown == ["s1: we went to there home dine", "s2: "]

    other = Paper()
    say(other, "we went to there house", "s1", 0)
    say(other, "fine", "s2", 500)
    other.chosen[TurnId("1.5")] = SpeakerId("s9")
    hear_again(other, "we went to there home dine")
    assert other.shown == ["s1: we went to there house", "s9: fine"]


def test_words_of_several_passes_are_replaced(paper: Paper) -> None:
    hear_again(paper, "we walked to there house fine")
    say_words = said("we talked to their house fine")
    paper.passes[PassId("3")] = say_words
    belief = Belief.of(LIVE, 6, paper.decisions)

    plan = correct(paper.view(), belief, Portion(Segment(PassId("3"), 0, 6), 0, 10_000))
    paper.follow(plan)

    assert paper.shown == ["s1: we talked to their house", "s2: fine"]
    assert [decision.hunk for decision in plan.decisions] == ["2.1-2>3.1-2", "1.3-4>3.3-4"]


def test_what_nobody_heard_before_is_placed_in_turns_of_its_speakers() -> None:
    paper = Paper()
    paper.passes = {LIVE: [], OTHER: [*said("hello there"), *said("hi", 200), *said("so", 9_000)]}
    speakers = [SpeakerId(name) for name in ("s1", "s1", "s2", "s2")]
    said_by = {WordRef(OTHER, n): who for n, who in enumerate(speakers)}

    portion = Portion(Segment(OTHER, 0, 4), 0, 10_000)
    paper.follow(correct(paper.view(), Belief.of(LIVE, 0), portion, said_by))

    assert paper.shown == ["s1: hello there", "s2: hi", "s2: so"]
    belief = Belief.of(LIVE, 0, paper.decisions)
    assert correct(paper.view(), belief, portion, said_by) == Plan()
