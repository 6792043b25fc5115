"""Jobs as those see them who want something heard; who hears it is in `claims`."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, tuple_, update

from offline.domain import PassId
from offline.jobs import Failure, Job, JobKind, JobState, Task
from server.storage.database import Database
from server.storage.errors import TooManyJobs, WrongJobState
from server.storage.job_rows import COLUMNS, columns_of, first_of_each, read_job, to_job
from server.storage.leases import lock
from server.storage.tables import jobs

LARGEST_PAGE = 100
"""So many jobs are listed at once."""

ID_BYTES = 12

UNDER_WAY = tuple(state for state in JobState if not state.over)


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is said of a job when it is submitted.

    Attributes:
        task: What is to be done.
        key: Who submits the same key again within the transcript gets the same job; `None` for a
            job that is like no other.
    """

    task: Task
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many jobs may be under way.

    Attributes:
        transcript: Of one transcript.
        all: In all.
    """

    transcript: int
    all: int

    @classmethod
    def of(cls, most: int) -> Bounds:
        """Return the bounds where so many may be under way in all: one transcript has a tenth."""
        return cls(transcript=most // 10, all=most)


@dataclass(frozen=True, slots=True)
class JobCursor:
    """A place in the list of jobs: after the one that was made then."""

    created_ms: int
    job: str

    def __str__(self) -> str:
        """Return the cursor as clients carry it: `"1700000000000.abcdef"`."""
        return f"{self.created_ms}.{self.job}"

    @classmethod
    def parse(cls, value: str) -> JobCursor | None:
        """Return the cursor that a client sent back; `None` for anything else."""
        found = _CURSOR.fullmatch(value)
        return None if found is None else cls(int(found[1]), found[2])


_CURSOR = re.compile(r"([0-9]{1,15})\.([0-9A-Za-z_-]{1,128})", re.ASCII)


@dataclass(frozen=True, slots=True)
class JobPage:
    """A stretch of the list of jobs.

    Attributes:
        jobs: The newest comes first.
        following: Where the list goes on; `None` at its end.
    """

    jobs: tuple[Job, ...]
    following: JobCursor | None


@dataclass(frozen=True, slots=True)
class Census:
    """How many jobs there are.

    Attributes:
        of_state: How many are in each state.
        waiting_since_ms: When the oldest that may begin could have begun; `None` if none waits.
    """

    of_state: Mapping[JobState, int]
    waiting_since_ms: int | None


class Jobs:
    """The jobs of all transcripts; owned by its store.

    Jobs go when their transcripts go, also while somebody works on them.
    """

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms

    def submit(self, new: NewJob, bounds: Bounds) -> Job:
        """Add a job, unless there is one with its key.

        Servers that share a database may together exceed `bounds.all` by one job each.

        Raises:
            UnknownTranscript: There is no such transcript.
            TooManyJobs: Too many are under way.
        """
        with self._database.writing() as connection:
            lock(connection, new.task.transcript)
            return submit_job(connection, new, bounds, self._now_ms())

    def get(self, job: str) -> Job:
        """Return a job as it is now.

        Raises:
            UnknownJob: There is none.
        """
        with self._database.reading() as connection:
            return read_job(connection, job)

    def page(
        self,
        *,
        transcript: str | None = None,
        states: Iterable[JobState] = (),
        after: JobCursor | None = None,
        limit: int = 50,
    ) -> JobPage:
        """Return a stretch of the list of jobs, the newest first.

        Args:
            transcript: Only those of one transcript.
            states: Only those in one of these states; all if there are none.
            after: `JobPage.following` of the page before.
            limit: At most so many, 1..100.

        Raises:
            ValueError: The limit is none of those.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"limit: expected 1..{LARGEST_PAGE}, got {limit}")
        listed = select(*COLUMNS).order_by(jobs.c.created_ms.desc(), jobs.c.id.desc())
        if transcript is not None:
            listed = listed.where(jobs.c.transcript == transcript)
        if wanted := [state.value for state in states]:
            listed = listed.where(jobs.c.state.in_(wanted))
        if after is not None:
            place = tuple_(jobs.c.created_ms, jobs.c.id)
            listed = listed.where(place < (after.created_ms, after.job))
        with self._database.reading() as connection:
            rows = connection.execute(listed.limit(limit + 1)).mappings().all()
        page = tuple(to_job(row) for row in rows[:limit])
        more = len(rows) > limit
        return JobPage(page, JobCursor(page[-1].created_ms, page[-1].id) if more else None)

    def cancel(self, job: str) -> Job:
        """End a job that is under way, and leave one that is over as it is; return it.

        Whoever works on it learns it with the next sign of life.

        Raises:
            UnknownJob: There is none.
        """
        with self._database.writing() as connection:
            self._move(connection, job, UNDER_WAY, self._over(JobState.CANCELLED))
            return read_job(connection, job)

    def retry(self, job: str, bounds: Bounds) -> Job:
        """Let a job that failed wait once more, with all its attempts; return it.

        Raises:
            UnknownJob: There is none.
            WrongJobState: It did not fail.
            TooManyJobs: Too many are under way.
        """
        renewed: dict[str, object] = {
            "state": JobState.WAITING.value,
            "due_ms": self._now_ms(),
            "attempts": 0,
            "progress": 0,
            "finished_ms": None,
        }
        with self._database.writing() as connection:
            found = read_job(connection, job)
            if found.state is JobState.FAILED:
                _check_room(connection, found.task, bounds)
            if not self._move(connection, job, (JobState.FAILED,), renewed):
                raise WrongJobState(job, "one that failed", f"one that is {found.state.value}")
            return read_job(connection, job)

    def heard(self, *, limit: int = 1000) -> tuple[Job, ...]:
        """Return jobs whose hearings wait to be written into documents, most urgent first.

        Of each transcript only the first, so that none hides behind the jobs of another.
        """
        order = (jobs.c.rank, jobs.c.created_ms, jobs.c.id)
        first = first_of_each(jobs.c.state == JobState.HEARD.value, order)
        query = first.order_by("rank", "created_ms", "id").limit(limit)
        with self._database.reading() as connection:
            return tuple(to_job(row) for row in connection.execute(query).mappings())

    def newest(self, transcripts: Iterable[str]) -> dict[str, Job]:
        """Return the newest job of each of these transcripts that has any, by their ids."""
        order = (jobs.c.created_ms.desc(), jobs.c.id.desc())
        query = first_of_each(jobs.c.transcript.in_([*transcripts]), order)
        with self._database.reading() as connection:
            found = [to_job(row) for row in connection.execute(query).mappings()]
        return {job.task.transcript: job for job in found}

    def keys(self, transcript: str, prefix: str) -> tuple[str, ...]:
        """Return the keys of a transcript's jobs that begin so."""
        theirs = (jobs.c.transcript == transcript) & jobs.c.key.startswith(prefix, autoescape=True)
        with self._database.reading() as connection:
            return tuple(connection.execute(select(jobs.c.key).where(theirs)).scalars())

    def end_ms(self, transcript: str, session: str, kind: JobKind) -> int:
        """Return up to where a session was heard by jobs of a kind, on its clock; 0 for nowhere."""
        theirs = (jobs.c.transcript == transcript) & (jobs.c.session == session)
        query = select(func.max(jobs.c.end_ms)).where(theirs & (jobs.c.kind == kind.value))
        with self._database.reading() as connection:
            return connection.execute(query).scalar() or 0

    def result(self, job: str) -> bytes | None:
        """Return what was heard, as `Hearing.encode` wrote it; `None` before, and once it stands.

        A recording of three hours takes about 1.5 MB.
        """
        query = select(jobs.c.result).where(jobs.c.id == job)
        with self._database.reading() as connection:
            found: bytes | None = connection.execute(query).scalar()
        return found

    def reserve(self, job: str, hold_ms: int, *, due_ms: int | None = None) -> bool:
        """Leave what a job heard to the caller for so long; return whether it is the caller's.

        It is not where nobody wants it any more.

        Args:
            job: Which job.
            hold_ms: For how long.
            due_ms: What `Job.due_ms` was: then it is not the caller's either where another one
                reserved it since.
        """
        held: dict[str, object] = {"due_ms": self._now_ms() + hold_ms}
        with self._database.writing() as connection:
            if due_ms is not None and read_job(connection, job).due_ms != due_ms:
                return False
            return self._move(connection, job, (JobState.HEARD,), held)

    def applied(self, job: str, pass_id: PassId | None) -> None:
        """Note that a document shows what a job heard; its result is dropped.

        Harmless when it is noted already, or the job is gone.

        Args:
            job: Which job.
            pass_id: Which pass its words became; `None` where there was nothing to write.
        """
        columns = self._over(JobState.DONE) | {"pass": pass_id}
        with self._database.writing() as connection:
            self._move(connection, job, (JobState.HEARD,), columns)

    def reject(self, job: str, failure: Failure) -> None:
        """Note that what a job heard cannot be written; harmless when the job is gone."""
        columns = self._over(JobState.FAILED) | columns_of(failure)
        with self._database.writing() as connection:
            self._move(connection, job, (JobState.HEARD,), columns)

    def sweep(self, finished_before_ms: int) -> int:
        """Remove jobs that were over before this moment; return how many."""
        old = jobs.c.finished_ms < finished_before_ms
        with self._database.writing() as connection:
            return connection.execute(delete(jobs).where(old)).rowcount

    def census(self) -> Census:
        """Count the jobs."""
        counted = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        oldest = select(func.min(jobs.c.due_ms)).where(
            jobs.c.state == JobState.WAITING.value, jobs.c.due_ms <= self._now_ms()
        )
        with self._database.reading() as connection:
            counts = {JobState(state): count for state, count in connection.execute(counted)}
            since_ms: int | None = connection.execute(oldest).scalar()
        return Census({state: counts.get(state, 0) for state in JobState}, since_ms)

    def _over(self, state: JobState) -> dict[str, object]:
        return {"state": state.value, "result": None, "finished_ms": self._now_ms()}

    def _move(
        self,
        connection: Connection,
        job: str,
        states: Iterable[JobState],
        columns: Mapping[str, object],
    ) -> bool:
        """Change a job if it is in one of these states; return whether it was."""
        here = (jobs.c.id == job) & jobs.c.state.in_([state.value for state in states])
        values = {**columns, "updated_ms": self._now_ms()}
        return connection.execute(update(jobs).where(here).values(values)).rowcount == 1


