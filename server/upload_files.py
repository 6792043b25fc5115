"""Uploads on disk: files as they came, until they are decoded.

    DATA_DIR/uploads/<random>/         being received; what is left here is removed at a start
        upload
    DATA_DIR/sessions/<session id>/    as in `recordings`, but
        upload         the file as it came, instead of audio.pcm; gone once that is there
        unpacked.json  what became of it
        unconfirmed    there until the session is in the database

A folder is moved from one place to the other in one step, and `audio.pcm` appears in one step, so
that neither is ever there in part. Everything here blocks and belongs in a worker thread.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from offline.errors import Unheard
from offline.jobs import Failure, FailureCode
from server.errors import DecoderLost, MediaError, UploadError, UploadFault
from server.recordings import Manifest, write_manifest
from server.unpacking import Unpacked, unpack
from streaming.core.domain import Samples, from_ms

RESERVE_BYTES = 128 * 1024 * 1024
"""Left free by those who send files, for those who speak: more than an hour of audio."""

RESERVE_PART = 16
"""Of a small disk this part is left free instead: a sixteenth."""

UNCONFIRMED = "unconfirmed"


def longest_upload(hours: int) -> Samples:
    """Return how long a recording of so many hours is."""
    return from_ms(hours * 3_600_000)


class Room:
    """The room on one disk, of which several files at once want some; used by any thread."""

    def __init__(self, folder: Path) -> None:
        """Promise nothing yet.

        Args:
            folder: On the disk; made when it is needed.
        """
        self._folder = folder
        self._promised: dict[Path, int] = {}
        self._lock = threading.Lock()

    def promise(self, path: Path, size_bytes: int) -> None:
        """Have so much kept for a file that is to be written; what it was promised before ends.

        Raises:
            UploadError: There is not so much.
        """
        with self._lock:
            others = sum(self._promised.values()) - self._promised.get(path, 0)
            free_bytes, reserve_bytes = _free(self._folder)
            needed_bytes = size_bytes + others + reserve_bytes
            if free_bytes < needed_bytes:
                expected = f"{needed_bytes} bytes free on the disk"
                raise UploadError(UploadFault.NO_SPACE, expected, f"{free_bytes} bytes")
            self._promised[path] = size_bytes

    def take(self, path: Path, size_bytes: int) -> None:
        """Note that so much of what a file was promised is written now."""
        with self._lock:
            self._promised[path] = max(0, self._promised.get(path, 0) - size_bytes)

    def promised(self, path: Path) -> int:
        """Return how much is kept for a file."""
        return self._promised.get(path, 0)

    def free(self, path: Path) -> None:
        """Keep nothing more for a file."""
        with self._lock:
            self._promised.pop(path, None)


class Incoming:
    """A file that is being received; owned by who receives it. `close` removes what is left."""

    def __init__(self, folder: Path, room: Room) -> None:
        folder.mkdir(mode=0o700, parents=True)
        self._room = room
        self.folder = folder
        self.path = folder / "upload"
        self.size_bytes = 0
        self._digest = sha256()
        try:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except BaseException:
            folder.rmdir()
            raise

    @property
    def digest(self) -> str:
        """SHA-256 of what was written, in hex."""
        return self._digest.hexdigest()

    def write(self, piece: bytes | bytearray) -> None:
        """Add to the file.

        Raises:
            UploadError: The disk is full, or would be.
            OSError: The file system refuses otherwise.
        """
        if len(piece) > self._room.promised(self.path):
            self.reserve(len(piece))
        view = memoryview(piece)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            raise _full(error) from error
        self._room.take(self.path, len(piece))
        self._digest.update(piece)
        self.size_bytes += len(piece)

    def reserve(self, size_bytes: int) -> None:
        """Have room kept for so much more, until it is written or this is closed.

        Raises:
            UploadError: There is not.
        """
        self._room.promise(self.path, size_bytes)

    def flush(self) -> None:
        """Have the disk hold all of the file: its sender will be told that it is here."""
        os.fsync(self._file)

    def close(self) -> None:
        """Remove the file, unless it was kept; harmless when called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._room.free(self.path)
        shutil.rmtree(self.folder, ignore_errors=True)


