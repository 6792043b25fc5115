"""Recordings that came as files: which session and which job became of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, insert, select, update

from offline.jobs import Job, JobKind, Task
from server.storage.database import Database
from server.storage.errors import UnknownTranscript
from server.storage.job_rows import read_job
from server.storage.jobs import Bounds, NewJob, submit_job
from server.storage.leases import hold, lock
from server.storage.sessions import NewSession, insert_session
from server.storage.tables import upload_keys, uploads
from server.storage.values import Lease


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a recording is to be heard; see `offline.jobs.Task`."""

    model: str | None = None
    language: str | None = None
    hotwords: tuple[str, ...] = ()
    diarization: bool = True

    @classmethod
    def of(cls, task: Task) -> Wishes:
        """Return the wishes that a task came of."""
        return cls(task.model, task.language, task.hotwords, task.diarization)


@dataclass(frozen=True, slots=True)
class Upload:
    """A recording that came as a file.

    Attributes:
        transcript: Where it was sent to.
        session: What it became there.
        digest: SHA-256 of its content, in hex: the same file is taken once.
        name: Of the file, if its sender told.
        size_bytes: Of the file.
        job: Which job hears it, or did last.
        created_ms: When it came, in Unix time.
    """

    transcript: str
    session: str
    digest: str
    name: str | None
    size_bytes: int
    job: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """What came under an `Idempotency-Key`: the file, and the job that answered it."""

    digest: str
    job: str


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What is said of a file when it joins a transcript; see `Upload`.

    Attributes:
        key: What its sender calls the request, if anything (`Idempotency-Key`).
    """

    session: NewSession
    digest: str
    key: str | None
    name: str | None
    size_bytes: int
    wishes: Wishes


class Uploads:
    """The files of all transcripts; owned by its store."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms

    def add(self, lease: Lease, new: NewUpload, bounds: Bounds) -> tuple[Upload, Job]:
        """Add a file's session and its job to a transcript, in one step.

        Raises:
            UnknownTranscript: It was deleted.
            StaleWriter: There is a newer lease.
            TooManyJobs: Too many jobs are under way; nothing was added.
        """
        now_ms, transcript = self._now_ms(), lease.transcript
        with self._database.writing() as connection:
            last_pass = hold(connection, lease).last_pass
            insert_session(connection, transcript, last_pass, new.session, now_ms)
            job = _submit(connection, transcript, new.session.id, new.wishes, bounds, now_ms)
            added = Upload(
                transcript=transcript,
                session=new.session.id,
                digest=new.digest,
                name=new.name,
                size_bytes=new.size_bytes,
                job=job.id,
                created_ms=now_ms,
            )
            connection.execute(insert(uploads).values(asdict(added)))
            _note_key(connection, added, new.key)
        return added, job

    def begin_again(
        self, upload: Upload, wishes: Wishes, key: str | None, bounds: Bounds
    ) -> tuple[Upload, Job]:
        """Make another job for a file whose job failed, was cancelled, or is long gone.

        Whoever comes second, with the file as it was before, gets what the first one made.

        Raises:
            UnknownTranscript: The transcript was deleted.
            TooManyJobs: Too many jobs are under way.
        """
        now_ms = self._now_ms()
        with self._database.writing() as connection:
            lock(connection, upload.transcript)
            mine = uploads.c.session == upload.session
            row = connection.execute(select(uploads).where(mine)).mappings().one_or_none()
            if row is None:
                raise UnknownTranscript(upload.transcript)
            if row["job"] != upload.job:
                return Upload(**row), read_job(connection, row["job"])
            job = _submit(connection, upload.transcript, upload.session, wishes, bounds, now_ms)
            connection.execute(update(uploads).where(mine).values(job=job.id))
            renewed = replace(upload, job=job.id)
            _note_key(connection, renewed, key)
        return renewed, job

    def note_key(self, upload: Upload, key: str) -> None:
        """Let a key stand for a file and its present job.

        Raises:
            UnknownTranscript: The transcript was deleted.
        """
        with self._database.writing() as connection:
            lock(connection, upload.transcript)
            _note_key(connection, upload, key)

    def find(self, transcript: str, digest: str) -> Upload | None:
        """Return the file with this content."""
        mine = (uploads.c.transcript == transcript) & (uploads.c.digest == digest)
        with self._database.reading() as connection:
            found = connection.execute(select(uploads).where(mine)).mappings().one_or_none()
        return None if found is None else Upload(**found)

    def under(self, transcript: str, key: str) -> KeyedRequest | None:
        """Return what came under a key."""
        query = (
            select(uploads.c.digest, upload_keys.c.job)
            .join_from(upload_keys, uploads)
            .where(upload_keys.c.transcript == transcript, upload_keys.c.key == key)
        )
        with self._database.reading() as connection:
            found = connection.execute(query).mappings().one_or_none()
        return None if found is None else KeyedRequest(**found)

    def of(self, transcript: str) -> tuple[Upload, ...]:
        """Return the files of a transcript, oldest first; none for an unknown one."""
        query = (
            select(uploads)
            .where(uploads.c.transcript == transcript)
            .order_by(uploads.c.created_ms, uploads.c.session)
        )
        with self._database.reading() as connection:
            return tuple(Upload(**row) for row in connection.execute(query).mappings())


def _note_key(connection: Connection, upload: Upload, key: str | None) -> None:
    """Let a key stand for a file and its present job; the transcript has to be locked."""
    if key is None:
        return
    about = {"session": upload.session, "job": upload.job}
    mine = (upload_keys.c.transcript == upload.transcript) & (upload_keys.c.key == key)
    if connection.execute(update(upload_keys).where(mine).values(about)).rowcount == 0:
        new = {"transcript": upload.transcript, "key": key, **about}
        connection.execute(insert(upload_keys).values(new))


def _submit(
    connection: Connection,
    transcript: str,
    session: str,
    wishes: Wishes,
    bounds: Bounds,
    now_ms: int,
) -> Job:
    task = Task(
        kind=JobKind.UPLOAD,
        transcript=transcript,
        session=session,
        model=wishes.model,
        language=wishes.language,
        hotwords=wishes.hotwords,
        diarization=wishes.diarization,
    )
    return submit_job(connection, NewJob(task), bounds, now_ms)
