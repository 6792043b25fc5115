"""Tests of `offline.comparison`."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st

from offline.belief import Belief
from offline.comparison import MOST_NEW, MOST_OLD, Comparison, Portion, compare
from offline.decisions import Alias, Decision, Outcome
from offline.domain import PassId, PassWord, Segment, WordRef
from offline.history import History
from offline.page import Page
from offline.view import View
from streaming.core.domain import Permille
from tests.offline.paper import LIVE, OTHER, said

LATER = PassId("9")


def word(text: str, start_ms: int, end_ms: int) -> PassWord:
    return PassWord(f" {text}", start_ms, end_ms, Permille(900))


def view_of(
    passes: dict[PassId, list[PassWord]],
    history: History | None = None,
    asked_for: Collection[PassId] = (),
) -> View:
    return View(
        Page((), {}),
        {},
        frozenset(),
        passes,
        lambda _start, _end: True,
        history or History(),
        asked_for=asked_for,
    )


def hear(
    old: list[PassWord], new: list[PassWord], start_ms: int = 0, end_ms: int = 60_000
) -> Comparison:
    view = view_of({LIVE: old, OTHER: new})
    portion = Portion(Segment(OTHER, 0, len(new)), start_ms, end_ms)
    return compare(view, Belief.of(LIVE, len(old)), portion)


def names(comparison: Comparison) -> list[str]:
    return [str(difference.hunk) for difference in comparison.differences]


def test_it_is_told_where_two_passes_differ() -> None:
    found = hear(said("a b c d e"), said("A b x y e f"))

    assert names(found) == ["1.0-1>2.0-1", "1.2-4>2.2-4", "1.4+>2.5-6"]
    assert [difference.spelling for difference in found.differences] == [True, False, False]


def test_words_of_both_get_the_times_of_the_new_pass() -> None:
    found = hear(said("a b"), said("a c"))

    assert found.aliases == [Alias(WordRef(LIVE, 0), WordRef(OTHER, 0))]


def test_what_was_decided_is_not_found_again() -> None:
    old, new = said("a b c d"), said("x b y d e")
    first = hear(old, new)
    decisions = [Decision(OTHER, name, Outcome.SUGGESTED) for name in names(first)]
    aliases = {alias.old: alias.new for alias in first.aliases}
    view = view_of({LIVE: old, OTHER: new}, History(decisions, aliases))

    portion = Portion(Segment(OTHER, 0, len(new)), 0, 60_000)
    again = compare(view, Belief.of(LIVE, len(old), decisions), portion)

    assert again == Comparison()


def test_a_pass_that_comes_late_says_nothing_about_what_a_later_one_heard() -> None:
    old = said("a b c d")
    heard = {LIVE: old, LATER: said("a b x d"), OTHER: said("a y z d")}
    decisions: list[Decision] = []
    aliases: dict[WordRef, WordRef] = {}
    for pass_id in (LATER, OTHER):
        view = view_of(heard, History(decisions, aliases))
        belief = Belief.of(LIVE, len(old), decisions)
        found = compare(view, belief, Portion(Segment(pass_id, 0, 4), 0, 60_000))
        decisions += [Decision(pass_id, name, Outcome.APPLIED) for name in names(found)]
        aliases |= {alias.old: alias.new for alias in found.aliases}

    assert [decision.pass_id for decision in decisions] == [LATER]
    assert {new.pass_id for new in aliases.values()} == {LATER}


def test_only_what_somebody_asked_for_says_otherwise_than_what_somebody_asked_for() -> None:
    asked, by_itself, asked_again = PassId("2"), PassId("3"), PassId("4")
    live = said("a b c d e")
    heard = {
        LIVE: live,
        asked: said("b x d", 100),
        by_itself: said("A b y d E"),
        asked_again: said("z", 200),
    }
    spans = {asked: (100, 400), by_itself: (0, 500), asked_again: (200, 300)}
    decisions: list[Decision] = []
    aliases: dict[WordRef, WordRef] = {}
    for pass_id, span in spans.items():
        view = view_of(heard, History(decisions, aliases), {asked, asked_again})
        belief = Belief.of(LIVE, len(live), decisions)
        portion = Portion(Segment(pass_id, 0, len(heard[pass_id])), *span)
        found = compare(view, belief, portion)
        decisions += [Decision(pass_id, name, Outcome.APPLIED) for name in names(found)]
        aliases |= {alias.old: alias.new for alias in found.aliases}

    assert [each.hunk for each in decisions] == [
        "1.2-3>2.1-2",
        "1.0-1>3.0-1",
        "1.4-5>3.4-5",
        "2.1-2>4.0-1",
    ]
    assert {new.pass_id for new in aliases.values()} == {asked}


def test_words_outside_of_the_span_stay() -> None:
    found = hear(said("a b c d e f"), said("x y", 200), 200, 400)

    assert names(found) == ["1.2-4>2.0-2"]


def test_a_word_that_the_span_cuts_is_neither_doubled_nor_lost() -> None:
    old = [word("fine", 0, 900), word("understand", 950, 1_600), word("this", 1_700, 1_900)]
    part = [word("stand", 1_300, 1_600), word("this", 1_700, 1_900)]

    assert names(hear(old, part, 1_300, 2_000)) == []
    assert names(hear(old, part[1:], 1_200, 2_000)) == []
    assert names(hear(old, [word("fine", 0, 900), word("under", 950, 1_300)], 0, 1_250)) == []


def test_what_is_heard_next_to_a_word_beyond_the_span_is_new() -> None:
    old = [word("fine", 0, 900), word("this", 1_700, 1_900)]

    found = hear(old, [word("so", 1_300, 1_600), word("this", 1_700, 1_900)], 1_000, 2_000)

    assert names(found) == ["1.0+>2.0-1"]


def test_hunks_are_bounded() -> None:
    old, new = said(" ".join("a" * 100)), said(" ".join("b" * 100))
    pieces = [difference.hunk for difference in hear(old, new).differences]
    assert max(len(piece.old) for piece in pieces) <= MOST_OLD
    assert [piece.new.first for piece in pieces[1:]] == [piece.new.end for piece in pieces[:-1]]

    many = said(" ".join("b" * (2 * MOST_NEW + 1)), each_ms=10)
    inserted = [difference.hunk for difference in hear([], many).differences]
    assert max(hunk.new.end - hunk.new.first for hunk in inserted) <= MOST_NEW
    assert Belief.of(
        LIVE, 0, [Decision(OTHER, str(h), Outcome.APPLIED) for h in inserted]
    ).words == (tuple(WordRef(OTHER, n) for n in range(len(many))))


texts = st.lists(st.sampled_from(["a", "b", "B", "c."]), max_size=30).map(" ".join)


@given(texts, texts)
def test_what_is_believed_afterwards_is_what_was_heard(first: str, second: str) -> None:
    old, new = said(first), said(second)
    found = hear(old, new)

    decisions = [Decision(OTHER, name, Outcome.APPLIED) for name in names(found)]
    belief = Belief.of(LIVE, len(old), decisions)

    passes = {LIVE: old, OTHER: new}
    assert [passes[ref.pass_id][ref.word].text for ref in belief.words] == [w.text for w in new]


def test_a_word_that_is_heard_beside_the_edge_is_not_missing() -> None:
    old = [
        PassWord(" a", 0, 900, Permille(900)),
        PassWord(" b", 1_000, 1_500, Permille(900)),
        PassWord(" c", 1_500, 2_100, Permille(900)),
    ]
    new = [
        PassWord(" x", 1_050, 1_400, Permille(900)),
        PassWord(" c", 1_900, 2_600, Permille(900)),
        PassWord(" d", 2_650, 2_900, Permille(900)),
    ]

    found = hear(old, new, 1_000, 2_200)

    assert names(found) == ["1.1-2>2.0-1"], "neither c, which is the same, nor d, which is beyond"