def submit_job(connection: Connection, new: NewJob, bounds: Bounds, now_ms: int) -> Job:
    """Add a job to a transcript that is locked, unless there is one with its key.

    Raises:
        TooManyJobs: Too many are under way.
    """
    task = new.task
    if new.key is not None:
        same = (jobs.c.transcript == task.transcript) & (jobs.c.key == new.key)
        row = connection.execute(select(*COLUMNS).where(same)).mappings().one_or_none()
        if row is not None:
            return to_job(row)
    _check_room(connection, task, bounds)
    job = secrets.token_hex(ID_BYTES)  # none begins with -, like a flag
    row_of_task = {
        "id": job,
        "transcript": task.transcript,
        "key": new.key,
        "kind": task.kind.value,
        "session": task.session,
        "start_ms": task.start_ms,
        "end_ms": task.end_ms,
        "model": task.model,
        "language": task.language,
        "hotwords": json.dumps(task.hotwords),
        "diarization": task.diarization,
        "suggests": task.suggests,
        "rank": task.rank,
        "state": JobState.WAITING.value,
        "due_ms": now_ms,
        "created_ms": now_ms,
        "updated_ms": now_ms,
    }
    connection.execute(insert(jobs).values(row_of_task))
    return read_job(connection, job)


def _check_room(connection: Connection, task: Task, bounds: Bounds) -> None:
    """Look whether a job may wait.

    Whole recordings of sessions always may: there is one for each session, which takes more room
    itself, and nobody would ask for it again.
    """
    if task.kind is JobKind.RECORDING:
        return
    under_way = select(func.count()).where(jobs.c.state.in_([s.value for s in UNDER_WAY]))
    here = under_way.where(jobs.c.transcript == task.transcript)
    if connection.execute(here).scalar_one() >= bounds.transcript:
        raise TooManyJobs("this transcript", bounds.transcript)
    if connection.execute(under_way).scalar_one() >= bounds.all:
        raise TooManyJobs("this server", bounds.all)
