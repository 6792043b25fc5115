"""Both codecs obey the vectors, and the specification's own examples are true."""

import json
import re

import pytest

import trax_client.wire as client_wire
from server import messages
from server import wire as server_wire
from server.codes import ErrorCode
from tests.contracts.vectors import FOLDER, Vector, plain, read_vectors
from trax_client import ProtocolViolation

CLIENT_TYPES = {
    messages.Start: "start",
    messages.Audio: "audio",
    messages.Finalize: "finalize",
    messages.End: "end",
    messages.Ping: "ping",
}
SPECIFICATION = FOLDER.parent / "PROTOCOL.md"


def ids(vectors: list[Vector]) -> list[str]:
    return [f"{vector.subprotocol[8:]}: {vector.name}" for vector in vectors]


FROM_CLIENTS = read_vectors("client")
FROM_SERVERS = read_vectors("server")


@pytest.mark.parametrize("vector", FROM_CLIENTS, ids=ids(FROM_CLIENTS))
def test_server_codec_obeys(vector: Vector) -> None:
    subprotocol = server_wire.Subprotocol(vector.subprotocol)
    if vector.error is not None:
        with pytest.raises(server_wire.WireError) as refusal:
            server_wire.decode(vector.frame, subprotocol)
        assert (refusal.value.code, refusal.value.field) == (vector.error, vector.field)
        return
    message = server_wire.decode(vector.frame, subprotocol)
    if message is None:
        assert vector.message is None
    else:
        assert plain(CLIENT_TYPES[type(message)], message) == vector.message


@pytest.mark.parametrize("vector", FROM_SERVERS, ids=ids(FROM_SERVERS))
def test_client_codec_obeys(vector: Vector) -> None:
    subprotocol = client_wire.Subprotocol(vector.subprotocol)
    if vector.error is not None:
        with pytest.raises(ProtocolViolation) as refusal:
            client_wire.decode(vector.frame, subprotocol)
        assert refusal.value.field == vector.field
        return
    message = client_wire.decode(vector.frame, subprotocol)
    if message is None:
        assert vector.message is None
    else:
        assert plain(message.type, message) == vector.message


def test_every_message_has_vectors_in_both_subprotocols() -> None:
    for subprotocol in server_wire.Subprotocol:
        spoken = {
            vector.message["type"]
            for vector in FROM_CLIENTS + FROM_SERVERS
            if vector.subprotocol == subprotocol and isinstance(vector.message, dict)
        }
        assert len(spoken) == 5 + 13


def test_vectors_have_names_of_their_own() -> None:
    for vectors in (FROM_CLIENTS, FROM_SERVERS):
        names = ids(vectors)
        assert len(names) == len(set(names))


def test_example_in_the_specification_decodes() -> None:
    lines = re.findall(r"^([CS]) (\{.*\})$", SPECIFICATION.read_text(), re.MULTILINE)
    assert len(lines) > 12
    for speaker, frame in lines:
        if speaker == "C":
            assert server_wire.decode(frame, server_wire.Subprotocol.JSON) is not None
        else:
            message = client_wire.decode(frame, client_wire.Subprotocol.JSON)
            assert message is not None
            assert plain(message.type, message).items() == json.loads(frame).items()


def test_specification_lists_every_error_with_its_close_code_and_whether_to_retry() -> None:
    rows = re.findall(
        r"^\| (\d{4}) \| (`[^|]+`) \| [^|]+ \| (yes|no)", SPECIFICATION.read_text(), re.MULTILINE
    )
    specified = {
        (code, int(close_code), retry == "yes")
        for close_code, codes, retry in rows
        for code in re.findall(r"`(\w+)`", codes)
    }
    assert specified == {(str(c), int(c.close_code), c.retry) for c in ErrorCode}


def test_specification_states_the_ranges_that_the_server_holds() -> None:
    text = SPECIFICATION.read_text()
    for field, allowed in {
        "sample_rate": server_wire.SAMPLE_RATES,
        "lookahead_ms": server_wire.LOOKAHEADS_MS,
        "max_delay_ms": server_wire.MAX_DELAYS_MS,
        "diarization_latency_ms": server_wire.DIARIZATION_LATENCIES_MS,
    }.items():
        assert f"| `{field}` | int {allowed[0]}..{allowed[-1]}" in text
    hotwords = server_wire.MAX_HOTWORDS, server_wire.MAX_HOTWORD_CHARACTERS
    assert "at most {} words to favour, of 1..{} printable".format(*hotwords) in text
    assert text.count(f"(1..{server_wire.MAX_NAME_CHARACTERS} printable characters)") == 2
    assert f'or `"{messages.NEW_TRANSCRIPT}"`: the server makes one' in text
    assert f"at most {server_wire.MAX_ITEMS} items and nest at most {server_wire.MAX_DEPTH}" in text
