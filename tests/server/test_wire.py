"""The server's codec beyond the vectors: whatever comes, whatever goes, what errors tell.

`tests/contracts/test_vectors.py` runs `clients/vectors` against it.
"""

import dataclasses
import json
import types
from contextlib import suppress
from enum import StrEnum
from typing import Union, get_args, get_origin, get_type_hints

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trax_client.wire as client_wire
from server import messages
from server.codes import ErrorCode
from server.wire import MAX_INTEGER, Subprotocol, WireError, decode, encode
from tests.contracts.vectors import plain, read_vectors
from trax_client import requests

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SERVER_MESSAGES = get_args(messages.ServerMessage)
NOT_ANY_INTEGER = {
    "confidence": st.integers(0, 1000),
    "seq": st.integers(1, MAX_INTEGER),
}


def values(annotation: object, *, least: int = 0) -> st.SearchStrategy[object]:
    """Return any values of a type that stands in a message."""
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        return st.integers(0, MAX_INTEGER)
    if annotation is str:
        return TEXT
    if annotation is type(None):
        return st.none()
    if get_origin(annotation) in {Union, types.UnionType}:
        return st.one_of(*map(values, get_args(annotation)))
    if get_origin(annotation) is tuple:
        return st.lists(values(get_args(annotation)[0]), min_size=least, max_size=5).map(tuple)
    assert isinstance(annotation, type)
    if issubclass(annotation, StrEnum):
        return st.sampled_from(list(annotation))
    return instances(annotation)


def instances(kind: type) -> st.SearchStrategy[object]:
    """Return any messages of a class."""
    hints = get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    fields = {
        name: NOT_ANY_INTEGER.get(name, values(hints[name], least=kind is messages.Final))
        for name in names
    }
    return st.builds(kind, **fields)


STARTS = st.builds(
    requests.Start,
    transcript=st.none() | st.from_regex(r"[!-~]{1,20}", fullmatch=True),
    person=st.none() | st.sampled_from(["Zoë", "क्\u200dष"]),
    microphone=st.none() | st.sampled_from(["desk", "Table 2, left"]),
    sample_rate=st.integers(8_000, 48_000),
    encoding=st.sampled_from(["pcm_s16le", "pcm_f32le"]),
    language=st.sampled_from(["auto", "de", "yue"]),
    lookahead_ms=st.none() | st.integers(0, 5_000),
    max_delay_ms=st.none() | st.integers(500, 30_000),
    diarization=st.booleans(),
    diarization_latency_ms=st.none() | st.integers(500, 5_000),
    hotwords=st.lists(st.sampled_from(["ComfyUI", "naïve Bayes", "東京"]), max_size=3).map(tuple),
    partials=st.booleans(),
    finals=st.sampled_from(["word", "utterance"]),
    resume=st.none()
    | st.builds(
        requests.Resume,
        session=st.just("s"),
        token=st.just("t"),
        after=st.integers(0, MAX_INTEGER),
    ),
)
AUDIO = st.builds(
    requests.Audio,
    at=st.integers(0, MAX_INTEGER),
    pcm=st.binary(max_size=20).map(lambda half: half * 2),
)
PINGS = st.builds(requests.Ping, id=st.integers(0, MAX_INTEGER))


@pytest.mark.slow
@pytest.mark.parametrize("subprotocol", Subprotocol)
@given(data=st.data())
def test_what_the_server_says_the_client_understands(
    subprotocol: Subprotocol, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(SERVER_MESSAGES))
    message = data.draw(instances(kind))
    frame = encode(message, subprotocol)  # type: ignore[arg-type]  # drawn from the union
    understood = client_wire.decode(frame, client_wire.Subprotocol(subprotocol))
    assert understood is not None
    assert plain(understood.type, understood) == plain(kind.type, message)


@pytest.mark.slow
@pytest.mark.parametrize("subprotocol", Subprotocol)
@given(message=st.one_of(STARTS, AUDIO, PINGS))
def test_what_the_client_says_the_server_understands(
    subprotocol: Subprotocol, message: requests.ClientMessage
) -> None:
    understood = decode(
        client_wire.encode(message, client_wire.Subprotocol(subprotocol)), subprotocol
    )
    expected = plain(message.type, message)
    if isinstance(message, requests.Start) and message.max_delay_ms is None:
        expected["max_delay_ms"] = 4_000
    if isinstance(message, requests.Audio) and subprotocol is Subprotocol.JSON:
        expected["at"] = None
    assert plain(message.type, understood) == expected


