"""Sessions on disk: what survives when this process is killed.

One folder for each session::

    DATA_DIR/sessions/<session id>/
        session.json   terms, hash of the resume token, how far it is; replaced in one step
        audio.pcm      all audio: 16 kHz, mono, signed 16 bits, little-endian; only ever appended to
        events.jsonl   the journal (`journal.py`); only ever appended to
        voices.json    what its speakers sound like; replaced now and then

Writes go to the operating system at once, without a buffer of ours, so that `kill -9` loses
nothing that was written. They are not forced to the disk: a power cut may take the last seconds.
A write that was cut short leaves half a sample or half a line, which opening removes.

Everything here blocks and belongs in a worker thread.
"""

from __future__ import annotations

import base64
import errno
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

import numpy as np

from server.audio_store import AudioStore
from server.errors import RecordingClosed, RecordingError
from server.journal import Entry, Ledger, read_entry, write_entry
from server.resampling import Pcm16
from server.terms import Terms
from streaming.core.domain import Samples, Span, Speaker, Voice

SAMPLE_BYTES = 2
VERSION = 1
_ID = re.compile(r"[a-z0-9]{8,64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of `session.json`.

    Attributes:
        session: The session's id, also the name of its folder.
        fingerprint: Hash of the resume token, which itself is not stored.
        created_ms: When it began, in Unix time.
        terms: What was agreed on.
        ended: Whether its client said that no more audio follows.
        finished_ms: When all of it was final, in Unix time; `None` before.
        failed: Whether it had to be given up; then it is finished, but words may be missing.
    """

    session: str
    fingerprint: str
    created_ms: int
    terms: Terms
    ended: bool = False
    finished_ms: int | None = None
    failed: bool = False

    def as_json(self) -> bytes:
        """Return the file's content."""
        fields = {
            "version": VERSION,
            "session": self.session,
            "fingerprint": self.fingerprint,
            "created_ms": self.created_ms,
            "terms": self.terms.as_json(),
            "ended": self.ended,
            "finished_ms": self.finished_ms,
            "failed": self.failed,
        }
        return json.dumps(fields, ensure_ascii=False, indent=1).encode() + b"\n"


class Recording:
    """One session's folder, open for writing; owned by its session.

    Any thread may call it: calls wait for each other.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Open a folder that has a manifest, and mend what a killed process left behind.

        Raises:
            RecordingError: The journal is not what we wrote.
            OSError: The file system refuses.
        """
        self._folder = folder
        self.manifest = manifest
        self._audio = _open(folder / "audio.pcm")
        self._journal = _open(folder / "events.jsonl")
        self._lock = threading.Lock()
        self._lines = [0]
        self.ledger = Ledger(self._mend_journal())
        size_bytes = os.fstat(self._audio).st_size
        self._samples = size_bytes // SAMPLE_BYTES
        os.ftruncate(self._audio, self._samples * SAMPLE_BYTES)

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def samples(self) -> Samples:
        """Length of the audio that was written."""
        return Samples(self._samples)

    def append(self, audio: bytes, entries: Sequence[Entry]) -> None:
        """Write audio, then entries that may have come of it: never a word without its audio.

        Raises:
            RecordingClosed: It was closed.
            OSError: The file system refuses; a part may have been written.
        """
        with self._opened():
            if audio:
                _write(self._audio, audio)
                self._samples += len(audio) // SAMPLE_BYTES
            if entries:
                lines = [write_entry(entry) for entry in entries]
                _write(self._journal, b"".join(lines))
                for line in lines:
                    self._lines.append(self._lines[-1] + len(line))

    def audio(self, span: Span) -> Pcm16:
        """Read a stretch of the audio; shorter where the recording ends before it.

        Raises:
            RecordingClosed: It was closed.
        """
        with self._opened():
            content = os.pread(self._audio, span.length * SAMPLE_BYTES, span.start * SAMPLE_BYTES)
        return np.frombuffer(content[: len(content) // SAMPLE_BYTES * SAMPLE_BYTES], dtype="<i2")

    def entries(self, after: int, limit: int) -> list[Entry]:
        """Read the entries that follow number `after`, at most `limit` of them.

        Raises:
            RecordingClosed: It was closed.
        """
        with self._opened():
            last = min(after + limit, len(self._lines) - 1)
            if after >= last:
                return []
            start, end = self._lines[after], self._lines[last]
            content = os.pread(self._journal, end - start, start)
        return [read_entry(line) for line in content.splitlines()]

    def voices(self) -> tuple[Voice, ...]:
        """Return the voices that were kept; none where they cannot be read, which loses names."""
        try:
            kept = json.loads((self._folder / "voices.json").read_bytes())
            return tuple(
                Voice(Speaker(name), base64.b64decode(coded), float(weight))
                for name, coded, weight in kept
            )
        except (OSError, TypeError, ValueError):
            return ()

    def keep_voices(self, voices: Sequence[Voice]) -> None:
        """Keep voices in place of those kept before."""
        kept = [
            [voice.speaker, base64.b64encode(voice.print).decode(), voice.weight]
            for voice in voices
        ]
        _replace(self._folder / "voices.json", json.dumps(kept).encode())

    def note(self, manifest: Manifest) -> None:
        """Replace the manifest; of a recording that was removed, nothing is written any more."""
        with suppress(FileNotFoundError):
            write_manifest(self._folder, manifest)
        self.manifest = manifest

    def close(self) -> None:
        """Let go of the files; harmless when called twice."""
        with self._lock:
            for descriptor in (self._audio, self._journal):
                if descriptor >= 0:
                    os.close(descriptor)
            self._audio = self._journal = -1

    @contextmanager
    def _opened(self) -> Iterator[None]:
        with self._lock:
            if self._audio < 0:
                raise RecordingClosed(f"{self.manifest.session} was put away")
            yield

    def _mend_journal(self) -> Iterator[Entry]:
        """Read the journal from its start, and cut off a last line that was not finished."""
        path = self._folder / "events.jsonl"
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                try:
                    entry = read_entry(line)
                except ValueError as error:
                    raise RecordingError(path, "journal entries", "another line") from error
                if entry.seq != len(self._lines):
                    raise RecordingError(path, f"entry {len(self._lines)}", f"entry {entry.seq}")
                self._lines.append(self._lines[-1] + len(line))
                yield entry
        os.ftruncate(self._journal, self._lines[-1])


class Archive:
    """The folder of all sessions; the only one who makes and removes recordings."""

    def __init__(self, data_dir: Path, store: AudioStore | None = None) -> None:
        """Look after the sessions in a data folder.

        Args:
            data_dir: The folder.
            store: Where the audio of finished sessions is moved to; `None`: it stays.
        """
        self._root = data_dir / "sessions"
        self._store = store

    def create(self, manifest: Manifest) -> Recording:
        """Make the folder of a new session.

        Raises:
            OSError: The file system refuses.
        """
        folder = self._root / manifest.session
        folder.mkdir(mode=0o700, parents=True)
        write_manifest(folder, manifest)
        return Recording(folder, manifest)

    def manifest(self, session: str) -> Manifest | None:
        """Return what is known about a session; `None` if nothing is, or it cannot be read."""
        if not _ID.fullmatch(session):  # it came from a client: never a path
            return None
        try:
            return read_manifest(self._root / session)
        except (RecordingError, OSError):
            return None

    def open(self, session: str) -> Recording | None:
        """Open a session's folder, or return `None` if `manifest` does.

        Raises:
            RecordingError: Its journal is not ours.
            OSError: The file system refuses.
        """
        manifest = self.manifest(session)
        return None if manifest is None else Recording(self._root / session, manifest)

    def remove(self, session: str) -> None:
        """Remove a session's folder for ever, also while it is being written to.

        What an open `Recording` writes from then on is gone as soon as it is closed. Harmless if
        there is no such folder.

        Raises:
            AudioStoreError: Its audio may still be in the store.
            OSError: The file system refuses.
        """
        if self._store is not None:
            self._store.remove(session)
        folder = self._root / session
        while folder.exists():
            try:
                shutil.rmtree(folder)
            except FileNotFoundError:
                continue  # Its session replaced the manifest meanwhile.
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise

    def size_bytes(self, session: str) -> int:
        """Return how much audio of a session there is, wherever it is; 0 if there is none.

        Raises:
            AudioStoreError: It cannot be known now.
        """
        try:
            return (self._root / session / "audio.pcm").stat().st_size
        except FileNotFoundError:
            stored = None if self._store is None else self._store.size_bytes(session)
            return stored or 0

    def read(self, session: str, first: int, end: int) -> bytes:
        """Return the bytes `[first, end)` of a session's audio; less where it was removed.

        Raises:
            AudioStoreError: It cannot be read now.
        """
        try:
            descriptor = os.open(self._root / session / "audio.pcm", os.O_RDONLY)
        except FileNotFoundError:
            return b"" if self._store is None else self._store.read(session, first, end)
        try:
            return os.pread(descriptor, end - first, first)
        finally:
            os.close(descriptor)

    def store_finished(self, finished_before_ms: int) -> int:
        """Move the audio of sessions that were finished before this moment to the store.

        Returns:
            How many were moved.

        Raises:
            AudioStoreError: One cannot be moved; its audio stays here.
            OSError: The file system refuses.
        """
        if self._store is None:
            return 0
        moved = 0
        for manifest in self._manifests():
            audio = self._root / manifest.session / "audio.pcm"
            late = manifest.finished_ms is None or manifest.finished_ms >= finished_before_ms
            if not late and audio.exists():
                self._store.keep(manifest.session, audio)
                audio.unlink()
                moved += 1
        return moved

    def unfinished(self) -> list[str]:
        """Return the sessions that are not finished, oldest first; unreadable ones are left out."""
        found = [manifest for manifest in self._manifests() if manifest.finished_ms is None]
        return [m.session for m in sorted(found, key=lambda manifest: manifest.created_ms)]

    def sweep(self, finished_before_ms: int) -> int:
        """Remove sessions that were finished before this moment; return how many.

        Those that spoke into a transcript stay as long as it does.
        """
        old = [
            manifest.session
            for manifest in self._manifests()
            if manifest.finished_ms is not None
            and manifest.finished_ms < finished_before_ms
            and manifest.terms.transcript is None
        ]
        for session in old:
            self.remove(session)
        return len(old)

    def _manifests(self) -> Iterator[Manifest]:
        if not self._root.is_dir():
            return
        for folder in self._root.iterdir():
            try:
                yield read_manifest(folder)
            except (RecordingError, OSError):
                continue  # not ours, or from a newer version: left as it is


def finished(manifest: Manifest, *, failed: bool = False) -> Manifest:
    """Return a manifest that says that its session is finished now."""
    return replace(manifest, finished_ms=unix_ms(), failed=failed)


def unix_ms() -> int:
    """Return the wall clock's time."""
    return time.time_ns() // 1_000_000


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `session.json` in one step: readers see the old or the new one."""
    _replace(folder / "session.json", manifest.as_json())


def read_manifest(folder: Path) -> Manifest:
    """Read `session.json`.

    Raises:
        RecordingError: It is not a manifest of this version.
        OSError: It cannot be read.
    """
    path = folder / "session.json"
    try:
        fields = json.loads(path.read_bytes())
        if fields["version"] != VERSION:
            raise RecordingError(path, f"version {VERSION}", repr(fields["version"]))
        finished_ms = fields["finished_ms"]
        return Manifest(
            session=str(fields["session"]),
            fingerprint=str(fields["fingerprint"]),
            created_ms=int(fields["created_ms"]),
            terms=Terms.from_json(fields["terms"]),
            ended=bool(fields["ended"]),
            finished_ms=None if finished_ms is None else int(finished_ms),
            failed=bool(fields["failed"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordingError(path, "the manifest of a session", "something else") from error


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one step: readers see the old or the new one."""
    staged = path.with_name(f".{path.name}")
    staged.write_bytes(content)
    staged.replace(path)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)


def _write(descriptor: int, content: bytes) -> None:
    """Write all of it: the system may take less than it is given."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
