"""Transcripts as a whole: made, listed, found, changed, deleted."""

import pytest

from offline.decisions import Alias, Decision, Outcome
from offline.domain import WordRef
from server.storage.errors import Conflict, UnknownTranscript
from server.storage.library import LARGEST_PAGE
from server.storage.store import Store
from server.storage.values import (
    Batch,
    Cursor,
    Description,
    Lease,
    Role,
    Transcript,
    TranscriptState,
)
from tests.server.storage.writing import OTHER, START_MS, TRANSCRIPT, Clock, chunk, joined, opened


def describe(store: Store, lease: Lease, *, title: str = "", text: str = "", seq: int = 1) -> None:
    description = Description(title, "en", text, speakers=2, duration_ms=61_000)
    store.library.describe(lease.transcript, description, seq)


def found(store: Store, query: str) -> list[str]:
    return [transcript.id for transcript in store.library.page(query=query).transcripts]


def ids(count: int) -> list[str]:
    return [f"transcript-{number:05d}" for number in range(count)]


def test_a_transcript_is_read_as_it_was_made(store: Store) -> None:
    made = store.library.create(TRANSCRIPT, started_ms=5, title="Größe", language="de")

    assert made == Transcript(
        id=TRANSCRIPT,
        title="Größe",
        language="de",
        state=TranscriptState.LIVE,
        created_ms=START_MS + 1000,
        updated_ms=START_MS + 1000,
        started_ms=5,
        duration_ms=0,
        speakers=0,
    )
    assert store.library.get(TRANSCRIPT) == made


def test_an_id_is_used_once(store: Store) -> None:
    opened(store)

    with pytest.raises(Conflict, match="expected a new key"):
        opened(store)


def test_nothing_is_left_of_a_deleted_transcript(store: Store) -> None:
    lease = opened(store)
    session = joined(store, lease)
    store.sessions.add_voice(lease, session.id, "S1")
    store.documents.add_client(lease, 1)
    store.links.add(TRANSCRIPT, "f1", Role.EDITOR)
    a_word = WordRef(session.live_pass, 0)
    batch = Batch(
        after=0,
        updates=(b"a", b"b"),
        words=(chunk(session.live_pass, 0, "a"),),
        aliases=(Alias(a_word, a_word),),
        decisions=(Decision(session.live_pass, "h", Outcome.APPLIED),),
    )
    store.documents.append(lease, batch)
    store.documents.compact(lease, b"a", 1)
    describe(store, lease, text="found")

    store.library.delete(TRANSCRIPT)

    with pytest.raises(UnknownTranscript):
        store.library.get(TRANSCRIPT)
    with pytest.raises(UnknownTranscript):
        store.documents.append(lease, Batch(2, (b"c",)))
    with pytest.raises(UnknownTranscript):
        store.library.delete(TRANSCRIPT)
    # Under the same id, nothing of before is there.
    opened(store)
    assert store.documents.read(TRANSCRIPT).last_seq == 0
    assert store.documents.clients(TRANSCRIPT) == frozenset()
    assert store.sessions.find(session.id) is None
    assert store.sessions.voices(TRANSCRIPT) == ()
    assert store.passes.of(TRANSCRIPT) == ()
    assert store.passes.words(TRANSCRIPT, [session.live_pass]) == {session.live_pass: ()}
    assert store.merges.aliases(TRANSCRIPT) == {}
    assert store.merges.decisions(TRANSCRIPT, session.live_pass) == {}
    assert store.links.find("f1") is None
    assert found(store, "found") == []


def test_other_transcripts_stay_when_one_is_deleted(store: Store) -> None:
    opened(store)
    lease = opened(store, OTHER)
    store.documents.append(lease, Batch(0, (b"a",)))

    store.library.delete(TRANSCRIPT)

    assert store.documents.read(OTHER).updates == (b"a",)


def test_text_that_no_encoder_takes_is_stored_all_the_same(store: Store) -> None:
    title = "a\0b\ud800c\U0001f600"

    store.library.create(TRANSCRIPT, started_ms=0, title=title)

    assert store.library.get(TRANSCRIPT).title == "a\ufffdb\ufffdc\U0001f600"
    with pytest.raises(UnknownTranscript):
        store.library.get("\0\ud800")


def test_the_list_begins_with_what_changed_last(store: Store) -> None:
    lease = opened(store)
    opened(store, OTHER)
    assert [item.id for item in store.library.page().transcripts] == [OTHER, TRANSCRIPT]

    store.documents.append(lease, Batch(0, (b"a",)))

    assert [item.id for item in store.library.page().transcripts] == [TRANSCRIPT, OTHER]


@pytest.mark.parametrize("limit", [1, 3, 4, 7, LARGEST_PAGE])
def test_pages_together_are_the_whole_list(store: Store, clock: Clock, limit: int) -> None:
    for number, name in enumerate(ids(7)):
        store.library.create(name, started_ms=0)
        if number % 3:
            clock.ms -= 1000  # several changed in the same moment
    listed: list[str] = []
    page = store.library.page(limit=limit)
    listed += [item.id for item in page.transcripts]
    while page.following is not None:
        assert len(page.transcripts) == limit
        page = store.library.page(limit=limit, after=page.following)
        listed += [item.id for item in page.transcripts]

    assert sorted(listed) == ids(7)
    changed = [(store.library.get(name).updated_ms, name) for name in listed]
    assert changed == sorted(changed, reverse=True)


