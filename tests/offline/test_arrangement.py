"""Tests of `offline.arrangement`."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.arrangement import arrange, spread
from offline.domain import PassId, SpeakerId, TurnId, WordRef
from offline.history import History
from offline.placement import NEW_TURN_AFTER_MS
from tests.offline.paper import LIVE, OTHER, Character, Paper
from tests.offline.test_placement import say


def reveal(paper: Paper, speakers: Mapping[int, str], pass_id: PassId = LIVE) -> None:
    """Have it become known who said which words."""
    said_by = {WordRef(pass_id, word): SpeakerId(name) for word, name in speakers.items()}
    paper.make(arrange(paper.view(), said_by))


@pytest.fixture
def paper() -> Paper:
    return Paper()


def test_a_turn_of_nobody_gets_its_speaker(paper: Paper) -> None:
    say(paper, "a b", None, 0)

    reveal(paper, {0: "s1", 1: "s1"})

    assert paper.shown == ["s1: a b"]


def test_words_known_in_part_name_the_turn(paper: Paper) -> None:
    say(paper, "a b c", None, 0)

    reveal(paper, {1: "s1"})

    assert paper.shown == ["s1: a b c"]


def test_a_turn_begins_where_the_voice_changes(paper: Paper) -> None:
    say(paper, "a b c d", "s1", 0)

    reveal(paper, {2: "s2", 3: "s2"})

    assert paper.shown == ["s1: a b", "s2: c d"]


def test_a_turn_is_interrupted_and_goes_on(paper: Paper) -> None:
    say(paper, "a b c d", "s1", 0)

    reveal(paper, {1: "s2", 2: "s2"})

    assert paper.shown == ["s1: a", "s2: b c", "s1: d"]


def test_the_first_words_of_a_turn_move_to_the_turn_before(paper: Paper) -> None:
    say(paper, "a b", "s1", 0)
    say(paper, "c d", "s2", 200)

    reveal(paper, {2: "s1"})

    assert paper.shown == ["s1: a b c", "s2: d"]


def test_turns_of_one_voice_become_one(paper: Paper) -> None:
    say(paper, "a b", "s1", 0)
    say(paper, "c d", "s2", 200)
    say(paper, "e", "s1", 400)

    reveal(paper, {2: "s1", 3: "s1"})

    assert paper.shown == ["s1: a b c d e"]


def test_a_pause_keeps_turns_of_one_voice_apart(paper: Paper) -> None:
    say(paper, "a", "s1", 0)
    say(paper, "b", "s2", 100 + NEW_TURN_AFTER_MS)

    reveal(paper, {1: "s1"})

    assert paper.shown == ["s1: a", "s1: b"]


def test_a_turn_that_a_person_named_stays_as_it_is(paper: Paper) -> None:
    say(paper, "a b", "s1", 0)
    say(paper, "c d", "s2", 200)
    paper.chosen[TurnId("1.2")] = SpeakerId("s9")

    reveal(paper, {1: "s2", 2: "s1", 3: "s3"})

    assert paper.shown == ["s1: a", "s2: b", "s9: c d"]


def test_nothing_joins_a_turn_that_a_person_named(paper: Paper) -> None:
    say(paper, "a b", "s1", 0)
    say(paper, "c d", "s2", 200)
    paper.chosen[TurnId("1.0")] = SpeakerId("s9")

    reveal(paper, {2: "s1", 3: "s1"})

    assert paper.shown == ["s9: a b", "s1: c d"]


def test_a_marker_that_a_person_made_stays(paper: Paper) -> None:
    say(paper, "a b", "s1", 0)
    say(paper, "c d", "s2", 200)
    paper.characters = [
        type(each)(each.text, each.segment, each.turn, by_person=each.turn == TurnId("1.2"))
        for each in paper.characters
    ]

    reveal(paper, {2: "s1", 3: "s1"})

    assert paper.shown == ["s1: a b", "s1: c d"]


def test_what_a_person_wrote_between_two_turns_keeps_them_apart(paper: Paper) -> None:
    say(paper, "a", "s1", 0)
    say(paper, "b", "s2", 100)
    paper.type(paper.text.index("\n", 1), " (laughs)")

    reveal(paper, {1: "s1"})

    assert paper.shown == ["s1: a (laughs)", "s1: b"]


def test_words_that_are_gone_change_nothing(paper: Paper) -> None:
    say(paper, "a b c", "s1", 0)
    paper.erase(0, len(paper.text))

    reveal(paper, {1: "s2"})

    assert paper.shown == []


def test_nothing_known_changes_nothing(paper: Paper) -> None:
    assert arrange(paper.view(), {}) == []


def test_text_before_all_turns_has_no_speaker(paper: Paper) -> None:
    say(paper, "a b", "s1", 0)
    paper.erase(0, 1)

    reveal(paper, {0: "s2"})

    assert paper.shown == ["?: a b"]


def test_voices_of_two_microphones_join(paper: Paper) -> None:
    say(paper, "a", "s1", 0)
    say(paper, "b", "s2", 100, OTHER)

    reveal(paper, {0: "s1"}, OTHER)

    assert paper.shown == ["s1: a b"]


labels = st.lists(st.sampled_from(["s1", "s2", "s3"]), min_size=1, max_size=10)


@given(labels, st.data())
def test_turns_agree_with_the_speakers_however_they_became_known(
    truth: list[str], data: st.DataObject
) -> None:
    paper = Paper()
    for n, guess in enumerate(truth):
        say(paper, f"w{n}", data.draw(st.sampled_from([None, guess, "s3"])), 100 * n)
    known = list(range(len(truth)))
    while known:
        first = data.draw(st.sampled_from(known))
        group = [n for n in range(first, len(truth)) if n in known and truth[n] == truth[first]]
        last = data.draw(st.integers(1, len(group)))
        reveal(paper, {n: truth[n] for n in group[:last]})
        known = [n for n in known if n not in group[:last]]

    expected: list[str] = []
    for n, speaker in enumerate(truth):
        if n and truth[n - 1] == speaker:
            expected[-1] += f" w{n}"
        else:
            expected.append(f"{speaker}: w{n}")
    assert paper.shown == expected

    shown = paper.shown
    reveal(paper, dict(enumerate(truth)))
    assert paper.shown == shown


def test_turns_that_a_person_joined_are_not_parted_again(paper: Paper) -> None:
    say(paper, "a b", "s1", 0)
    say(paper, "c d", "s2", 200)
    paper.erase(paper.text.index("\n", 1), paper.text.index("\n", 1) + 1)

    reveal(paper, {0: "s1", 1: "s1", 2: "s2", 3: "s2"})

    assert paper.shown == ["s1: a bc d"]


def test_a_turn_begins_again_whose_speaker_a_person_chose_when_it_was_joined(paper: Paper) -> None:
    say(paper, "a b", "s1", 0)
    say(paper, "c d", "s2", 200)
    reveal(paper, {2: "s1", 3: "s1"})
    assert paper.shown == ["s1: a b c d"]
    paper.chosen[TurnId("1.2")] = SpeakerId("s9")

    reveal(paper, {0: "s1"})

    assert paper.shown == ["s1: a b", "s9: c d"]
    assert arrange(paper.view(), {WordRef(LIVE, 2): SpeakerId("s1")}) == []


def test_turns_of_which_nothing_is_left_go(paper: Paper) -> None:
    for n, speaker in enumerate(["s1", "s2", "s3"]):
        say(paper, f"w{n}", speaker, 100 * n)
    for word in ("w1", "w2"):
        at = paper.text.index(word)
        paper.erase(at, at + 2)

    reveal(paper, {0: "s1"})

    assert paper.shown == ["s1: w0"]


def test_the_space_of_a_word_that_now_begins_a_turn_goes(paper: Paper) -> None:
    say(paper, "a b c", "s1", 0)
    paper.erase(1, 2)
    assert paper.shown == ["s1:  b c"]

    reveal(paper, {1: "s1"})

    assert paper.shown == ["s1: b c"]


def test_two_turns_never_have_one_name(paper: Paper) -> None:
    say(paper, "a b", "s1", 0)
    paper.characters.insert(0, Character("\n", turn=TurnId("1.1")))

    reveal(paper, {1: "s2"})

    turns = [run.turn for run in paper.runs() if run.turn is not None]
    assert turns == ["1.1", "1.0", "1.1-2"]


def test_speakers_spread_to_the_words_that_stand_for_those_of_a_pass() -> None:
    old, new, other, later = (WordRef(PassId(name), 0) for name in ("1", "2", "3", "4"))
    said_by = {new: SpeakerId("s1"), other: SpeakerId("s2")}

    history = History(aliases={old: new, other: later})
    assert spread(said_by, history) == {old: "s1", new: "s1"}
