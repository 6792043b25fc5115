"""Tests of `offline.placement`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.domain import PassId, Segment, SpeakerId
from offline.placement import NEW_TURN_AFTER_MS, place
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
def test_each_word_stands_once_and_segments_in_the_order_of_time(
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
    starts = [
        paper.passes[run.segment.pass_id][run.segment.first].start_ms
        for run in paper.runs()
        if run.segment is not None
    ]
    assert starts == sorted(starts)
    assert all(turn.startswith(("s1: ", "s2: ")) for turn in paper.shown)