def test_an_empty_list_has_one_empty_page(store: Store) -> None:
    page = store.library.page()

    assert page.transcripts == ()
    assert page.following is None


@pytest.mark.parametrize("limit", [0, LARGEST_PAGE + 1])
def test_pages_are_bounded(store: Store, limit: int) -> None:
    with pytest.raises(ValueError, match=f"limit: expected 1..100, got {limit}"):
        store.library.page(limit=limit)


def test_a_transcript_is_found_by_its_title_and_by_what_is_said(store: Store) -> None:
    lease = opened(store)
    other = opened(store, OTHER)
    describe(store, lease, title="Budget 2027", text="We talked about Köln.\nÜber alles. 机器学习")
    describe(store, other, title="Retrospective", text="What about the budget?")

    assert found(store, "budget") == [OTHER, TRANSCRIPT]
    assert found(store, "BUDG abo") == [OTHER, TRANSCRIPT]
    assert (
        found(store, "budget köln") == found(store, "koln") == found(store, "über") == [TRANSCRIPT]
    )
    assert found(store, "学习") == found(store, "习") == found(store, "机器学习!") == [TRANSCRIPT]
    assert found(store, "学机") == found(store, "nothing") == found(store, "udget") == []


def test_a_page_of_what_was_found_goes_on_like_the_list(store: Store) -> None:
    for name in ids(5):
        describe(store, opened(store, name), title="budget")
    opened(store)

    first = store.library.page(query="budget", limit=3)
    rest = store.library.page(query="budget", limit=3, after=first.following)

    assert [item.id for item in (*first.transcripts, *rest.transcripts)] == ids(5)[::-1]
    assert rest.following is None


@pytest.mark.parametrize("query", ["", " ", "?!", "'", '"', "*"])
def test_a_query_without_words_finds_nothing(store: Store, query: str) -> None:
    describe(store, opened(store), title="' \" * ?")

    assert found(store, query) == []


@pytest.mark.parametrize(
    "query",
    ["a' | 'b", '"a" OR "b"', "a NOT b", "title:a", "a\\", "(a", "a:*", "NEAR(a b)", "a;--"],
)
def test_a_query_is_never_taken_for_the_language_of_the_database(store: Store, query: str) -> None:
    describe(store, opened(store), text="a b or not title near")

    assert found(store, query) == [TRANSCRIPT]


def test_a_new_description_replaces_the_old(store: Store, clock: Clock) -> None:
    lease = opened(store)
    before_ms = clock.ms
    describe(store, lease, title="Old", text="apple")
    describe(store, lease, title="New", text="pear", seq=2)

    transcript = store.library.get(TRANSCRIPT)
    assert (transcript.title, transcript.language) == ("New", "en")
    assert (transcript.speakers, transcript.duration_ms) == (2, 61_000)
    assert transcript.updated_ms == before_ms
    assert found(store, "old") == found(store, "apple") == []
    assert found(store, "new pear") == [TRANSCRIPT]


@pytest.mark.slow
def test_the_longest_text_can_be_described(store: Store) -> None:
    lease = opened(store)
    text = " ".join(f"{number:x}é世" for number in range(200_000))

    describe(store, lease, text=text)

    assert found(store, "1f00é世") == [TRANSCRIPT]


def test_a_description_stays_until_there_is_one_of_a_later_update(store: Store) -> None:
    lease = opened(store)
    describe(store, lease, title="New", text="pear", seq=2)
    describe(store, lease, title="Old", text="apple", seq=1)

    assert (found(store, "pear"), found(store, "apple")) == ([TRANSCRIPT], [])
    assert store.library.described(TRANSCRIPT) == 2


def test_what_is_not_described_up_to_its_newest_update_is_known(store: Store) -> None:
    first, second = (opened(store, name) for name in ids(2))
    opened(store)  # and nothing said
    for lease in (first, second):
        store.documents.append(lease, Batch(0, (b"a", b"b")))
    describe(store, first, seq=1)

    assert store.library.next_undescribed() == first.transcript
    assert store.library.next_undescribed(first.transcript) == second.transcript
    assert store.library.next_undescribed(second.transcript) is None
    describe(store, first, seq=2)
    assert store.library.next_undescribed() == second.transcript


def test_title_language_and_state_are_changed_one_by_one(store: Store, clock: Clock) -> None:
    describe(store, opened(store), title="Old", text="apple")

    titled = store.library.change(TRANSCRIPT, title="New")
    assert (titled.title, titled.language, titled.state) == ("New", "en", TranscriptState.LIVE)
    assert titled.updated_ms == clock.ms
    closed = store.library.change(TRANSCRIPT, language="de", state=TranscriptState.CLOSED)
    assert (closed.title, closed.language, closed.state) == ("New", "de", TranscriptState.CLOSED)

    assert store.library.get(TRANSCRIPT) == closed
    assert found(store, "old") == []
    assert found(store, "new apple") == [TRANSCRIPT]
    with pytest.raises(UnknownTranscript):
        store.library.change(OTHER, title="x")


def test_a_cursor_survives_the_way_to_the_client_and_back() -> None:
    cursor = Cursor(START_MS, "aB3_-x")

    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize(
    "value", ["", "1", "1.", ".a", "x.a", "1.a b", "1.a\n", "9" * 16 + ".a", "-1.a"]
)
def test_anything_else_is_no_cursor(value: str) -> None:
    assert Cursor.parse(value) is None
