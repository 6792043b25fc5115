"""Values of options: read from text, or refused with what was expected."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import urlsplit

from loadtest.peers.calling import KINDS, Peer


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return what reads a whole number."""
    expected = f"a whole number of at least {least}"
    if most is not None:
        expected = f"a whole number from {least} to {most}"

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise _mistake(expected, text) from None
        if number < least or (most is not None and number > most):
            raise _mistake(expected, text)
        return number

    return read


def hours(text: str) -> float:
    """Read a length that may be nothing."""
    return 0.0 if text == "0" else above_zero()(text)


def above_zero(most: float = math.inf) -> Callable[[str], float]:
    """Return what reads a number."""
    expected = "a number above 0" if most == math.inf else f"a number above 0, up to {most:g}"

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise _mistake(expected, text) from None
        if not (0 < number <= most and math.isfinite(number)):
            raise _mistake(expected, text)
        return number

    return read


def several(read: Callable[[str], int]) -> Callable[[str], Sequence[int]]:
    """Return what reads numbers with commas between them; they come out rising."""

    def read_all(text: str) -> Sequence[int]:
        return tuple(sorted({read(each) for each in text.split(",")}))

    return read_all


def folder(text: str) -> Path:
    """Return a folder to write to, made now: a measurement takes long."""
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise _mistake("a folder to write to", f"{text}: {error.strerror}") from error


def server_url(text: str) -> str:
    """Return where a server of ours is, as it prints it."""
    try:
        address = urlsplit(text)
        valid = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise _mistake("a URL as `trax serve` prints it", text)
    return text


def peer(text: str) -> Peer:
    """Return another server."""
    try:
        return Peer.parse(text)
    except ValueError:
        expected = f"KIND=URL, e.g. whisperlivekit=ws://127.0.0.1:8001/asr, of {', '.join(KINDS)}"
        raise _mistake(expected, text) from None


def _mistake(expected: str, came: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"{expected} expected, got {came}")
