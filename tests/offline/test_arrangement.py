"""Tests of `offline.arrangement`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.arrangement import arrange, spread
from offline.belief import Belief
from offline.domain import PassId, Segment, SpeakerId, TurnId, WordRef
from offline.placement import NEW_TURN_AFTER_MS
from offline.reconcile import Portion, correct
from tests.offline.paper import LIVE, OTHER, Character, Paper, said
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


def test_what_a_person_wrote_between_two_turns_stays_where_they_become_one(paper: Paper) -> None:
    say(paper, "a", "s1", 0)
    say(paper, "b", "s2", 100)
    paper.type(paper.text.index("\n", 1), " (laughs)")

    reveal(paper, {1: "s1"})

    assert paper.shown == ["s1: a (laughs) b"]


def test_a_line_that_a_person_began_keeps_turns_apart(paper: Paper) -> None:
    say(paper, "a", "s1", 0)
    say(paper, "b", "s2", 100)
    paper.type(paper.text.index("\n", 1), "\n(laughs)")

    reveal(paper, {1: "s1"})

    assert paper.shown == ["s1: a\n(laughs)", "s1: b"]


def scribble(paper: Paper, word: str) -> None:
    """A person types into the middle of a word, which does not stand any more."""
    paper.type(paper.text.index(word) + 1, "éNß")


def capitalise(paper: Paper, word: str) -> None:
    """A person changes the first letter of a word, which still stands."""
    at = paper.text.index(word)
    letter = paper.characters[at].text.upper()
    paper.characters[at] = replace(paper.characters[at], text=letter, by_person=True)


def test_turns_become_one_over_words_that_people_changed(paper: Paper) -> None:
    say(paper, "their first levy they", "s2", 0)
    scribble(paper, "first")
    reveal(paper, {0: "s1", 1: "s1"})
    assert paper.shown == ["s1: their féNßirst", "s2: levy they"]

    reveal(paper, {2: "s1", 3: "s1"})

    assert paper.shown == ["s1: their féNßirst levy they"]


def test_a_turn_that_begins_with_a_changed_word_is_joined_with_a_space(paper: Paper) -> None:
    say(paper, "a b", "s1", 0)
    say(paper, "once more", "s2", 200)
    scribble(paper, "once")

    reveal(paper, {2: "s1", 3: "s1"})

    assert paper.shown == ["s1: a b oéNßnce more"]


def test_a_pause_before_a_changed_word_keeps_turns_apart(paper: Paper) -> None:
    say(paper, "a b", "s1", 0)
    say(paper, "once more", "s2", 200 + NEW_TURN_AFTER_MS)
    scribble(paper, "once")

    reveal(paper, {2: "s1", 3: "s1"})

    assert paper.shown == ["s1: a b", "s1: oéNßnce more"]


def test_words_that_a_person_took_away_are_no_pause(paper: Paper) -> None:
    say(paper, "a b", "s1", 0)
    long = " ".join(f"w{n}" for n in range(40))
    say(paper, long, "s1", 200)
    say(paper, "c", "s2", 4_200)
    at = paper.text.index(" w0")
    paper.erase(at, at + len(long) + 1)

    reveal(paper, {42: "s1"})

    assert paper.shown == ["s1: a b c"]


def test_a_turn_of_which_people_changed_all_words_follows_its_voice(paper: Paper) -> None:
    for n, speaker in enumerate(["s1", "s2", "s1"]):
        say(paper, f"word{n}", speaker, 100 * n)
    scribble(paper, "word1")

    reveal(paper, {1: "s3"})
    assert paper.shown == ["s1: word0", "s3: wéNßord1", "s1: word2"]

    reveal(paper, {1: "s1"})
    assert paper.shown == ["s1: word0 wéNßord1 word2"]


def hear(paper: Paper, text: str, *speakers: str, pass_id: PassId = OTHER) -> None:
    """Have a pass hear the whole audio otherwise, and who says what."""
    words = paper.passes[pass_id] = said(text)
    end_ms = max(words[-1].end_ms, paper.passes[LIVE][-1].end_ms)
    portion = Portion(Segment(pass_id, 0, len(words)), 0, end_ms, True, True)
    belief = Belief.of(LIVE, len(paper.passes[LIVE]), paper.decisions)
    said_by = {WordRef(pass_id, n): SpeakerId(who) for n, who in enumerate(speakers)}
    paper.follow(correct(paper.view(), belief, portion, said_by))
    view = paper.view()
    paper.make(arrange(view, spread(view, said_by)))


def test_a_word_that_people_kept_from_being_corrected_follows_its_voice(paper: Paper) -> None:
    say(paper, "we went hone now yes", "s2", 0)
    scribble(paper, "hone")

    hear(paper, "we went home soon yes", *["s1"] * 5)

    assert paper.shown == ["s1: we went héNßone now yes"]


def test_a_word_that_people_changed_keeps_a_turn_of_its_own_voice(paper: Paper) -> None:
    say(paper, "sure", "s1", 0)
    say(paper, "no", "s2", 100)
    say(paper, "fine", "s1", 200)
    capitalise(paper, "no")

    hear(paper, "sure no. fine", "s1", "s2", "s1")

    assert paper.shown == ["s1: sure", "s2: No", "s1: fine"]


def test_a_word_that_was_not_said_goes_along_with_those_around_it(paper: Paper) -> None:
    say(paper, "a b uh c d", "s2", 0)
    capitalise(paper, "uh")

    hear(paper, "a b c d", *["s1"] * 4)

    assert paper.shown == ["s1: a b Uh c d"]


def test_an_earlier_pass_says_nothing_about_a_word_that_a_later_one_heard_otherwise(
    paper: Paper,
) -> None:
    say(paper, "we went hone now", "s2", 0)
    scribble(paper, "hone")
    hear(paper, "we went home now", *["s1"] * 4)
    hear(paper, "we went hum now", *["s3"] * 4, pass_id=PassId("3"))
    assert paper.shown == ["s3: we went héNßone now"]

    view = paper.view()
    told = {WordRef(OTHER, n): SpeakerId("s1") for n in range(4)}

    assert arrange(view, spread(view, told)) == []


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


def test_speakers_spread_to_the_words_that_stand_for_those_of_a_pass(paper: Paper) -> None:
    old, new, other, later = (WordRef(PassId(name), 0) for name in ("1", "2", "3", "4"))
    said_by = {new: SpeakerId("s1"), other: SpeakerId("s2")}
    paper.aliases = {old: new, other: later}

    assert spread(paper.view(), said_by) == {old: "s1", new: "s1"}


def edit(paper: Paper, word: str, how: str) -> None:
    turn = next((turn for turn in paper.shown if word in turn), "")
    if turn and how == "s":
        scribble(paper, word)
    elif turn and how == "c":
        capitalise(paper, word)
    elif len(turn.split()) > 2:  # turns of which nothing is left are another matter
        at = paper.text.index(word)
        paper.erase(at, at + len(word))


edits = st.lists(st.tuples(st.integers(0, 9), st.sampled_from("sce")), max_size=12)
voices = st.lists(st.sampled_from(["s1", "s2"]), min_size=10, max_size=10)


@pytest.mark.slow
@given(voices, voices, edits, st.sets(st.integers(0, 9)), st.lists(st.integers(1, 9), max_size=4))
def test_what_people_edit_never_parts_what_one_voice_says(
    live: list[str],
    truth: list[str],
    edited: list[tuple[int, str]],
    misheard: set[int],
    cuts: list[int],
) -> None:
    paper = Paper()
    for n, speaker in enumerate(live):
        say(paper, f"word{n}", speaker, 100 * n)
    for n, how in edited:
        edit(paper, f"word{n}", how)
    typed = [each.text for each in paper.characters if each.by_person]

    def hear_portions() -> list[str]:
        for first, end in pairwise(sorted({0, *cuts, 10})):
            reveal(paper, {n: truth[n] for n in range(first, end)})
        return paper.shown

    def hear_otherwise() -> list[str]:
        heard = " ".join(f"other{n}" if n in misheard else f"word{n}" for n in range(10))
        hear(paper, heard, *truth)
        return paper.shown

    for listen in (hear_portions, hear_otherwise):
        shown = listen()

        assert [each.text for each in paper.characters if each.by_person] == typed
        speakers = [turn.split(":")[0] for turn in shown]
        assert all(one != other for one, other in pairwise(speakers))
        for turn in shown:
            speaker, text = turn.split(":", 1)
            told = {truth[int(n)] for n in re.findall(r"(?i)(?:word|other)(\d)", text)}
            assert told <= {speaker}
        assert listen() == shown
