"""Tests of `offline.review`: what people are shown where they had edited."""

from __future__ import annotations

import pytest

from offline.belief import Belief
from offline.domain import PassId, Segment, WordRef
from offline.reconcile import Portion, correct
from offline.review import review
from offline.suggestions import LONGEST_TEXT, Choice, Suggestion, SuggestionKind
from tests.offline.paper import LIVE, OTHER, Paper, said
from tests.offline.test_placement import say

THIRD = PassId("3")
END_MS = 10_000_000


def hear(paper: Paper, text: str, pass_id: PassId = OTHER, *, suggests: bool = False) -> None:
    """Have a pass hear everything once more, and people see what comes of it."""
    words = paper.passes.setdefault(pass_id, [])
    new = Segment(pass_id, len(words), len(words) + len(text.split()))
    words += said(text)
    belief = Belief.of(LIVE, len(paper.passes[LIVE]), paper.decisions)
    plan = correct(paper.view(), belief, Portion(new, 0, END_MS), suggests=suggests)
    paper.follow(plan)
    look(paper)


def look(paper: Paper) -> None:
    """Review, and see that there is nothing to review afterwards."""
    belief = Belief.of(LIVE, len(paper.passes[LIVE]), paper.decisions)
    paper.make(review(paper.view(), belief, 0, END_MS))
    assert review(paper.view(), belief, 0, END_MS) == []


def edit(paper: Paper, old: str, new: str) -> None:
    """A person writes something else."""
    at = paper.text.index(old)
    paper.type(at + len(old), new)
    paper.erase(at, at + len(old))


def shown(paper: Paper) -> list[tuple[SuggestionKind, str, str]]:
    return [(each.kind, each.text, each.alternative) for each in paper.suggestions.values()]


@pytest.fixture
def paper() -> Paper:
    paper = Paper()
    say(paper, "we went to there house", "s1", 0)
    say(paper, "fine", "s2", 500)
    return paper


def test_a_word_that_a_person_wrote_otherwise_has_a_suggestion(paper: Paper) -> None:
    edit(paper, "there", "that")

    hear(paper, "we went to their house fine")

    (suggestion,) = paper.suggestions.values()
    assert suggestion == Suggestion(
        id="1.3-4>2.3-4",
        kind=SuggestionKind.REPLACE,
        words=(WordRef(LIVE, 3),),
        text=" that",
        alternative=" their",
        before="we went to",
        after=" house",
        pass_id=OTHER,
        start_ms=300,
        end_ms=400,
    )


def test_what_a_person_wrote_between_words_is_not_to_be_replaced(paper: Paper) -> None:
    edit(paper, " house", " (green) house")

    hear(paper, "we went to there old house fine")

    (suggestion,) = paper.suggestions.values()
    assert shown(paper) == [(SuggestionKind.INSERT, "", " old")]
    assert (suggestion.before, suggestion.after) == ("ent to there (green)", " house")


def test_a_word_that_a_person_spelled_may_not_have_been_said(paper: Paper) -> None:
    edit(paper, "there", "There")

    hear(paper, "we went to house fine")

    assert shown(paper) == [(SuggestionKind.DELETE, " There", "")]


@pytest.mark.parametrize(
    ("old", "new", "heard"),
    [
        pytest.param("there", "THERE,", "we went to There house fine", id="only spelling"),
        pytest.param("there", "their", "we went to their house fine", id="says so already"),
        pytest.param("there", "Their!", "we went to their house fine", id="nearly so"),
        pytest.param(" there", "", "we went to their house fine", id="taken away"),
        pytest.param(" to there", "", "we went to old house fine", id="with its neighbours"),
        pytest.param(" house", " old house", "we went to there old house fine", id="typed it"),
        pytest.param("there", "their", "we went to house fine", id="written anew"),
    ],
)
def test_nothing_is_suggested_without_need(paper: Paper, old: str, new: str, heard: str) -> None:
    edit(paper, old, new)

    hear(paper, heard)

    assert shown(paper) == []


def test_a_suggestion_follows_the_text_and_goes_when_its_reason_is_gone(paper: Paper) -> None:
    edit(paper, "there", "that")
    hear(paper, "we went to their house fine")

    edit(paper, "that", "this")
    look(paper)
    assert shown(paper) == [(SuggestionKind.REPLACE, " this", " their")]

    edit(paper, "this", "their")
    look(paper)
    assert shown(paper) == []


def test_what_people_decided_about_is_not_shown_any_more(paper: Paper) -> None:
    edit(paper, "there", "that")
    hear(paper, "we went to their house fine")
    paper.choices["1.3-4>2.3-4"] = Choice.DISMISSED

    hear(paper, "we went to their house fine", THIRD)

    assert shown(paper) == []


