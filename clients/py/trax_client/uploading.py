"""Sending a file over HTTP: piece by piece, told how far it is, and stopped when nobody waits.

`urllib` gives up when a server refuses a file before all of it is sent, and what the server said
is lost. The connections here read the answer all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import IO
from urllib.request import HTTPHandler, HTTPSHandler, Request

PIECE_BYTES = 256 * 1024

Told = Callable[[int, int], None]
"""Is told how many bytes of how many were sent; called in another thread."""


class Stopped(Exception):
    """Nobody waits for the upload any more."""


class Upload:
    """The content of one file on its way; used by the thread that sends it."""

    def __init__(self, source: Path | bytes, told: Told | None) -> None:
        """Look how long it is.

        Raises:
            OSError: There is no such file.
        """
        self._source = source
        self._told = told
        self._stopped = threading.Event()
        self.size_bytes = len(source) if isinstance(source, bytes) else source.stat().st_size

    def stop(self) -> None:
        """Send no more; from any thread."""
        self._stopped.set()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the content.

        Raises:
            Stopped: Nobody waits for it any more.
            OSError: It cannot be read.
        """
        sent = 0
        for piece in self._pieces():
            if self._stopped.is_set():
                raise Stopped
            yield piece
            sent += len(piece)
            if self._told is not None:
                self._told(sent, self.size_bytes)

    def _pieces(self) -> Iterator[bytes]:
        if isinstance(self._source, bytes):
            for first in range(0, len(self._source), PIECE_BYTES):
                yield self._source[first : first + PIECE_BYTES]
            return
        with self._source.open("rb") as file:
            yield from _read(file)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece


class _Patient(HTTPConnection):
    """A connection on which a server may answer before it was sent everything."""

    _refused = False

    def send(self, data: object) -> None:
        """Send something, unless the server has heard enough."""
        if self._refused:
            return
        try:
            super().send(data)  # type: ignore[arg-type]  # as `http.client` has it
        except (BrokenPipeError, ConnectionResetError):
            self._refused = True


class _PatientAndSecure(_Patient, HTTPSConnection):
    """The same over TLS."""


class PatientHTTP(HTTPHandler):
    """Opens `http:` with such connections."""

    def http_open(self, req: Request) -> HTTPResponse:
        """Make a request."""
        return self.do_open(_Patient, req)


class PatientHTTPS(HTTPSHandler):
    """Opens `https:` with such connections."""

    def https_open(self, req: Request) -> HTTPResponse:
        """Make a request."""
        return self.do_open(_PatientAndSecure, req)