class UploadFiles:
    """The uploads in one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._incoming = data_dir / "uploads"
        self._sessions = data_dir / "sessions"
        self._room = Room(self._incoming)

    def begin(self) -> Incoming:
        """Make a place for a file.

        Raises:
            UploadError: The disk is full.
            OSError: The file system refuses otherwise.
        """
        try:
            return Incoming(self._incoming / secrets.token_hex(8), self._room)
        except OSError as error:
            raise _full(error) from error

    def keep(self, incoming: Incoming, manifest: Manifest) -> None:
        """Make a file that was received the recording of a session.

        Raises:
            UploadError: The disk is full.
            OSError: The file system refuses otherwise.
        """
        try:
            incoming.flush()
            self._sessions.mkdir(mode=0o700, exist_ok=True)
            write_manifest(incoming.folder, manifest)
            (incoming.folder / UNCONFIRMED).touch(mode=0o600)
            incoming.folder.rename(self._sessions / manifest.session)
        except OSError as error:
            raise _full(error) from error

    def replace(self, incoming: Incoming, manifest: Manifest) -> None:
        """Make a file the recording of a session that the database has and that lost its own.

        Raises:
            UploadError: The disk is full.
            OSError: The file system refuses.
        """
        folder = self._sessions / manifest.session
        try:
            incoming.flush()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_manifest(folder, manifest)
            incoming.path.rename(folder / "upload")
        except OSError as error:
            raise _full(error) from error

    def confirm(self, session: str) -> None:
        """Note that a session is in the database; where that fails, it is seen to at a start."""
        with suppress(OSError):
            (self._sessions / session / UNCONFIRMED).unlink(missing_ok=True)

    def unconfirmed(self, for_s: float) -> list[str]:
        """Return the sessions of which only the database knows whether they came about.

        Args:
            for_s: Only those of which it has known for so long.
        """
        found: list[str] = []
        for path in self._sessions.glob(f"*/{UNCONFIRMED}"):
            with suppress(FileNotFoundError):  # It is confirmed at this moment.
                if time.time() - path.stat().st_mtime >= for_s:
                    found.append(path.parent.name)
        return found

    def remove(self, session: str) -> None:
        """Remove a session that its transcript did not get."""
        shutil.rmtree(self._sessions / session, ignore_errors=True)

    def sweep(self) -> int:
        """Remove what an earlier process did not receive to its end; return how many files.

        Nobody may be receiving anything.
        """
        left = list(self._incoming.iterdir()) if self._incoming.is_dir() else []
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)
        return len(left)

    def is_here(self, session: str) -> bool:
        """Return whether there is a session's file, or what became of it."""
        folder = self._sessions / session
        return (folder / "upload").exists() or (folder / "audio.pcm").exists()

    def unpacked(self, session: str) -> Unpacked | None:
        """Return what became of a file; `None` while nothing did, or if there is none."""
        try:
            fields = json.loads((self._sessions / session / "unpacked.json").read_bytes())
            samples, lost, missing = (int(fields[name]) for name in _FIELDS)
        except (OSError, KeyError, TypeError, ValueError):
            return None
        return Unpacked(Samples(samples), lost, Samples(missing))

    def unpack(self, session: str, limit: Samples, progress: Callable[[float], None]) -> bool:
        """Decode the file of a session, unless it is decoded; return whether it was done now.

        Harmless for sessions that are no uploads.

        Args:
            session: Its id, from our own storage.
            limit: The longest recording that is taken.
            progress: Told the part that is done, 0 to 1. What it raises ends the decoding.

        Raises:
            Unheard: It cannot be decoded.
        """
        folder = self._sessions / session
        source, target = folder / "upload", folder / "audio.pcm"
        if not source.exists():
            return False

        def told(part: float | None) -> None:
            free_bytes, reserve_bytes = _free(folder)
            if free_bytes < reserve_bytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            progress(part or 0.0)

        try:
            unpacked = unpack(source, target, limit, told)
            (folder / "unpacked.json").write_text(json.dumps(asdict(unpacked)))
            source.unlink(missing_ok=True)  # Another attempt at the same job may be done.
        except MediaError as error:
            raise Unheard(Failure(FailureCode.NO_AUDIO, str(error), retry=False)) from error
        except DecoderLost as error:
            raise Unheard(Failure(FailureCode.UNAVAILABLE, str(error), retry=True)) from error
        except OSError as error:
            message = f"a file that can be read and written expected: {error.strerror}"
            raise Unheard(Failure(FailureCode.UNAVAILABLE, message, retry=True)) from error
        return True


_FIELDS = ("samples", "lost_packets", "missing")


def _free(folder: Path) -> tuple[int, int]:
    """Return how many bytes are free on a disk, and how many are to stay so."""
    disk = shutil.disk_usage(folder)
    return disk.free, min(RESERVE_BYTES, disk.total // RESERVE_PART)


def _full(error: OSError) -> OSError | UploadError:
    """Return what to say of an error of the file system: a full disk is no fault of ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UploadError(UploadFault.NO_SPACE, "a disk with room", "a full one")
    return error