def test_a_later_pass_that_hears_something_else_again_replaces_a_suggestion(paper: Paper) -> None:
    edit(paper, "there", "that")
    hear(paper, "we went to their house fine")

    hear(paper, "we went to the house fine", THIRD)

    assert shown(paper) == [(SuggestionKind.REPLACE, " that", " the")]
    assert list(paper.suggestions) == ["2.3-4>3.3-4"]


def test_a_later_pass_that_agrees_leaves_it(paper: Paper) -> None:
    edit(paper, "there", "that")
    hear(paper, "we went to their house fine")
    before = dict(paper.suggestions)

    hear(paper, "we went to their house fine", THIRD)

    assert paper.suggestions == before


def test_what_is_only_proposed_is_shown_where_nobody_edited(paper: Paper) -> None:
    hear(paper, "We go to the old fine day", suggests=True)

    assert paper.text.split() == ["we", "went", "to", "there", "house", "fine"]
    assert set(shown(paper)) == {
        (SuggestionKind.REPLACE, " went", " go"),
        (SuggestionKind.REPLACE, " there house", " the old"),
        (SuggestionKind.INSERT, "", " day"),
    }


def test_a_later_pass_writes_what_was_only_proposed(paper: Paper) -> None:
    hear(paper, "we went to their house fine", suggests=True)
    hear(paper, "we went to their house fine", THIRD)

    assert paper.text.split() == ["we", "went", "to", "their", "house", "fine"]
    assert shown(paper) == []


def test_a_proposal_stays_while_later_passes_hear_what_stands_there(paper: Paper) -> None:
    hear(paper, "we went to their house fine", suggests=True)
    hear(paper, "we went to there home fine", THIRD)

    assert paper.text.split() == ["we", "went", "to", "there", "home", "fine"]
    assert shown(paper) == [(SuggestionKind.REPLACE, " there", " their")]


def test_what_was_left_out_in_a_proposal_stands_until_people_decide(paper: Paper) -> None:
    hear(paper, "we went house fine", suggests=True)
    assert shown(paper) == [(SuggestionKind.DELETE, " to there", "")]

    hear(paper, "we went to there house fine", THIRD)
    assert shown(paper) == [(SuggestionKind.DELETE, " to there", "")]

    edit(paper, " to there", "")
    look(paper)
    assert shown(paper) == []


def test_the_same_proposal_is_made_once(paper: Paper) -> None:
    hear(paper, "go we went to house fine", suggests=True)
    belief = Belief.of(LIVE, len(paper.passes[LIVE]), paper.decisions)
    portion = Portion(Segment(OTHER, 0, 6), 0, END_MS)

    again = correct(paper.view(), belief, portion, suggests=True)

    assert (again.edits, again.decisions, again.aliases) == ((), (), ())


def test_what_editors_forge_is_withdrawn(paper: Paper) -> None:
    edit(paper, "there", "that")
    hear(paper, "we went to their house fine")
    (suggestion,) = paper.suggestions.values()
    paper.suggestions["8.0-1>9.0-1"] = suggestion

    look(paper)

    assert list(paper.suggestions) == [suggestion.id]


def test_suggestions_of_other_sessions_stay(paper: Paper) -> None:
    edit(paper, "there", "that")
    hear(paper, "we went to their house fine")

    other = Belief.of(PassId("5"), 0, paper.decisions)

    assert review(paper.view(), other, 0, END_MS) == []


def test_only_a_span_is_reviewed(paper: Paper) -> None:
    edit(paper, "there", "that")
    hear(paper, "we went to their house fine")
    edit(paper, "that", "their")
    belief = Belief.of(LIVE, len(paper.passes[LIVE]), paper.decisions)

    assert review(paper.view(), belief, 500, END_MS) == []
    assert review(paper.view(), belief, 350, 500) != []


def test_the_first_word_of_a_turn_is_suggested_without_its_space(paper: Paper) -> None:
    edit(paper, "fine", "dine")

    hear(paper, "we went to there house mine")

    assert shown(paper) == []  # Nothing stands behind it by which its place could be told.
    say(paper, "yes", "s2", 600)
    look(paper)
    assert shown(paper) == [(SuggestionKind.REPLACE, "dine", "mine")]


def test_suggestions_are_bounded(paper: Paper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offline.review.MOST", 1)
    edit(paper, "there", "that")
    edit(paper, "went", "want")

    hear(paper, "we walked to their house fine")
    assert len(paper.suggestions) == 1

    edit(paper, next(iter(paper.suggestions.values())).text, " walked")
    look(paper)
    assert shown(paper) == [(SuggestionKind.REPLACE, " that", " their")]


def test_what_is_too_long_is_not_suggested(paper: Paper) -> None:
    edit(paper, "there", LONGEST_TEXT * "x")

    hear(paper, "we went to their house fine")

    assert shown(paper) == []
