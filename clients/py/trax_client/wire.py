"""The client's codec: requests to frames, and the server's frames to events.

It shares no code with the server's codec; `clients/vectors` keep both to `clients/PROTOCOL.md`.
Unknown types and fields are ignored, so that a newer server can talk to us.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NoReturn

import msgpack

from trax_client.errors import ProtocolViolation
from trax_client.events import (
    Ack,
    Correction,
    Done,
    Error,
    Event,
    Final,
    Language,
    Limits,
    Models,
    Partial,
    Pong,
    Ready,
    ServerMessage,
    Speaker,
    SpeechStart,
    Stats,
    UtteranceEnd,
    Word,
)
from trax_client.fields import MAX_INTEGER, Fields, kind
from trax_client.requests import Audio, ClientMessage

MAX_DEPTH = 8
MAX_PERMILLE = 1_000

_SURROGATE = re.compile("[\ud800-\udfff]")


class Subprotocol(StrEnum):
    """How messages become frames."""

    MSGPACK = "trax.v1.msgpack"
    JSON = "trax.v1.json"


# Encoding


def encode(message: ClientMessage, subprotocol: Subprotocol) -> bytes | str:
    """Return the frame of a request: bytes go as a binary frame, text as a text frame."""
    if subprotocol is Subprotocol.JSON:
        return message.pcm if isinstance(message, Audio) else _as_json(message)
    packed: bytes = msgpack.packb(_as_map(message))
    return packed


def as_json(event: Event) -> str:
    """Return an event as one line of JSON, as the protocol's JSON subprotocol writes it."""
    return _as_json(event)


def _as_json(message: ClientMessage | Event) -> str:
    return json.dumps(_as_map(message), ensure_ascii=False, separators=(",", ":"))


def _as_map(message: ClientMessage | Event) -> dict[str, object]:
    fields: dict[str, object] = dataclasses.asdict(message)
    return {"type": message.type} | {name.rstrip("_"): value for name, value in fields.items()}


# Decoding


def decode(frame: bytes | str, subprotocol: Subprotocol) -> ServerMessage | None:
    """Return the message in a frame of the server, or `None` for a type that we do not know.

    Raises:
        ProtocolViolation: On anything that the protocol does not allow; nothing else.
    """
    match subprotocol, frame:
        case Subprotocol.MSGPACK, bytes():
            decoded = _unpack(frame)
        case Subprotocol.JSON, str():
            decoded = _parse(frame)
        case _:
            raise ProtocolViolation(f"frames of {subprotocol}", "a frame of another kind")
    if not isinstance(decoded, dict):
        raise ProtocolViolation("a map", kind(decoded))
    _check(decoded, MAX_DEPTH)
    fields = Fields(decoded, "")
    decoder = _DECODERS.get(fields.text("type"))
    return None if decoder is None else decoder(fields)


def _unpack(frame: bytes) -> object:
    try:
        unpacked: object = msgpack.unpackb(
            frame, raw=False, ext_hook=_refuse_extension, object_pairs_hook=_distinct
        )
    except (ValueError, msgpack.UnpackException) as error:
        raise ProtocolViolation("one msgpack map", "undecodable bytes") from error
    return unpacked


