"""Frames of the y-websocket protocol, as y-protocols writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.yjs.errors import MalformedYjs
from server.yjs.messages import (
    Awareness,
    Message,
    PermissionDenied,
    QueryAwareness,
    SyncStep1,
    SyncStep2,
    Update,
    decode,
    encode,
)
from tests.server.yjs.yjs_fixtures import FIXTURES

WRITTEN = FIXTURES["messages"]
STATE_VECTOR = bytes.fromhex(WRITTEN["state_vector"])
UPDATE = bytes.fromhex(WRITTEN["update"])

MESSAGES: dict[str, Message] = {
    "sync_step_1": SyncStep1(STATE_VECTOR),
    "sync_step_2": SyncStep2(UPDATE),
    "sync_update": Update(UPDATE),
    "awareness": Awareness(b"\0"),
    "query_awareness": QueryAwareness(),
    "permission_denied": PermissionDenied("viewers only"),
}

messages = st.one_of(
    st.builds(SyncStep1, st.binary()),
    st.builds(SyncStep2, st.binary()),
    st.builds(Update, st.binary()),
    st.builds(Awareness, st.binary()),
    st.builds(QueryAwareness),
    st.builds(PermissionDenied, st.text()),
)


@pytest.mark.parametrize("name", MESSAGES)
def test_frames_are_those_of_y_protocols(name: str) -> None:
    frame = bytes.fromhex(WRITTEN[name])

    assert decode(frame) == MESSAGES[name]
    assert encode(MESSAGES[name]) == frame


@given(messages)
def test_a_message_comes_back_from_its_frame(message: Message) -> None:
    assert decode(encode(message)) == message


@given(messages)
def test_a_frame_that_is_cut_off_or_goes_on_is_refused(message: Message) -> None:
    frame = encode(message)

    for size in range(len(frame)):
        with pytest.raises(MalformedYjs):
            decode(frame[:size])
    with pytest.raises(MalformedYjs, match="expected the end, got 1 more bytes"):
        decode(frame + b"\0")


@pytest.mark.parametrize("frame", [b"\x04", b"\x64abc", b"\x00\x03\x00", b"\x02\x01\x00"])
def test_messages_of_unknown_types_are_ignored(frame: bytes) -> None:
    assert decode(frame) is None


def test_text_is_refused() -> None:
    with pytest.raises(MalformedYjs, match="expected a binary frame, got a text frame"):
        decode("\x03")


@given(st.binary(max_size=30))
def test_any_frame_is_a_message_or_unknown_or_refused(frame: bytes) -> None:
    try:
        message = decode(frame)
    except MalformedYjs:
        return
    if message is not None:
        assert encode(message) == frame
