"""Tests of `offline.history`."""

from __future__ import annotations

from offline.decisions import Alias, Decision, Outcome
from offline.domain import PassId, WordRef
from offline.history import History
from tests.offline.paper import LIVE, OTHER

LATER = PassId("9")


def test_a_word_is_decided_that_is_in_a_hunk_or_tells_the_times_of_another() -> None:
    history = History([Decision(OTHER, "1.0-1>2.0-2", Outcome.KEPT)])
    history.add((), [Alias(WordRef(LIVE, 5), WordRef(OTHER, 5))])

    decided = [word for word in range(9) if history.is_decided(WordRef(OTHER, word))]
    assert decided == [0, 1, 5]


def test_a_word_tells_no_times_any_more_when_a_later_one_does() -> None:
    old, new, newer = WordRef(LIVE, 0), WordRef(OTHER, 0), WordRef(LATER, 0)
    history = History(aliases={old: new})
    assert history.timed_by(new) == [old]

    history.add((), [Alias(old, newer)])

    assert (history.timed_by(new), history.timed_by(newer)) == ([], [old])
    assert not history.is_decided(new)


def test_only_applied_hunks_take_words_out_of_the_text() -> None:
    history = History(
        [
            Decision(OTHER, "1.0-2>2.0-1", Outcome.APPLIED),
            Decision(OTHER, "1.3-4>2.3-3", Outcome.APPLIED),
            Decision(OTHER, "1.5-6>2.5-6", Outcome.SUGGESTED),
            Decision(OTHER, "no hunk", Outcome.APPLIED),
        ]
    )

    first = WordRef(OTHER, 0)
    expected = {WordRef(LIVE, 0): first, WordRef(LIVE, 1): first, WordRef(LIVE, 3): None}
    assert history.replacements == expected
    assert list(history.suggested) == ["1.5-6>2.5-6"]
    assert len(history.decisions) == 4


def test_words_are_gone_that_were_replaced_or_are_echoes() -> None:
    history = History([Decision(OTHER, "1.0-2>2.0-1", Outcome.APPLIED)])
    history.add([Decision(OTHER, "2.3+>2.3-5", Outcome.KEPT)], ())

    echoes = {WordRef(OTHER, 3), WordRef(OTHER, 4)}
    assert set(history.echoes) == echoes
    assert set(history.gone) == echoes | {WordRef(LIVE, 0), WordRef(LIVE, 1)}


def test_words_are_superseded_once_all_that_was_heard_in_their_place_are_echoes() -> None:
    old = WordRef(LIVE, 5)
    history = History([Decision(OTHER, "1.5-6>2.5-7", Outcome.KEPT)])

    for word, superseded in ((5, False), (6, True)):
        history.add([Decision(OTHER, f"2.{word}+>2.{word}-{word + 1}", Outcome.KEPT)], ())
        assert history.is_superseded(old) is superseded
    assert old not in history.gone


def test_words_that_were_replaced_or_not_said_are_superseded() -> None:
    replaced, unsaid = WordRef(LIVE, 0), WordRef(LIVE, 3)
    history = History(
        [
            Decision(OTHER, "1.0-1>2.0-1", Outcome.APPLIED),
            Decision(OTHER, "1.3-4>2.3-3", Outcome.KEPT),
            Decision(OTHER, "1.5-6>2.5-6", Outcome.SUGGESTED),
        ]
    )

    past = [word for word in range(9) if history.is_superseded(WordRef(LIVE, word))]
    assert past == [replaced.word, unsaid.word]
