"""Updates inspected: what Yjs wrote is understood; nothing forged, cut or endless comes through."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.yjs.contents import Kind
from server.yjs.errors import ForbiddenContent, LimitExceeded, MalformedYjs
from server.yjs.structs import MAX_CLOCK, Id, Parent, Range, Run, Stretch
from server.yjs.updates import (
    Inspection,
    Limits,
    decode_state_vector,
    encode_state_vector,
    fresh,
    inspect,
    missing,
)
from tests.server.yjs.writing import deletes, gc, numbers, section, skip, text, update
from tests.server.yjs.yjs_fixtures import FIXTURES, states

LIMITS = Limits(structs=1000, clients=10, delete_ranges=100)

SESSIONS = {session["name"]: session for session in FIXTURES["sessions"]}
DOCUMENTS = {document["name"]: document for document in FIXTURES["documents"]}


def look(encoded: bytes) -> Inspection:
    return inspect(encoded, LIMITS)


def advanced(state: dict[int, int], inspection: Inspection) -> dict[int, int]:
    """Return a state vector after an update was applied, as `fresh` says."""
    after = dict(state)
    for client, ranges in fresh(inspection, state).items():
        assert ranges[0].start == state.get(client, 0)
        assert all(before.end == behind.start for before, behind in pairwise(ranges))
        after[client] = ranges[-1].end
    return after


@pytest.mark.parametrize("name", SESSIONS)
def test_updates_of_an_editor_can_be_applied_one_by_one(name: str) -> None:
    state: dict[int, int] = {}
    for encoded in SESSIONS[name]["updates"]:
        inspection = look(bytes.fromhex(encoded))
        assert missing(inspection, state) is None
        state = advanced(state, inspection)

    assert state == states(SESSIONS[name]["state"])


def test_an_update_out_of_turn_lacks_the_one_before() -> None:
    hello, world, comma, _ = (look(bytes.fromhex(e)) for e in SESSIONS["typing"]["updates"])

    assert missing(hello, {}) is None
    assert missing(world, {}) == Id(1, 4)
    assert missing(comma, {1: 5}) == Id(1, 10)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_whole_document_can_be_applied_to_an_empty_one(name: str) -> None:
    inspection = look(bytes.fromhex(DOCUMENTS[name]["update"]))

    assert missing(inspection, {}) is None
    assert advanced({}, inspection) == states(DOCUMENTS[name]["state"])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_state_vectors_are_those_of_yjs(name: str) -> None:
    encoded = bytes.fromhex(DOCUMENTS[name]["state_vector"])
    state = states(DOCUMENTS[name]["state"])

    assert decode_state_vector(encoded, limit=10) == state
    assert encode_state_vector(state) == encoded


def test_what_an_update_holds_is_told() -> None:
    one = look(bytes.fromhex(SESSIONS["nested types"]["updates"][0]))
    whole = look(bytes.fromhex(DOCUMENTS["collected"]["update"]))

    assert one.roots == {"comments"}
    assert one.types == {Id(1, 0)}
    assert one.kinds == {Kind.MAP}
    assert whole.kinds == {Kind.GC, Kind.DELETED, Kind.ANY}


def test_text_is_counted_in_utf_16() -> None:
    assert look(update(section(1, 0, text("aé😀")))).units == 4
    assert look(update(section(1, 0, text("abc")))).units == 3


@pytest.mark.parametrize("fixture", FIXTURES["forbidden"], ids=lambda fixture: fixture["kind"])
def test_content_that_no_transcript_holds_is_refused(fixture: dict[str, str]) -> None:
    with pytest.raises(ForbiddenContent) as refused:
        look(bytes.fromhex(fixture["update"]))

    assert refused.value.kind == fixture["kind"]


def test_skipped_ticks_are_missing() -> None:
    inspection = look(bytes.fromhex(FIXTURES["skipping"]))

    assert fresh(inspection, {}) == {1: (Range(0, 2), Range(4, 5), Range(6, 7))}
    assert missing(inspection, {}) == Id(1, 3)
    assert missing(inspection, {1: 4}) == Id(1, 5)
    assert missing(inspection, {1: 6}) is None
    assert look(update(section(1, 0, skip(3)))).stretches == {}


def test_only_what_the_document_lacks_is_fresh() -> None:
    inspection = look(update(section(1, 10, text("abc"), text("def", origin=(2, 5)))))

    assert fresh(inspection, {}) == {1: (Range(10, 16),)}
    assert fresh(inspection, {1: 12}) == {1: (Range(12, 16),)}
    assert fresh(inspection, {1: 14}) == {1: (Range(14, 16),)}
    assert fresh(inspection, {1: 16}) == {}


def test_structs_wait_for_those_they_were_written_next_to() -> None:
    inspection = look(
        update(section(5, 0, text("a"), text("b", origin=(3, 7), right=(3, 9)), text("c")))
    )

    assert inspection.stretches == {5: (Stretch(0, 1, ()), Stretch(1, 3, (Id(3, 7), Id(3, 9))))}
    assert missing(inspection, {}) == Id(3, 7)
    assert missing(inspection, {3: 8}) == Id(3, 9)
    assert missing(inspection, {3: 10}) is None


def test_clients_may_wait_for_each_other_in_turns() -> None:
    inspection = look(
        update(
            section(1, 0, text("a"), text("c", origin=(2, 0)), text("e", origin=(2, 1))),
            section(2, 0, text("b", origin=(1, 0)), text("d", origin=(1, 1))),
        )
    )

    assert missing(inspection, {}) is None


def test_clients_that_wait_for_each_other_for_ever_are_found() -> None:
    inspection = look(
        update(section(1, 0, text("a", origin=(2, 0))), section(2, 0, text("b", origin=(1, 0))))
    )

    assert missing(inspection, {}) in {Id(1, 0), Id(2, 0)}


def test_deletes_wait_for_what_they_delete() -> None:
    inspection = look(update(section(1, 0, text("abc")), deleted=[deletes(1, (1, 2), (0, 1))]))
    beyond = look(update(section(1, 0, text("abc")), deleted=[deletes(1, (1, 3))]))
    other = look(update(deleted=[deletes(9, (4, 1))]))

    assert missing(inspection, {}) is None
    assert missing(beyond, {}) == Id(1, 3)
    assert missing(other, {}) == Id(9, 4)
    assert missing(other, {9: 5}) is None


def test_where_structs_are_put_is_told() -> None:
    inspection = look(
        update(
            section(
                1,
                0,
                text("abc"),
                text("d", origin=(1, 2)),
                text("e", origin=(1, 1), right=(1, 2)),
                text("f", origin=(1, 4), right=(1, 2)),
                text("g", right=(2, 7)),
                text("h", origin=(2, 5)),
                gc(1),
            ),
            deleted=[deletes(3, (4, 2))],
        )
    )

    assert inspection.cuts == {1: {2, 3, 5}, 2: {6, 7}, 3: {4, 6}}
    assert inspection.runs == {
        1: [
            Run(0, Parent("text", None)),
            Run(4, Id(1, 1), behind=True),
            Run(6, Id(2, 7)),
            Run(7, Id(2, 5), behind=True),
            Run(8, None),
        ]
    }
    assert inspection.between == {(Id(1, 1), Id(1, 2)), (Id(1, 4), Id(1, 2))}
    assert inspection.first == {Id(2, 7)}
    assert inspection.last == {Id(2, 5)}


def test_parents_in_the_document_are_told() -> None:
    inspection = look(update(section(2, 0, text("x", parent=(1, 5)))))

    assert inspection.parents == {Id(1, 5)}
    assert missing(inspection, {1: 5}) == Id(1, 5)


@pytest.mark.parametrize(
    ("encoded", "said"),
    [
        (b"", "byte 0: expected one more byte"),
        (update() + b"\0", "byte 2: expected the end, got 1 more bytes"),
        (update(section(1, 0)), "byte 1: expected at least 1 structs of a client, got 0"),
        (update(section(1, 0, gc(1)), section(1, 1, gc(1))), "expected each client once"),
        (update(deleted=[deletes(1, (0, 1)), deletes(1, (1, 1))]), "expected each client once"),
        (update(deleted=[deletes(1)]), "at least 1 deletes of a client, got 0"),
        (update(deleted=[deletes(1, (5, 0))]), "expected a length of at least 1, got 0"),
        (update(section(1, 0, gc(0))), "expected a length of at least 1, got 0"),
        (update(section(1, 0, skip(0))), "expected a length of at least 1, got 0"),
        (update(section(1, MAX_CLOCK, gc(1))), f"expected clocks up to {MAX_CLOCK}"),
        (update(deleted=[deletes(1, (MAX_CLOCK, 1))]), f"expected clocks up to {MAX_CLOCK}"),
        (update(section(1, MAX_CLOCK + 1, gc(1))), f"a number of at most {MAX_CLOCK}"),
        (update(section(1, 3, text("a", origin=(1, 3)))), "expected a clock below 3, got 3"),
        (update(section(1, 3, text("a", right=(1, 4)))), "expected a clock below 3, got 4"),
        (update(section(1, 3, text("a", parent=(1, 3)))), "expected a clock below 3, got 3"),
        (update(section(1, 0, b"\x80\x02\x00")), "expected a kind of content, 1..11, got 0"),
        (update(section(1, 0, b"\x8c\x02\x00")), "expected a kind of content, 1..11, got 12"),
        (update(section(1, 0, b"\x04\x02\x00\x00")), "a number of at most 1, got 2"),
    ],
)
def test_what_yjs_would_not_write_is_refused(encoded: bytes, said: str) -> None:
    with pytest.raises(MalformedYjs) as refused:
        look(encoded)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("encoded", "what", "got"),
    [
        (update(section(1, 0, *[gc(1)] * 1001)), "structs of a client", 1001),
        (
            update(section(1, 0, *[gc(1)] * 600), section(2, 0, *[gc(1)] * 401)),
            "structs of an update",
            1001,
        ),
        (update(*(section(client, 0, gc(1)) for client in range(11))), "clients of an update", 11),
        (
            update(deleted=[deletes(client, (0, 1)) for client in range(11)]),
            "clients of deletes",
            11,
        ),
        (update(deleted=[deletes(1, *[(0, 1)] * 101)]), "deletes of a client", 101),
        (
            update(deleted=[deletes(1, *[(0, 1)] * 60), deletes(2, *[(0, 1)] * 41)]),
            "deletes of an update",
            101,
        ),
        (b"\xff\xff\xff\xff\xff\xff\xff\x0f", "clients of an update", 2**53 - 1),
        (b"\x01\xff\xff\xff\xff\xff\xff\xff\x0f", "structs of a client", 2**53 - 1),
    ],
)
def test_an_update_is_limited(encoded: bytes, what: str, got: int) -> None:
    with pytest.raises(LimitExceeded) as refused:
        look(encoded)

    assert refused.value.what == what
    assert str(refused.value).endswith(f"got {got}")


@pytest.mark.parametrize("name", SESSIONS)
def test_an_update_that_is_cut_off_is_refused(name: str) -> None:
    for encoded in SESSIONS[name]["updates"]:
        whole = bytes.fromhex(encoded)
        for size in range(len(whole)):
            with pytest.raises(MalformedYjs):
                look(whole[:size])


@given(st.dictionaries(st.integers(0, 2**53 - 1), st.integers(0, MAX_CLOCK), max_size=20))
def test_a_state_vector_comes_back(state: dict[int, int]) -> None:
    assert decode_state_vector(encode_state_vector(state), limit=20) == state


def test_state_vectors_are_checked() -> None:
    with pytest.raises(LimitExceeded, match="clients of a state vector: expected at most 1, got 2"):
        decode_state_vector(encode_state_vector({1: 1, 2: 2}), limit=1)
    with pytest.raises(MalformedYjs, match="each client once, got client 1 again"):
        decode_state_vector(numbers(2, 1, 5, 1, 6), limit=2)
    with pytest.raises(MalformedYjs, match="the end"):
        decode_state_vector(b"\0\0", limit=2)
