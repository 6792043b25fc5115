"""Tests of `offline.placement`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.domain import PassId, Segment, SpeakerId
from offline.placement import NEW_TURN_AFTER_MS, place
from tests.offline.crosstalk import disorder
from tests.offline.paper import LIVE, OTHER, Paper, said


def say(
    paper: Paper, text: str, speaker: str | None, at_ms: int, pass_id: PassId = LIVE
) -> Segment:
    """Have a pass write words."""
    words = paper.passes.setdefault(pass_id, [])
    segment = Segment(pass_id, len(words), len(words) + len(text.split()))
    words += said(text, at_ms)
    paper.make(place(paper.view(), segment, None if speaker is None else SpeakerId(speaker)))
    return segment


@pytest.fixture
def paper() -> Paper:
    return Paper()


def test_the_first_words_begin_a_turn(paper: Paper) -> None:
    say(paper, "hello there", "s1", 0)

    assert paper.shown == ["s1: hello there"]


def test_words_of_one_speaker_go_on_in_one_turn(paper: Paper) -> None:
    say(paper, "hello", "s1", 0)
    say(paper, "there friend", "s1", 150)

    assert paper.shown == ["s1: hello there friend"]


def test_another_speaker_begins_a_turn(paper: Paper) -> None:
    say(paper, "hello", "s1", 0)
    say(paper, "hi", "s2", 150)
    say(paper, "friend", "s1", 300)

    assert paper.shown == ["s1: hello", "s2: hi", "s1: friend"]


def test_words_of_nobody_known_go_on_in_the_turn_before_them(paper: Paper) -> None:
    say(paper, "hello", "s1", 0)
    say(paper, "there", None, 150)

    assert paper.shown == ["s1: hello there"]


def test_words_of_nobody_known_in_another_session_begin_a_turn(paper: Paper) -> None:
    paper.sessions = {LIVE: "one", OTHER: "two"}
    say(paper, "hello", None, 0)
    say(paper, "there", None, 150, OTHER)

    assert paper.shown == ["?: hello", "?: there"]


def test_nobody_known_may_begin(paper: Paper) -> None:
    say(paper, "hello", None, 0)

    assert paper.shown == ["?: hello"]


@pytest.mark.parametrize(
    ("pause_ms", "turns"),
    [(NEW_TURN_AFTER_MS, ["s1: a", "s1: b"]), (NEW_TURN_AFTER_MS - 1, ["s1: a b"])],
)
def test_a_long_pause_begins_a_turn(paper: Paper, pause_ms: int, turns: list[str]) -> None:
    say(paper, "a", "s1", 0)
    say(paper, "b", "s1", 100 + pause_ms)

    assert paper.shown == turns


def test_late_words_split_the_turn_that_they_interrupt(paper: Paper) -> None:
    say(paper, "one two", "s1", 0)
    say(paper, "three", "s1", 400)
    say(paper, "yes", "s2", 300, OTHER)

    assert paper.shown == ["s1: one two", "s2: yes", "s1: three"]


def test_late_words_between_turns_split_nothing(paper: Paper) -> None:
    say(paper, "one", "s1", 0)
    say(paper, "three", "s1", 5_000)
    say(paper, "two", "s2", 2_000, OTHER)

    assert paper.shown == ["s1: one", "s2: two", "s1: three"]


def test_late_words_of_the_same_speaker_fill_in(paper: Paper) -> None:
    say(paper, "one", "s1", 0)
    say(paper, "three", "s1", 400)
    say(paper, "two", "s1", 200, OTHER)

    assert paper.shown == ["s1: one two three"]


def test_words_before_all_others_come_first(paper: Paper) -> None:
    say(paper, "two", "s1", 1_000)
    say(paper, "one", "s2", 0, OTHER)

    assert paper.shown == ["s2: one", "s1: two"]


def test_a_word_interrupts_words_that_were_written_in_one_piece(paper: Paper) -> None:
    say(paper, "we went back home", "s1", 0)
    say(paper, "yes", "s2", 150, OTHER)

    assert paper.shown == ["s1: we went", "s2: yes", "s1: back home"]


def test_words_that_begin_while_others_end_do_not_split_these(paper: Paper) -> None:
    say(paper, "we went back", "s1", 0)
    say(paper, "yes we did then", "s2", 150, OTHER)

    assert paper.shown == ["s1: we went back", "s2: yes we did then"]


def test_late_words_are_parted_where_a_turn_began_meanwhile(paper: Paper) -> None:
    say(paper, "yes", "s2", 5_150, OTHER)
    say(paper, "so we went back", "s1", 5_000)

    assert paper.shown == ["s1: so we", "s2: yes", "s1: went back"]


def test_late_words_are_not_parted_in_the_middle_of_one(paper: Paper) -> None:
    say(paper, "yes", "s2", 50, OTHER)
    paper.passes[LIVE] = [
        replace(word, text=text)
        for word, text in zip(said("a b c"), [" Twenty", "-one", " now"], strict=True)
    ]
    paper.make(place(paper.view(), Segment(LIVE, 0, 3), SpeakerId("s1")))

    assert paper.shown == ["s1: Twenty-one", "s2: yes", "s1: now"]


def test_words_of_the_same_speaker_are_not_written_into_another_piece(paper: Paper) -> None:
    say(paper, "we went back home", "s1", 0)
    say(paper, "yes", "s1", 150, OTHER)

    assert paper.shown == ["s1: we went back home yes"]


def test_a_later_part_of_a_piece_begins_when_its_own_words_do(paper: Paper) -> None:
    say(paper, "one two three four five", "s1", 0)
    say(paper, "yes", "s2", 150, OTHER)
    say(paper, "no", "s3", 120, PassId("3"))

    assert paper.shown == ["s1: one two", "s3: no", "s2: yes", "s1: three four five"]


def test_neither_words_nor_what_people_highlighted_are_split(paper: Paper) -> None:
    paper.passes[LIVE] = [
        replace(word, text=text)
        for word, text in zip(said("a b c"), [" Twenty", "-one", " now"], strict=True)
    ]
    paper.make(place(paper.view(), Segment(LIVE, 0, 3), SpeakerId("s1")))
    say(paper, "yes", "s2", 50, OTHER)
    assert paper.shown == ["s1: Twenty-one", "s2: yes", "s1: now"]

    say(paper, "we went back home", "s3", 1_000, PassId("3"))
    paper.characters = [replace(each, highlight="red") for each in paper.characters]
    say(paper, "no", "s2", 1_050, OTHER)
    assert paper.shown[-2:] == ["s3: we went back home", "s2: no"]


def test_a_turn_is_not_split_where_its_rest_would_begin_after_the_next(paper: Paper) -> None:
    say(paper, "one two", "s1", 0)
    say(paper, "four", "s1", 900)
    say(paper, "three", "s2", 600, OTHER)
    paper.erase(paper.text.index(" two"), paper.text.index(" two") + 4)
    assert paper.shown == ["s1: one", "s2: three", "s1: four"]
    say(paper, "so", "s3", 400, PassId("3"))

    assert paper.shown == ["s1: one", "s3: so", "s2: three", "s1: four"]


def test_what_people_changed_goes_by_the_times_of_what_it_was(paper: Paper) -> None:
    say(paper, "one", "s1", 0)
    say(paper, "three", "s1", 400)
    paper.type(paper.text.index("three") + 2, "X")
    say(paper, "two", "s2", 200, OTHER)
    say(paper, "four", "s2", 600, OTHER)

    assert paper.shown == ["s1: one", "s2: two", "s1: thXree", "s2: four"]


def test_words_before_text_whose_turn_is_gone_do_not_swallow_it(paper: Paper) -> None:
    say(paper, "two", "s1", 1_000)
    paper.erase(0, 1)
    say(paper, "one", "s2", 0, OTHER)

    assert paper.shown == ["s2: one", "s1: two"]


def test_a_turn_that_a_person_named_is_not_split(paper: Paper) -> None:
    segment = say(paper, "one two", "s1", 0)
    say(paper, "three", "s1", 400)
    turn = next(run.turn for run in paper.runs() if run.turn)
    paper.chosen[turn] = SpeakerId("s9")

    say(paper, "yes", "s2", 300, OTHER)

    assert paper.shown == ["s9: one two three", "s2: yes"]
    assert segment.first == 0


def test_the_first_words_come_behind_what_people_wrote(paper: Paper) -> None:
    paper.type(0, "Agenda")

    say(paper, "hello", "s1", 0)

    assert paper.shown == ["?: Agenda", "s1: hello"]


def test_what_people_typed_into_the_last_segment_stays_before_new_words(paper: Paper) -> None:
    say(paper, "hello", "s1", 0)
    paper.type(len(paper.text), ", dear")

    say(paper, "friend", "s1", 150)

    assert paper.shown == ["s1: hello, dear friend"]


microphones = st.lists(
    st.tuples(st.sampled_from([LIVE, OTHER]), st.integers(1, 4), st.integers(0, 900)), max_size=12
)


@given(microphones)
def test_each_word_stands_once_and_turns_in_the_order_of_time(
    heard: list[tuple[PassId, int, int]],
) -> None:
    paper, clocks = Paper(), {LIVE: 0, OTHER: 50}
    for pass_id, count, pause_ms in heard:
        clocks[pass_id] += pause_ms
        text = " ".join(f"{pass_id}w{clocks[pass_id]}x{n}" for n in range(count))
        say(paper, text, f"s{pass_id}", clocks[pass_id], pass_id)
        clocks[pass_id] += 100 * count

    spoken = [word for words in paper.passes.values() for word in words]
    assert sorted(paper.text.split()) == sorted(word.text.strip() for word in spoken)
    assert disorder(paper.view()) == []
    assert all(turn.startswith(("s1: ", "s2: ")) for turn in paper.shown)
