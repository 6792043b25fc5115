"""The server's codec for `/v1/stream`: frames to messages and back, as `clients/PROTOCOL.md` says.

`decode` turns one WebSocket frame of a client into one of the frozen values of `messages.py`, or
refuses it with a `WireError` that names the field: nothing after it has to check types again.
`encode` turns a message of the server into a frame. Neither knows the legal order of messages, the
session's encoding or any limit of this server: that is the conversation's affair.

The wire carries integers, text, bytes, lists, maps, booleans and nil, never floats. Unknown types
and fields are ignored, so that a newer client can talk to us, but even they must be well formed.
`clients/vectors` holds frames that must be accepted and refused; the clients' codecs obey them too,
and share no code with this one, so that a mistake has to be made twice to go unseen.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NoReturn, TypeVar, get_args

import msgpack

from server.codes import ErrorCode
from server.messages import (
    AUTO_LANGUAGE,
    Audio,
    ClientMessage,
    Encoding,
    End,
    Finalize,
    Finals,
    Limits,
    Models,
    Ping,
    Resume,
    ServerMessage,
    Start,
    Word,
)

MAX_DEPTH = 8
"""So many lists and maps may lie within each other; our own messages nest three deep."""

MAX_ITEMS = 1_000
"""Longest list or map. The unpacker reserves memory for a list before it has read one item, so a
frame of a few bytes could otherwise claim much more than it carries."""

MAX_INTEGER = 2**53 - 1
"""Largest magnitude of an integer: beyond it JavaScript loses precision (ECMA-262, 21.1.2.6)."""

SAMPLE_RATES = range(8_000, 48_001)
LOOKAHEADS_MS = range(5_001)
MAX_DELAYS_MS = range(500, 30_001)
DIARIZATION_LATENCIES_MS = range(500, 5_001)
AGES_MS = range(86_400_001)
MAX_HOTWORDS = 100
MAX_HOTWORD_CHARACTERS = 100
MAX_NAME_CHARACTERS = 100

_INDICES = range(MAX_INTEGER + 1)
_IDENTIFIER = re.compile(r"[!-~]{1,512}")  # visible ASCII: fits URLs and headers
_LANGUAGE = re.compile(r"auto|[a-z]{2,3}")  # three letters: Whisper's `haw` and `yue`
_SURROGATE = re.compile("[\ud800-\udfff]")
_WITHOUT_JOINERS = str.maketrans("", "", "\u200c\u200d")
"""Takes out what does not print by itself, but stands within Persian and Indic names and emoji."""
_QUOTED_CHARACTERS = 40

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class Subprotocol(StrEnum):
    """How messages become frames; agreed in the WebSocket handshake by these very names."""

    MSGPACK = "trax.v1.msgpack"
    """Each message is one binary frame holding a msgpack map."""
    JSON = "trax.v1.json"
    """Each message is one text frame holding a JSON object; audio is a binary frame of bare PCM."""


class WireError(Exception):
    """A client's frame was refused.

    Attributes:
        code: `MALFORMED` for what no server could read, `UNSUPPORTED` for an option whose value
            this protocol does not offer.
        field: The field at fault (`resume.after`), or `None` when it is the frame as a whole.
        expected: What would have been right.
        got: What came: its kind and, for numbers and names of options, its value. Never a token,
            a word or audio, so it may be logged and sent back.
    """

    def __init__(
        self, code: ErrorCode, expected: str, got: str, *, field: str | None = None
    ) -> None:
        super().__init__(f"{field or 'frame'}: expected {expected}, got {got}")
        self.code = code
        self.field = field
        self.expected = expected
        self.got = got


# Encoding

_FIELD_NAMES: Mapping[type, Sequence[tuple[str, str]]] = {
    kind: tuple((field.name, field.name.rstrip("_")) for field in dataclasses.fields(kind))
    for kind in (Word, Limits, Models, *get_args(ServerMessage))
}
"""Attributes of each class and their names on the wire: `pass_` is `pass` there."""


def encode(message: ServerMessage, subprotocol: Subprotocol) -> bytes | str:
    """Return the frame of a message: bytes go as a binary frame, text as a text frame.

    The message is trusted: its integers must be `int` (a numpy float would go out as a float).
    """
    fields = {"type": message.type, **_as_map(message)}
    if subprotocol is Subprotocol.JSON:
        return json.dumps(fields, default=_as_map, ensure_ascii=False, separators=(",", ":"))
    packed: bytes = msgpack.packb(fields, default=_as_map)
    return packed


def _as_map(value: object) -> dict[str, object]:
    """Return a message or one of the values in it as a map; the encoders call it for the latter."""
    return {wire_name: getattr(value, name) for name, wire_name in _FIELD_NAMES[type(value)]}


# Decoding


def decode(frame: bytes | str, subprotocol: Subprotocol) -> ClientMessage | None:
    """Return the message in a client's frame, or `None` for a type that we do not know.

    Args:
        frame: Bytes of a binary frame, or text of a text frame. Its size is the caller's to limit.

    Raises:
        WireError: On anything that the specification does not allow; nothing else, whatever came.
    """
    match subprotocol, frame:
        case Subprotocol.MSGPACK, bytes():
            decoded = _unpack(frame)
        case Subprotocol.JSON, str():
            decoded = _parse(frame)
        case Subprotocol.JSON, bytes():
            return Audio(at=None, pcm=_whole_samples(frame, field=None))
        case _:
            raise _malformed("a binary frame holding a msgpack map", "a text frame")
    if not isinstance(decoded, dict):
        raise _malformed("a map", _describe(decoded))
    _check_containers(decoded, MAX_DEPTH)
    fields = _Fields(decoded, "")
    kind = fields.value("type", str)
    if kind == "audio" and subprotocol is Subprotocol.JSON:
        raise _malformed("audio as a binary frame of PCM", "a text frame", field="type")
    decoder = _DECODERS.get(kind)
    return None if decoder is None else decoder(fields)


def _unpack(frame: bytes) -> object:
    try:
        unpacked: object = msgpack.unpackb(
            frame,
            raw=False,
            ext_hook=_refuse_extension,
            object_pairs_hook=_distinct,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
        )
    except (ValueError, msgpack.UnpackException) as error:
        raise _malformed("one msgpack map", "undecodable bytes") from error
    return unpacked


def _parse(frame: str) -> object:
    try:
        parsed: object = json.loads(frame, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise _malformed("one JSON object", "undecodable text") from error
    return parsed


def _refuse_extension(code: int, _content: bytes) -> NoReturn:
    raise _malformed("no extension types", f"extension type {code}")


def _distinct(pairs: Sequence[tuple[object, object]]) -> dict[str, object]:
    """Make a map of pairs whose keys must be texts and differ: no codec may choose between two."""
    fields: dict[str, object] = {}
    for key, value in pairs:
        if not isinstance(key, str):
            raise _malformed("text as key", _describe(key))
        if key in fields:
            raise _malformed("each key once", "a key twice")
        fields[key] = value
    return fields


def _check_containers(container: dict[object, object] | list[object], levels: int) -> None:
    """Refuse what never goes on the wire, however deep it lies within fields that we ignore."""
    if levels == 0:
        raise _malformed(f"at most {MAX_DEPTH} maps and lists within each other", "more")
    values = [*container, *container.values()] if isinstance(container, dict) else container
    for value in values:
        if isinstance(value, dict | list):
            _check_containers(value, levels - 1)
        else:
            _check_scalar(value)


def _check_scalar(value: object) -> None:
    match value:
        case bool() | bytes() | None:
            pass
        case str():
            # JSON can escape half of a surrogate pair, which no encoder of UTF-8 takes.
            if _SURROGATE.search(value):
                raise _malformed("text in Unicode", "text with a lone surrogate")
        case int():
            if abs(value) > MAX_INTEGER:
                raise _malformed(f"integers of magnitude up to {MAX_INTEGER}", "a larger one")
        case _:
            expected = "integers, text, bytes, lists, maps, booleans and nil"
            raise _malformed(expected, _describe(value))


class _Fields:
    """Reads the fields of one untrusted map, so that every error names its field.

    A field with a default may be nil, which means the default, like leaving it out.
    """

    __slots__ = ("_fields", "_prefix")

    def __init__(self, fields: dict[str, object], prefix: str) -> None:
        self._fields = fields
        self._prefix = prefix

    def has(self, name: str) -> bool:
        """Return whether a field has a value."""
        return self._fields.get(name) is not None

    def value(self, name: str, kind: type[T]) -> T:
        """Return a field that must be there and of exactly this type (a bool is no int here)."""
        value = self._fields.get(name)
        if isinstance(value, kind) and type(value) is kind:
            return value
        got = _describe(value) if name in self._fields else "nothing"
        raise _malformed(_KINDS[kind], got, field=self._prefix + name)

    def identifier(self, name: str) -> str:
        """Return a field holding an id or a token that a server may have handed out."""
        text = self.value(name, str)
        if not _IDENTIFIER.fullmatch(text):
            expected = "1..512 visible ASCII characters"
            raise _malformed(expected, _describe(text), field=self._prefix + name)
        return text

    def index(self, name: str) -> int:
        """Return a field that counts something, so is not negative."""
        number = self.value(name, int)
        if number not in _INDICES:
            raise _malformed("an integer from 0", str(number), field=self._prefix + name)
        return number

    def flag(self, name: str, *, default: bool) -> bool:
        """Return an optional boolean."""
        return self.value(name, bool) if self.has(name) else default

    def option(self, name: str, allowed: range, default: T) -> int | T:
        """Return an optional integer that must lie in a range."""
        if not self.has(name):
            return default
        number = self.value(name, int)
        if number not in allowed:
            raise _unsupported(name, f"{allowed[0]}..{allowed[-1]}", str(number))
        return number

    def choice(self, name: str, allowed: type[E], default: E) -> E:
        """Return an optional text that must be a value of an enum."""
        if not self.has(name):
            return default
        text = self.value(name, str)
        names = [member.value for member in allowed]
        if text not in names:
            raise _unsupported(name, " or ".join(names), _quote(text))
        return allowed(text)

    def language(self) -> str:
        """Return the language asked for, which some recognizer may know or not."""
        if not self.has("language"):
            return AUTO_LANGUAGE
        text = self.value("language", str)
        if not _LANGUAGE.fullmatch(text):
            raise _unsupported("language", "auto or an ISO 639-1 code", _quote(text))
        return text

    def label(self, name: str) -> str | None:
        """Return an optional text that people will read as the name of something."""
        if not self.has(name):
            return None
        text = self.value(name, str)
        if not _is_printable(text, MAX_NAME_CHARACTERS):
            expected = f"1..{MAX_NAME_CHARACTERS} printable characters"
            raise _unsupported(name, expected, _describe(text))
        return text

    def hotwords(self) -> tuple[str, ...]:
        """Return the words to favour."""
        if not self.has("hotwords"):
            return ()
        words: list[object] = self.value("hotwords", list)
        if len(words) > MAX_HOTWORDS:
            raise _unsupported("hotwords", f"at most {MAX_HOTWORDS}", str(len(words)))
        return tuple(map(_hotword, words))

    def resume(self) -> Resume | None:
        """Return which session to go on with, if any."""
        if not self.has("resume"):
            return None
        fields = _Fields(self.value("resume", dict), "resume.")
        return Resume(
            session=fields.identifier("session"),
            token=fields.identifier("token"),
            after=fields.index("after"),
        )


def _hotword(word: object) -> str:
    if not isinstance(word, str):
        raise _malformed("a list of text", f"{_describe(word)} in it", field="hotwords")
    if not _is_printable(word, MAX_HOTWORD_CHARACTERS):
        expected = f"1..{MAX_HOTWORD_CHARACTERS} printable characters each"
        raise _unsupported("hotwords", expected, _describe(word))
    return word


def _is_printable(text: str, characters: int) -> bool:
    """Return whether a text holds something to read, and nothing else, in so many characters."""
    shown = text.translate(_WITHOUT_JOINERS).strip(" ")
    return len(text) <= characters and shown != "" and shown.isprintable()


def _start(fields: _Fields) -> Start:
    return Start(
        transcript=fields.identifier("transcript") if fields.has("transcript") else None,
        person=fields.label("person"),
        microphone=fields.label("microphone"),
        sample_rate=fields.option("sample_rate", SAMPLE_RATES, 16_000),
        encoding=fields.choice("encoding", Encoding, Encoding.PCM_S16LE),
        language=fields.language(),
        lookahead_ms=fields.option("lookahead_ms", LOOKAHEADS_MS, None),
        max_delay_ms=fields.option("max_delay_ms", MAX_DELAYS_MS, 4_000),
        diarization=fields.flag("diarization", default=True),
        diarization_latency_ms=fields.option(
            "diarization_latency_ms", DIARIZATION_LATENCIES_MS, None
        ),
        hotwords=fields.hotwords(),
        partials=fields.flag("partials", default=True),
        finals=fields.choice("finals", Finals, Finals.WORD),
        age_ms=fields.option("age_ms", AGES_MS, 0),
        resume=fields.resume(),
    )


def _audio(fields: _Fields) -> Audio:
    pcm = fields.value("pcm", bytes)
    return Audio(at=fields.index("at"), pcm=_whole_samples(pcm, field="pcm"))


def _whole_samples(pcm: bytes, *, field: str | None) -> bytes:
    if len(pcm) % 2:  # no encoding has samples of one byte
        raise _malformed("whole samples", f"{len(pcm)} bytes", field=field)
    return pcm


_DECODERS: Mapping[str, Callable[[_Fields], ClientMessage]] = {
    "start": _start,
    "audio": _audio,
    "finalize": lambda _fields: Finalize(),
    "end": lambda _fields: End(),
    "ping": lambda fields: Ping(id=fields.index("id")),
}

_KINDS: Mapping[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    str: "text",
    bytes: "bytes",
    list: "a list",
    dict: "a map",
}


def _malformed(expected: str, got: str, *, field: str | None = None) -> WireError:
    return WireError(ErrorCode.MALFORMED, expected, got, field=field)


def _unsupported(field: str, expected: str, got: str) -> WireError:
    return WireError(ErrorCode.UNSUPPORTED, expected, got, field=field)


def _describe(value: object) -> str:
    """Say what kind of value came, without repeating text, which may be a token or spoken words."""
    match value:
        case None:
            return "nil"
        case str():
            return f"text of {len(value)} characters"
        case bool() | int() | float():
            return f"{_KINDS[type(value)]}, {value}"
        case _:
            return _KINDS.get(type(value), "another type")


def _quote(text: str) -> str:
    """Repeat the name of an option, which is no secret, but not at any length."""
    return ascii(text[:_QUOTED_CHARACTERS])
