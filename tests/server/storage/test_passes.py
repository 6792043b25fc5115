"""Passes, and their words: complete, in order, and only ever appended to."""

import pytest

from offline.domain import PassId, PassWord
from server.storage.errors import Conflict, StaleWriter
from server.storage.store import Store
from server.storage.values import Batch, Pass, PassKind, PassState, WordChunk
from streaming.core.domain import Permille
from tests.server.storage.writing import OTHER, START_MS, TRANSCRIPT, chunk, joined, opened


def test_words_are_read_as_they_were_written(store: Store) -> None:
    lease = opened(store)
    session = joined(store, lease)
    hello = PassWord(" Grüße,", 0, 420, Permille(0))
    world = PassWord("世界\n", 420, 2**40, Permille(1000))
    words = (WordChunk(session.live_pass, 0, (hello, world)), chunk(session.live_pass, 2, "!"))
    store.documents.append(lease, Batch(0, words=words))
    store.documents.append(lease, Batch(0, words=(chunk(session.utterance_pass, 0, "hi"),)))

    heard = store.passes.words(TRANSCRIPT, [session.live_pass, session.utterance_pass, PassId("x")])

    assert heard[session.live_pass][:2] == (hello, world)
    assert [word.text for word in heard[session.live_pass]] == [" Grüße,", "世界\n", "!"]
    assert [word.text for word in heard[session.utterance_pass]] == ["hi"]
    assert heard[PassId("x")] == ()
    assert [heard.words for heard in store.passes.of(TRANSCRIPT)] == [3, 1]


def test_a_hundred_chunks_are_read_in_order(store: Store) -> None:
    lease = opened(store)
    session = joined(store, lease)
    texts = [str(number) for number in range(300)]
    chunks = [chunk(session.live_pass, at, *texts[at : at + 3]) for at in range(0, 300, 3)]
    store.documents.append(lease, Batch(0, words=tuple(chunks)))

    heard = store.passes.words(TRANSCRIPT, [session.live_pass])

    assert [word.text for word in heard[session.live_pass]] == texts


@pytest.mark.parametrize("first", [0, 1, 3])
def test_words_continue_their_pass(store: Store, first: int) -> None:
    lease = opened(store)
    session = joined(store, lease)
    store.documents.append(lease, Batch(0, words=(chunk(session.live_pass, 0, "a", "b"),)))

    with pytest.raises(Conflict, match=f"pass 1: expected word 2, got word {first}"):
        store.documents.append(lease, Batch(0, words=(chunk(session.live_pass, first, "x"),)))


def test_words_belong_to_a_pass_that_was_begun(store: Store) -> None:
    lease = opened(store)

    with pytest.raises(Conflict, match="pass 9: expected words of a pass that was begun"):
        store.documents.append(lease, Batch(0, words=(chunk(PassId("9"), 0, "a"),)))


def test_a_chunk_has_words() -> None:
    with pytest.raises(ValueError, match="at least one word"):
        chunk(PassId("1"), 0)


def test_passes_have_names_of_their_own(store: Store) -> None:
    lease = opened(store)
    joined(store, lease)

    accurate = store.passes.begin(lease, PassKind.ACCURATE)
    again = store.passes.begin(lease, PassKind.ACCURATE, "session1")

    created_ms = START_MS + 3000
    assert accurate == Pass(PassId("3"), None, PassKind.ACCURATE, PassState.OPEN, 0, created_ms)
    assert (again.id, again.session) == ("4", "session1")
    assert store.passes.of(TRANSCRIPT)[2:] == (accurate, again)
    assert store.passes.of(OTHER) == ()


def test_passes_stand_in_the_order_in_which_they_began(store: Store) -> None:
    lease = opened(store)
    for _ in range(11):
        store.passes.begin(lease, PassKind.ACCURATE)

    names = [begun.id for begun in store.passes.of(TRANSCRIPT)]

    assert names == [str(number) for number in range(1, 12)]


def test_a_pass_is_closed_once_it_has_all_its_words(store: Store) -> None:
    lease = opened(store)
    session = joined(store, lease)

    store.passes.close(lease, session.live_pass)
    store.passes.close(lease, session.live_pass)

    states = [begun.state for begun in store.passes.of(TRANSCRIPT)]
    assert states == [PassState.CLOSED, PassState.OPEN]


def test_only_the_newest_lease_changes_passes(store: Store) -> None:
    old = opened(store)
    store.documents.lease(TRANSCRIPT)

    with pytest.raises(StaleWriter):
        store.passes.begin(old, PassKind.ACCURATE)
    with pytest.raises(StaleWriter):
        store.passes.close(old, PassId("1"))
