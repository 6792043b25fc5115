"""Errors of the storage.

StorageError
├── StorageUnavailable    nothing is wrong with what was asked: try again; `trouble` says why
├── StorageFault          the database refused a statement of ours, or is damaged
├── UnsupportedDatabase   this server cannot work with the database, or with its address
├── UnknownTranscript     there is no such transcript, or it was deleted
├── UnknownJob            there is no such job, or its transcript was deleted
├── TooManyJobs           so many jobs wait already that another one is not taken
├── StaleWriter           another writer opened the transcript since; this one has to let go
├── WrongJobState         a job is not as far as it has to be for what was asked
└── Conflict              what is to be written does not follow what is stored

None of them carries what people said or wrote, nor a password; the errors of the database, which
may quote both, are not among their causes.
"""

from __future__ import annotations

from enum import Enum

from server.errors import ServerError


class StorageError(ServerError):
    """Base of every error of the storage."""


class Trouble(Enum):
    """Why a database cannot be used now."""

    LOCKED = "another process kept it locked"
    UNREACHABLE = "it cannot be reached"
    FULL = "its disk is full"
    READ_ONLY = "it cannot be written to"
    BUSY = "all its connections are in use"


class StorageUnavailable(StorageError):
    """The database cannot be used now. What was to be written may be written all the same.

    Attributes:
        place: The database's file or address, without user and password.
        trouble: What is the matter.
        code: The database's own name for it.
    """

    def __init__(self, place: str, trouble: Trouble, code: str) -> None:
        super().__init__(f"{place}: expected a usable database, but {trouble.value} ({code})")
        self.place = place
        self.trouble = trouble
        self.code = code


class StorageFault(StorageError):
    """The database refused a statement; a mistake of ours, or a damaged database.

    Attributes:
        place: The database's file or address, without user and password.
        code: The database's own name for what is wrong.
    """

    def __init__(self, place: str, code: str) -> None:
        super().__init__(f"{place}: expected a statement to be carried out, got {code}")
        self.place = place
        self.code = code


class UnsupportedDatabase(StorageError):
    """This server cannot work with a database: it is of another kind, or of a newer version.

    Attributes:
        place: The database's file or address, without user and password.
        expected: What would do.
        got: What it is.
    """

    def __init__(self, place: str, expected: str, got: str) -> None:
        super().__init__(f"{place}: expected {expected}, got {got}")
        self.place = place
        self.expected = expected
        self.got = got


class UnknownTranscript(StorageError):
    """There is no such transcript.

    Attributes:
        transcript: The id that was asked for.
    """

    def __init__(self, transcript: str) -> None:
        super().__init__(f"expected the id of a transcript, got {transcript!r}")
        self.transcript = transcript


class UnknownJob(StorageError):
    """There is no such job.

    Attributes:
        job: The id that was asked for.
    """

    def __init__(self, job: str) -> None:
        super().__init__(f"expected the id of a job, got {job!r}")
        self.job = job


class WrongJobState(StorageError):
    """A job is not as far as it has to be for what was asked.

    Attributes:
        job: Its id.
        expected: What it should be.
        got: What it is.
    """

    def __init__(self, job: str, expected: str, got: str) -> None:
        super().__init__(f"job {job}: expected {expected}, got {got}")
        self.job = job
        self.expected = expected
        self.got = got


class TooManyJobs(StorageError):
    """As many jobs as may be are not over yet.

    Attributes:
        where: Whose jobs: `this transcript` or `this server`.
        limit: How many there may be.
    """

    def __init__(self, where: str, limit: int) -> None:
        super().__init__(f"{where}: expected fewer than {limit} jobs, got another one")
        self.where = where
        self.limit = limit


class StaleWriter(StorageError):
    """Somebody opened the transcript after this writer did.

    Attributes:
        transcript: Its id.
        held: Number of this writer's lease.
        newest: Number of the newest lease.
    """

    def __init__(self, transcript: str, held: int, newest: int) -> None:
        super().__init__(f"{transcript}: expected lease {newest}, got lease {held}")
        self.transcript = transcript
        self.held = held
        self.newest = newest


class Conflict(StorageError):
    """What is to be written does not follow what is stored.

    Attributes:
        subject: What it is about.
        expected: What would follow.
        got: What came.
    """

    def __init__(self, subject: str, expected: str, got: str) -> None:
        super().__init__(f"{subject}: expected {expected}, got {got}")
        self.subject = subject
        self.expected = expected
        self.got = got
