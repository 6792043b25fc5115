"""Frames of the Yjs protocol: what is encoded is decoded, and what is cut off is refused."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import (
    Doc,
    create_awareness_message,
    create_sync_message,
    create_update_message,
)

from trax_client import ProtocolViolation
from trax_client.frames import (
    Awareness,
    Frame,
    PermissionDenied,
    SyncStep1,
    SyncStep2,
    Update,
    decode,
    encode,
)

FRAMES: st.SearchStrategy[Frame] = st.one_of(
    st.builds(SyncStep1, st.binary(max_size=300)),
    st.builds(SyncStep2, st.binary(max_size=300)),
    st.builds(Update, st.binary(max_size=300)),
    st.builds(Awareness, st.binary(max_size=300)),
    st.builds(PermissionDenied, st.text()),
)


@given(FRAMES)
def test_what_is_encoded_is_decoded(frame: Frame) -> None:
    assert decode(encode(frame)) == frame


@given(FRAMES, st.data())
def test_what_is_cut_off_is_refused_or_unknown(frame: Frame, data: st.DataObject) -> None:
    encoded = encode(frame)
    cut = encoded[: data.draw(st.integers(0, len(encoded) - 1))]
    with suppress(ProtocolViolation):
        assert decode(cut) is None


def test_frames_are_those_of_another_implementation() -> None:
    doc: Doc[Any] = Doc()
    assert encode(SyncStep1(doc.get_state())) == create_sync_message(doc)
    assert encode(Update(b"x" * 200)) == create_update_message(b"x" * 200)
    assert encode(Awareness(b"x")) == create_awareness_message(b"x")


@pytest.mark.parametrize("frame", [b"", b"\0", b"\0\3\0", b"\2\1\0", b"\3\0"])
def test_unknown_types_are_no_message(frame: bytes) -> None:
    assert decode(frame) is None


def test_text_is_refused() -> None:
    with pytest.raises(ProtocolViolation, match="binary"):
        decode("text")
