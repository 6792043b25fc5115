"""Logs of documents: in order, without gaps, by one writer, and short."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.storage.errors import Conflict, StaleWriter, UnknownTranscript
from server.storage.store import Store
from server.storage.values import Batch, Document, Progress
from tests.server.storage.writing import OTHER, TRANSCRIPT, Clock, chunk, joined, opened


def test_a_new_transcript_has_an_empty_document(store: Store) -> None:
    opened(store)

    document = store.documents.read(TRANSCRIPT)

    assert document == Document(None, 0, ())
    assert document.last_seq == 0


def test_updates_are_read_in_the_order_in_which_they_were_appended(store: Store) -> None:
    lease = opened(store)
    other = opened(store, OTHER)

    assert store.documents.append(lease, Batch(0, (b"a", b"b"))) == 2
    assert store.documents.append(other, Batch(0, (b"x",))) == 1
    assert store.documents.append(lease, Batch(2, (b"\0c",))) == 3

    assert store.documents.read(TRANSCRIPT) == Document(None, 0, (b"a", b"b", b"\0c"))
    assert store.documents.read(OTHER) == Document(None, 0, (b"x",))


def test_a_snapshot_replaces_what_it_contains_and_nothing_else(store: Store) -> None:
    lease = opened(store)
    store.documents.append(lease, Batch(0, (b"a", b"b", b"c", b"d")))

    store.documents.compact(lease, b"ab", 2)
    assert store.documents.read(TRANSCRIPT) == Document(b"ab", 2, (b"c", b"d"))

    store.documents.append(lease, Batch(4, (b"e",)))
    store.documents.compact(lease, b"abcde", 5)
    assert store.documents.read(TRANSCRIPT) == Document(b"abcde", 5, ())

    store.documents.append(lease, Batch(5, (b"f",)))
    assert store.documents.read(TRANSCRIPT).last_seq == 6


@pytest.mark.parametrize("seq", [0, 1, 4])
def test_a_snapshot_contains_more_than_the_last_and_nothing_unwritten(
    store: Store, seq: int
) -> None:
    lease = opened(store)
    store.documents.append(lease, Batch(0, (b"a", b"b", b"c")))
    store.documents.compact(lease, b"a", 1)

    with pytest.raises(Conflict, match=r"expected a snapshot of 2\.\.3, got one of"):
        store.documents.compact(lease, b"?", seq)

    assert store.documents.read(TRANSCRIPT) == Document(b"a", 1, (b"b", b"c"))


@pytest.fixture(scope="module")
def names() -> Iterator[str]:
    """Ids of transcripts, each a new one."""
    return (f"transcript-number-{number:05d}" for number in count())


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.lists(st.binary(max_size=3), max_size=4),  # append these
            st.floats(0, 1),  # compact up to here
        ),
        max_size=12,
    )
)
def test_snapshot_and_updates_are_together_what_was_appended(
    store: Store, names: Iterator[str], steps: list[list[bytes] | float]
) -> None:
    transcript = next(names)
    lease = opened(store, transcript)
    log: list[bytes] = []
    contained = 0
    for step in steps:
        if isinstance(step, list):
            log += step
            assert store.documents.append(lease, Batch(len(log) - len(step), tuple(step))) == len(
                log
            )
        elif (seq := round(step * len(log))) > contained:
            store.documents.compact(lease, b"".join(log[:seq]), seq)
            contained = seq

        document = store.documents.read(transcript)
        snapshot = b"".join(log[:contained]) if contained else None
        assert document == Document(snapshot, contained, tuple(log[contained:]))
        assert document.last_seq == len(log)


def test_a_newer_lease_makes_older_ones_worthless(store: Store) -> None:
    old = opened(store)
    new = store.documents.lease(TRANSCRIPT)

    with pytest.raises(StaleWriter, match="expected lease 2, got lease 1") as refused:
        store.documents.append(old, Batch(0, (b"a",)))
    assert (refused.value.held, refused.value.newest) == (1, 2)
    with pytest.raises(StaleWriter):
        store.documents.compact(old, b"", 0)
    with pytest.raises(StaleWriter):
        store.documents.add_client(old, 1)

    assert store.documents.read(TRANSCRIPT).last_seq == 0
    assert store.documents.append(new, Batch(0, (b"a",))) == 1


def test_a_batch_is_written_as_a_whole_or_not_at_all(store: Store) -> None:
    lease = opened(store)
    session = joined(store, lease)
    store.documents.append(lease, Batch(0, progress=(Progress(session.id, 5, 0),)))
    words = (chunk(session.live_pass, 0, "a"),)
    backwards = (Progress(session.id, 4, 0),)

    with pytest.raises(Conflict):
        store.documents.append(lease, Batch(0, (b"a",), words, backwards))

    assert store.documents.read(TRANSCRIPT).last_seq == 0
    assert store.passes.words(TRANSCRIPT, [session.live_pass]) == {session.live_pass: ()}


def test_a_batch_that_is_repeated_is_written_once(store: Store) -> None:
    lease = opened(store)
    session = joined(store, lease)
    words = (chunk(session.live_pass, 0, "a", "b"), chunk(session.live_pass, 2, "c"))
    batch = Batch(0, (b"a", b"b"), words, (Progress(session.id, 5, 1600),))

    assert store.documents.append(lease, batch) == 2
    assert store.documents.append(lease, batch) == 2

    assert store.documents.read(TRANSCRIPT).updates == (b"a", b"b")
    heard = store.passes.words(TRANSCRIPT, [session.live_pass])[session.live_pass]
    assert [word.text for word in heard] == ["a", "b", "c"]


def test_another_batch_in_the_place_of_one_that_is_written_is_no_repetition(store: Store) -> None:
    lease = opened(store)
    session = joined(store, lease)
    words = (chunk(session.live_pass, 0, "a", "b"),)
    store.documents.append(lease, Batch(0, (b"a", b"b"), words))

    with pytest.raises(Conflict, match="expected updates after 2, got updates after 0"):
        store.documents.append(lease, Batch(0, (b"a", b"x")))
    with pytest.raises(Conflict, match="expected word 2, got word 0"):
        store.documents.append(lease, Batch(2, words=(chunk(session.live_pass, 0, "a", "x"),)))

    assert store.documents.read(TRANSCRIPT).updates == (b"a", b"b")


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_batch_follows_the_newest_update(store: Store, after: int) -> None:
    lease = opened(store)
    store.documents.append(lease, Batch(0, (b"a", b"b")))

    with pytest.raises(Conflict, match=f"expected updates after 2, got updates after {after}"):
        store.documents.append(lease, Batch(after, (b"x", b"y", b"z")))

    assert store.documents.read(TRANSCRIPT).last_seq == 2


def test_an_append_is_a_change_of_the_transcript(store: Store, clock: Clock) -> None:
    lease = opened(store)
    clock.ms += 60_000

    store.documents.append(lease, Batch(0, (b"a",)))

    assert store.library.get(TRANSCRIPT).updated_ms == clock.ms


def test_machine_clients_are_remembered_with_all_their_53_bits(store: Store) -> None:
    lease = opened(store)
    store.documents.add_client(lease, 2**53 - 1)
    store.documents.add_client(lease, 1)

    assert store.documents.clients(TRANSCRIPT) == {1, 2**53 - 1}
    assert store.documents.clients(OTHER) == frozenset()
    with pytest.raises(Conflict, match="expected a new key"):
        store.documents.add_client(lease, 1)


def test_an_unknown_transcript_has_no_document(store: Store) -> None:
    with pytest.raises(UnknownTranscript, match="'nothing'"):
        store.documents.read("nothing")
    with pytest.raises(UnknownTranscript):
        store.documents.lease("nothing")
