"""Reading what a peer sends, which need not be what its documents promise."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

from loadtest.errors import LoadtestError


class PeerFailed(LoadtestError):
    """A peer refused, failed, or sent what nobody can make sense of."""


def read_object(message: str | bytes) -> Mapping[str, object]:
    """Return a message.

    Raises:
        PeerFailed: It is no JSON object.
    """
    try:
        found = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise PeerFailed(f"JSON expected of the peer: {error}") from error
    if not isinstance(found, dict):
        raise PeerFailed(f"a JSON object expected of the peer, got {type(found).__name__}")
    return found


def text_of(fields: Mapping[str, object], name: str) -> str:
    """Return a field that should be text; nothing where it is not."""
    found = fields.get(name)
    return found if isinstance(found, str) else ""


def objects_of(fields: Mapping[str, object], name: str) -> Iterator[Mapping[str, object]]:
    """Yield the objects of a field that should be a list of them; others are passed over."""
    found = fields.get(name)
    yield from (
        each for each in (found if isinstance(found, list) else ()) if isinstance(each, dict)
    )


def seconds_of(fields: Mapping[str, object], name: str) -> float | None:
    """Return a field that should be a number of seconds; `None` where it is not."""
    found = fields.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return float(found)