FRAMES = [vector.frame for vector in read_vectors("client") + read_vectors("server")]


def test_vectors_are_accepted_and_refused() -> None:
    """What exactly they decode to is checked with the client's in `tests/contracts`."""
    for vector in read_vectors("client"):
        try:
            decode(vector.frame, Subprotocol(vector.subprotocol))
            refused = None
        except WireError as error:
            refused = error.code
        assert refused == vector.error, vector.name


@st.composite
def damaged(draw: st.DrawFn) -> bytes | str:
    """Return a frame that was well formed or nearly, after some bytes were changed."""
    frame = draw(st.sampled_from([frame for frame in FRAMES if len(frame) < 500]))
    raw = bytearray(frame.encode() if isinstance(frame, str) else frame)
    for _ in range(draw(st.integers(0, 3))):
        if raw:
            raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    cut = bytes(raw[: draw(st.integers(0, len(raw)))])
    return cut.decode(errors="replace") if isinstance(frame, str) else cut


@pytest.mark.parametrize("subprotocol", Subprotocol)
@given(frame=st.one_of(st.binary(), st.text(), damaged()))
def test_whatever_comes_only_wire_errors_are_raised(
    subprotocol: Subprotocol, frame: bytes | str
) -> None:
    with suppress(WireError):
        message = decode(frame, subprotocol)
        assert message is None or isinstance(message, messages.ClientMessage)


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=8,
    ),
    st.sampled_from(["start", "audio", "ping", "resume", "hotwords", "person", "other"]),
)
def test_any_value_in_any_field_is_taken_or_refused(value: object, where: str) -> None:
    message: dict[str, object] = {"type": where, "id": value, "at": value, "pcm": value}
    if where not in {"audio", "ping", "other"}:
        message = {"type": "start", where: value}
    try:
        frame = msgpack.packb(message)
    except (OverflowError, UnicodeEncodeError):
        return  # msgpack cannot write it
    with suppress(WireError):
        decode(frame, Subprotocol.MSGPACK)


def test_errors_never_repeat_text_that_may_be_secret_or_spoken() -> None:
    secret = "correct horse"
    for fields in (
        {"resume": {"session": "s", "token": secret, "after": 0}},
        {"resume": secret},
        {"transcript": secret},
        {"hotwords": [secret + "\0"]},
        {"person": secret + "\0"},
        {"microphone": [secret]},
        {"sample_rate": secret},
    ):
        with pytest.raises(WireError) as refusal:
            decode(json.dumps({"type": "start"} | fields), Subprotocol.JSON)
        assert secret not in str(refusal.value)
        assert secret not in refusal.value.got


def test_error_says_where_what_was_expected_and_what_came() -> None:
    with pytest.raises(WireError) as refusal:
        decode('{"type":"start","lookahead_ms":6000}', Subprotocol.JSON)
    error = refusal.value
    assert (error.code, error.field) == (ErrorCode.UNSUPPORTED, "lookahead_ms")
    assert (error.expected, error.got) == ("0..5000", "6000")
    assert str(error) == "lookahead_ms: expected 0..5000, got 6000"


def test_name_of_an_option_is_repeated_but_not_at_any_length() -> None:
    with pytest.raises(WireError, match=r"got '\\xe9x{39}'$"):
        decode(json.dumps({"type": "start", "encoding": "é" + "x" * 9000}), Subprotocol.JSON)


def test_kind_of_an_ignored_oddity_is_named() -> None:
    stamp = msgpack.packb({"type": "end", "x": msgpack.Timestamp(1)})
    with pytest.raises(WireError, match="got another type"):
        decode(stamp, Subprotocol.MSGPACK)


@pytest.mark.parametrize("code", ErrorCode)
def test_only_faults_of_the_client_have_a_close_code_that_tells_it_to_stay_away(
    code: ErrorCode,
) -> None:
    terminal = 4400 <= code.close_code < 4500
    assert code.retry != terminal or code is ErrorCode.IDLE_TIMEOUT


def test_sample_sizes() -> None:
    assert [encoding.sample_bytes for encoding in messages.Encoding] == [2, 4]
