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
