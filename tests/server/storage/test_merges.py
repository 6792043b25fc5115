"""What accurate passes left behind: aliases and decisions, with the update they belong to."""

import pytest

from offline.decisions import Alias, Decision, Outcome
from offline.domain import PassId, WordRef
from server.storage.errors import StorageFault
from server.storage.store import Store
from server.storage.values import Batch
from tests.server.storage.writing import OTHER, TRANSCRIPT, Clock, joined, opened

LIVE, UTTERANCE = PassId("1"), PassId("2")


def test_an_alias_leads_from_a_word_to_the_newest_that_took_its_place(store: Store) -> None:
    lease = opened(store)
    joined(store, lease)
    first = Alias(WordRef(LIVE, 0), WordRef(UTTERANCE, 0))
    second = Alias(WordRef(LIVE, 7), WordRef(UTTERANCE, 9))
    newer = Alias(WordRef(LIVE, 7), WordRef(UTTERANCE, 11))
    newest = Alias(WordRef(LIVE, 7), WordRef(UTTERANCE, 12))

    store.documents.append(lease, Batch(0, (b"a",), aliases=(first, second)))
    store.documents.append(lease, Batch(1, (b"b",), aliases=(newer, newest)))

    assert store.merges.aliases(TRANSCRIPT) == {first.old: first.new, newest.old: newest.new}
    assert store.merges.aliases(OTHER) == {}


def test_the_first_decision_about_a_hunk_stands(store: Store) -> None:
    lease = opened(store)
    joined(store, lease)
    applied = Decision(LIVE, "h1", Outcome.APPLIED)
    suggested = Decision(LIVE, "h2", Outcome.SUGGESTED)
    elsewhere = Decision(UTTERANCE, "h1", Outcome.SUGGESTED)
    otherwise = Decision(LIVE, "h1", Outcome.SUGGESTED)

    store.documents.append(lease, Batch(0, (b"a",), decisions=(applied, suggested, elsewhere)))
    store.documents.append(lease, Batch(1, (b"b",), decisions=(otherwise,)))

    decided = store.merges.decisions(TRANSCRIPT, LIVE)
    assert decided == {"h1": Outcome.APPLIED, "h2": Outcome.SUGGESTED}
    assert store.merges.decisions(TRANSCRIPT, UTTERANCE) == {"h1": Outcome.SUGGESTED}
    assert store.merges.decisions(OTHER, LIVE) == {}


def test_a_decision_without_its_pass_is_refused_with_the_whole_batch(store: Store) -> None:
    lease = opened(store)

    with pytest.raises(StorageFault):
        store.documents.append(
            lease, Batch(0, (b"a",), decisions=(Decision(LIVE, "h", Outcome.APPLIED),))
        )

    assert store.documents.read(TRANSCRIPT).last_seq == 0


def test_decisions_are_read_in_the_order_in_which_they_were_made(
    store: Store, clock: Clock
) -> None:
    lease = opened(store)
    joined(store, lease)
    made = [Decision(LIVE, f"h{n}", Outcome.KEPT) for n in (3, 1, 2)]
    late = [Decision(UTTERANCE, f"h{n}", Outcome.APPLIED) for n in (9, 0)]

    store.documents.append(lease, Batch(0, (b"a",), decisions=tuple(made)))
    clock.ms -= 60_000
    store.documents.append(lease, Batch(1, (b"b",), decisions=tuple(late)))

    assert store.merges.all_decisions(TRANSCRIPT) == [*made, *late]
