"""Tests of `offline.belief`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offline.belief import Belief, Beliefs
from offline.decisions import Decision, Hunk, Outcome
from offline.domain import PassId, WordRef

LIVE = PassId("1")


def decided(*names: str, outcome: Outcome = Outcome.APPLIED) -> list[Decision]:
    decisions = []
    for name in names:
        hunk = Hunk.parse(name)
        assert hunk is not None, name
        decisions.append(Decision(hunk.new.pass_id, name, outcome))
    return decisions


def believed(heard: int, *names: str) -> list[str]:
    return [str(word) for word in Belief.of(LIVE, heard, decided(*names)).words]


def test_nothing_decided_leaves_the_words_of_the_live_pass() -> None:
    assert believed(3) == ["1.0", "1.1", "1.2"]


def test_words_are_replaced_removed_and_inserted() -> None:
    names = "1.0-2>2.0-1", "1.3-4>2.2-2", "1.4+>2.3-5"

    assert believed(5, *names) == ["2.0", "1.2", "1.4", "2.3", "2.4"]


def test_words_are_inserted_before_all() -> None:
    assert believed(1, "1^>2.0-2") == ["2.0", "2.1", "1.0"]
    assert believed(0, "1^>2.0-2", "2.1+>2.2-3") == ["2.0", "2.1", "2.2"]


def test_a_hunk_may_build_upon_words_of_one_before_it() -> None:
    names = "1.1-2>2.1-2", "2.1+>2.2-3", "1.0-1,2.1-3>3.0-1"

    assert believed(3, *names) == ["3.0", "1.2"]


def test_words_of_the_live_pass_follow_what_was_inserted_behind_the_last_ones() -> None:
    assert believed(2, "1.0+>2.1-2") == ["1.0", "2.1", "1.1"]


def test_what_is_only_proposed_is_not_believed() -> None:
    proposed = decided("1.0-1>2.0-1", "1.1+>2.1-2", "9.0-1>8.0-1", outcome=Outcome.PROPOSED)

    belief = Belief.of(LIVE, 2, proposed)

    assert belief.words == (WordRef(LIVE, 0), WordRef(LIVE, 1))
    assert belief.passes == {LIVE, PassId("2")}, "that of another session is not among them"


def test_it_does_not_matter_what_became_of_a_hunk() -> None:
    for outcome in (Outcome.APPLIED, Outcome.SUGGESTED, Outcome.KEPT):
        belief = Belief.of(LIVE, 1, decided("1.0-1>2.0-1", outcome=outcome))
        assert belief.words == (WordRef(PassId("2"), 0),)


def test_decisions_about_another_session_or_made_before_change_nothing() -> None:
    names = "4.0-1>5.0-1", "4^>5.1-2", "1.0-1>2.0-1", "1.1+>2.1-2"

    belief = Belief.of(LIVE, 2, decided(*names))

    assert [str(word) for word in belief.words] == ["2.0", "1.1", "2.1"]
    assert belief.passes == {"1", "2"}
    assert belief.after(decided(*names)) == belief


def test_words_that_do_not_follow_one_another_are_not_replaced() -> None:
    assert believed(3, "1.0-1,1.2-3>2.0-1") == ["1.0", "1.1", "1.2"]


NAMES = (
    "1^>2.0-2",
    "1.0-1>2.2-3",
    "1.1-3>2.3-3",
    "1.4+>2.3-5",
    "2.4+>2.5-6",
    "1.4-5,2.3-4>3.0-2",
    "1.9-10>2.9-9",
    "1.9+>2.6-7",
    "1.8-9>2.7-9",
    "4.0-1>5.0-1",
)
HEARD = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(NAMES)), max_size=12)


@given(HEARD, st.data())
def test_what_is_kept_up_to_date_is_what_is_found_anew(
    steps: list[tuple[int, str]], data: st.DataObject
) -> None:
    beliefs, heard, decisions = Beliefs(LIVE), 10, list[Decision]()
    for more, name in steps:
        if data.draw(st.integers(0, 9)) == 0:
            decisions = decisions[: len(decisions) // 2]  # The rest was not written after all.
        heard += more
        decisions = decisions + decided(name)
        assert beliefs.of(heard, decisions) == Belief.of(LIVE, heard, decisions)
