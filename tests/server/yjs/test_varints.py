"""lib0's primitives: what JavaScript wrote is read back, and nothing else is."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.yjs.errors import MalformedYjs
from server.yjs.varints import (
    MAX_DEPTH,
    MAX_INTEGER,
    Reader,
    write_blob,
    write_text,
    write_varuint,
)
from tests.server.yjs.yjs_fixtures import FIXTURES


@pytest.mark.parametrize(("value", "encoded"), FIXTURES["varuints"])
def test_numbers_are_written_and_read_as_in_javascript(value: int, encoded: str) -> None:
    assert write_varuint(value).hex() == encoded
    assert Reader(bytes.fromhex(encoded)).varuint() == value


@pytest.mark.parametrize(("value", "encoded"), FIXTURES["varints"])
def test_signed_numbers_are_read_as_in_javascript(value: int, encoded: str) -> None:
    reader = Reader(bytes.fromhex(encoded))

    assert reader.varint() == value
    reader.end()


@pytest.mark.parametrize(("value", "encoded"), FIXTURES["texts"])
def test_strings_are_written_and_read_as_in_javascript(value: str, encoded: str) -> None:
    assert write_text(value).hex() == encoded
    assert Reader(bytes.fromhex(encoded)).text() == value


@pytest.mark.parametrize("encoded", FIXTURES["values"])
def test_every_type_of_value_is_passed_over_whole(encoded: str) -> None:
    reader = Reader(bytes.fromhex(encoded))

    reader.skip_any()

    reader.end()


@pytest.mark.parametrize("encoded", FIXTURES["values"])
def test_a_value_that_is_cut_off_is_refused(encoded: str) -> None:
    whole = bytes.fromhex(encoded)
    for size in range(len(whole)):
        with pytest.raises(MalformedYjs):
            Reader(whole[:size]).skip_any()


@given(st.integers(0, MAX_INTEGER))
def test_a_number_has_one_encoding(value: int) -> None:
    encoded = write_varuint(value)
    assert Reader(encoded).varuint() == value

    longer = encoded[:-1] + bytes((encoded[-1] | 0x80, 0))
    with pytest.raises(MalformedYjs, match="shortest form"):
        Reader(longer).varuint()


@given(st.binary())
def test_bytes_come_back(blob: bytes) -> None:
    reader = Reader(write_blob(blob))

    assert reader.blob() == blob
    reader.end()


@pytest.mark.parametrize(
    ("encoded", "read", "said"),
    [
        (b"", Reader.byte, "byte 0: expected one more byte, got the end"),
        (b"\x80", Reader.varuint, "byte 1: expected one more byte, got the end"),
        (b"\xff" * 8 + b"\x01", Reader.varuint, "at most 9007199254740991, got a larger one"),
        (b"\xff" * 100_000, Reader.varuint, "at most 9007199254740991, got a larger one"),
        (b"\x80" * 100_000 + b"\x01", Reader.varuint, "got a larger one"),
        (b"\xff\x00", Reader.varint, "its shortest form, got 2 bytes"),
        (b"\x05abc", Reader.blob, "byte 0: expected 5 bytes, got 3"),
        (b"\xff\xff\xff\xff\xff\xff\xff\x0fabc", Reader.blob, "bytes, got 3"),
        (b"\x02\xc3\x28", Reader.text, "expected UTF-8, got invalid continuation byte"),
        (b"\x03\xed\xa0\x80", Reader.text, "expected UTF-8"),
        (b"\x73", Reader.skip_any, "byte 0: expected a type of value, 116..127, got 115"),
        (b"\x7b\0\0\0", Reader.skip_any, "byte 1: expected 8 more bytes, got 3"),
        (b"\x75\xff\xff\xff\xff\x0f\x7e", Reader.skip_any, "expected one more byte"),
        (b"\x00", Reader.end, "byte 0: expected the end, got 1 more bytes"),
    ],
)
def test_what_lib0_would_not_write_is_refused(
    encoded: bytes, read: Callable[[Reader], object], said: str
) -> None:
    with pytest.raises(MalformedYjs) as refused:
        read(Reader(encoded))

    assert said in str(refused.value)


def test_a_number_may_be_limited() -> None:
    assert Reader(b"\x05").varuint(5) == 5

    with pytest.raises(MalformedYjs, match="byte 0: expected a number of at most 5, got 6"):
        Reader(b"\x06").varuint(5)


@pytest.mark.parametrize("level", [b"\x75\x01", b"\x76\x01\x00"])
def test_values_are_not_nested_without_end(level: bytes) -> None:
    Reader(level * MAX_DEPTH + b"\x7e").skip_any()

    with pytest.raises(MalformedYjs, match="at most 32 levels"):
        Reader(level * (MAX_DEPTH + 1) + b"\x7e").skip_any()
    with pytest.raises(MalformedYjs, match="at most 32 levels"):
        Reader(level * 100_000).skip_any()


@given(st.binary(max_size=100))
def test_a_reader_stays_within_its_bytes(noise: bytes) -> None:
    for read in (Reader.varuint, Reader.varint, Reader.blob, Reader.text, Reader.skip_any):
        reader = Reader(noise)
        with contextlib.suppress(MalformedYjs):
            read(reader)
        assert 0 <= reader.at <= len(noise)