def _parse(frame: str) -> object:
    try:
        parsed: object = json.loads(frame, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise ProtocolViolation("one JSON object", "undecodable text") from error
    return parsed


def _refuse_extension(code: int, _content: bytes) -> NoReturn:
    raise ProtocolViolation("no extension types", f"type {code}")


def _distinct(pairs: list[tuple[object, object]]) -> dict[object, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs) or not all(isinstance(key, str) for key in fields):
        raise ProtocolViolation("text keys, each once", "others")
    return fields


def _check(value: object, levels: int) -> None:
    """Refuse what never goes on the wire, also within fields that we ignore."""
    if isinstance(value, dict | list):
        if levels == 0:
            raise ProtocolViolation(f"at most {MAX_DEPTH} maps and lists within each other", "more")
        for item in value.values() if isinstance(value, dict) else value:
            _check(item, levels - 1)
    elif isinstance(value, str):
        if _SURROGATE.search(value):
            raise ProtocolViolation("text in Unicode", "a lone surrogate")
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise ProtocolViolation(f"integers of magnitude up to {MAX_INTEGER}", "a larger one")
    elif not (value is None or isinstance(value, bytes)):
        raise ProtocolViolation("integers, text, bytes, lists, maps, booleans, nil", kind(value))


def _words(fields: Fields, *, least: int = 0) -> tuple[Word, ...]:
    return tuple(
        Word(
            text=item.text("text"),
            start_ms=item.count("start_ms"),
            end_ms=item.count("end_ms"),
            confidence=item.count("confidence", most=MAX_PERMILLE),
            speaker=item.text_or_none("speaker"),
        )
        for item in fields.items("words", least=least)
    )


def _ready(fields: Fields) -> Ready:
    limits, models = fields.within("limits"), fields.within("models")
    return Ready(
        session=fields.text("session"),
        token=fields.text("token"),
        transcript=fields.text_or_none("transcript"),
        sync=fields.text_or_none("sync"),
        next=fields.count("next"),
        until=fields.count("until"),
        resumed=fields.flag("resumed"),
        ended=fields.flag_or_false("ended"),
        language=fields.text("language"),
        lookahead_ms=fields.count("lookahead_ms"),
        max_delay_ms=fields.count("max_delay_ms"),
        diarization=fields.flag("diarization"),
        diarization_latency_ms=fields.count_or_none("diarization_latency_ms"),
        finals=fields.text("finals"),
        limits=Limits(
            message_bytes=limits.count("message_bytes"),
            resume_ms=limits.count("resume_ms"),
            idle_ms=limits.count("idle_ms"),
            session_ms=limits.count("session_ms"),
        ),
        models=Models(
            recognizer=models.text("recognizer"),
            vad=models.text("vad"),
            diarizer=models.text_or_none("diarizer"),
        ),
    )


def _correction(fields: Fields) -> Correction:
    return Correction(
        seq=fields.seq(),
        utterance=fields.count("utterance"),
        pass_=fields.text("pass"),
        start_ms=fields.count("start_ms"),
        end_ms=fields.count("end_ms"),
        words=_words(fields),
    )


def _done(fields: Fields) -> Done:
    return Done(
        audio_ms=fields.count("audio_ms"),
        utterances=fields.count("utterances"),
        words=fields.count("words"),
        speakers=fields.count("speakers"),
        corrections=fields.count("corrections"),
    )


def _error(fields: Fields) -> Error:
    return Error(
        code=fields.text("code"),
        message=fields.text("message"),
        expected=fields.text("expected"),
        got=fields.text("got"),
        retry=fields.flag("retry"),
        retry_after_ms=fields.count_or_none("retry_after_ms"),
    )


_DECODERS: Mapping[str, Callable[[Fields], ServerMessage]] = {
    "ready": _ready,
    "ack": lambda fields: Ack(samples=fields.count("samples"), until=fields.count("until")),
    "speech_start": lambda fields: SpeechStart(
        seq=fields.seq(), utterance=fields.count("utterance"), start_ms=fields.count("start_ms")
    ),
    "partial": lambda fields: Partial(
        utterance=fields.count("utterance"), stable=fields.count("stable"), words=_words(fields)
    ),
    "final": lambda fields: Final(
        seq=fields.seq(), utterance=fields.count("utterance"), words=_words(fields, least=1)
    ),
    "speaker": lambda fields: Speaker(
        seq=fields.seq(),
        start_ms=fields.count("start_ms"),
        end_ms=fields.count("end_ms"),
        speaker=fields.text_or_none("speaker"),
    ),
    "utterance_end": lambda fields: UtteranceEnd(
        seq=fields.seq(),
        utterance=fields.count("utterance"),
        start_ms=fields.count("start_ms"),
        end_ms=fields.count("end_ms"),
    ),
    "correction": _correction,
    "language": lambda fields: Language(
        seq=fields.seq(),
        language=fields.text("language"),
        confidence=fields.count("confidence", most=MAX_PERMILLE),
    ),
    "stats": lambda fields: Stats(
        audio_ms=fields.count("audio_ms"),
        processed_ms=fields.count("processed_ms"),
        lag_ms=fields.count("lag_ms"),
        step_ms=fields.count("step_ms"),
    ),
    "pong": lambda fields: Pong(id=fields.count("id")),
    "done": _done,
    "error": _error,
}
