"""Reads `clients/vectors`, and writes decoded messages the way they do."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parents[2] / "clients" / "vectors"


@dataclass(frozen=True, slots=True)
class Vector:
    """One frame and what becomes of it; `error` is `None` when it is accepted."""

    name: str
    subprotocol: str
    frame: bytes | str
    message: object
    error: str | None
    field: str | None


def read_vectors(direction: Literal["client", "server"]) -> list[Vector]:
    """Return all vectors of frames that the client, or the server, sends."""
    files = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    return [
        _vector(vector, file["subprotocol"])
        for file in files
        if file["direction"] == direction
        for vector in file["vectors"]
    ]


def _vector(vector: dict[str, object], subprotocol: str) -> Vector:
    assert vector.keys() <= {"name", "frame", "message", "error", "field", "optional"}
    assert ("message" in vector) != ("error" in vector)
    frame, error, field = vector["frame"], vector.get("error"), vector.get("field")
    assert isinstance(frame, dict)
    assert error is None or isinstance(error, str)
    assert field is None or isinstance(field, str)
    return Vector(
        name=str(vector["name"]),
        subprotocol=subprotocol,
        frame=bytes.fromhex(frame["hex"]) if "hex" in frame else str(frame["text"]),
        message=vector.get("message"),
        error=error,
        field=field,
    )


def plain(type_: str, message: object) -> dict[str, object]:
    """Return a message as vectors write it."""
    fields = _plain(message)
    assert isinstance(fields, dict)
    return {"type": type_, **fields}


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return {
            field.name.rstrip("_"): _plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return {"$hex": value.hex()} if isinstance(value, bytes) else value
