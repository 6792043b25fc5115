"""Results kept by what they were computed from, so that a repeated or resumed job redoes nothing.

A result is bytes under a key, and a key is a digest of all that decides the result: the audio, the
model, its options, and the version of the code that made it. So entries never grow stale, they are
only forgotten: the least recently used ones, when there are too many.

Several processes may use one folder. An entry appears whole or not at all (it is renamed into
place), and carries a checksum. One that is damaged is as good as none, and is removed. Nothing here
fails a job: where a folder cannot be written to, as on a full disk, nothing is kept.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

_MAGIC = b"trax result 1\n"
_DIGEST_BYTES = 32
_UNFINISHED = ".unfinished-"
_ABANDONED_S = 3600.0
"""An unfinished entry of this age was left by a process that died."""

_SPARE = 0.9
"""How full the folder is after some were forgotten: to look at all entries takes a while."""


def key_of(*parts: str | bytes | int | float | None) -> str:
    """Return the key of a result that is decided by these values, in their order."""
    digest = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(f"{type(part).__name__} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()


class ResultCache:
    """Results in a folder; owned by a process, beside others on the same folder.

    Safe to use from threads.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """Use a folder, which need not exist.

        Args:
            folder: Whose files are all ours.
            most_bytes: What it may hold; with 0 nothing is kept.
        """
        self._folder = folder
        self._most_bytes = most_bytes
        self._held_bytes: int | None = None

    def get(self, key: str) -> bytes | None:
        """Return a result and count it as used, or `None` if it is not here."""
        path = self._path(key)
        try:
            entry = path.read_bytes()
        except OSError:
            return None
        content = _content(entry)
        with suppress(OSError):
            if content is None:
                logger.warning("damaged result removed", extra={"path": str(path)})
                path.unlink()
            else:
                os.utime(path)
        return content

    def keep(self, key: str, content: bytes) -> None:
        """Keep a result, if there is room; what was used least recently may go for it."""
        entry = _MAGIC + hashlib.sha256(content).digest() + content
        if len(entry) > self._most_bytes:
            return
        try:
            self._write(self._path(key), entry)
            if self._held_bytes is None:
                self._held_bytes = self._forget()
            else:
                self._held_bytes += len(entry)
            if self._held_bytes > self._most_bytes:
                self._held_bytes = self._forget()
        except OSError as error:
            logger.warning("result not kept", extra={"reason": error.strerror})

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]

    def _write(self, path: Path, entry: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(entry)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def _forget(self) -> int:
        """Remove the least recently used entries beyond what may be held; return what is left."""
        entries: list[tuple[int, int, Path]] = []
        for path in self._folder.glob("*/*"):
            with suppress(FileNotFoundError):  # Another process forgets as well.
                status = path.stat()
                if not path.name.startswith(_UNFINISHED):
                    entries.append((status.st_mtime_ns, status.st_size, path))
                elif time.time() - status.st_mtime > _ABANDONED_S:
                    path.unlink()
        held_bytes = sum(size_bytes for _, size_bytes, _ in entries)
        if held_bytes <= self._most_bytes:
            return held_bytes
        for _, size_bytes, path in sorted(entries):
            if held_bytes <= _SPARE * self._most_bytes:
                break
            path.unlink(missing_ok=True)
            held_bytes -= size_bytes
        return held_bytes


def _content(entry: bytes) -> bytes | None:
    """Return what an entry holds, or `None` if it is damaged."""
    header = len(_MAGIC) + _DIGEST_BYTES
    digest, content = entry[len(_MAGIC) : header], entry[header:]
    whole = entry.startswith(_MAGIC) and hashlib.sha256(content).digest() == digest
    return content if whole else None
