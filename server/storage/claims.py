"""Who works on which job: claimed, renewed while the work goes on, and let go.

A claim that is not renewed in time is lost with its worker, and the job is due again. Each claim
has a number, so that a worker that was believed dead and wakes up changes nothing (fencing, as in
`leases`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping

from sqlalchemy import ColumnElement, Connection, RowMapping, select, update

from offline.jobs import Claim, Failure, FailureCode, JobState, Rank
from server.storage.database import Database
from server.storage.job_rows import COLUMNS, columns_of, to_task
from server.storage.tables import jobs
from streaming.core.domain import Permille

MOST_ATTEMPTS = 4
"""So often a job is begun before it has failed."""

MOST_WOKEN = 64
"""So many jobs are told that wait: whoever takes one goes on until none is left, so more messages
would wake nobody up."""

PASSED_ON_MS = 86_400_000
"""For so long a job may wait for a worker that can do it."""

LEFT_MS = 5_000
"""So long what was heard is left to the server that has the transcript open, if one does: all look
for it every second."""

FIRST_BACKOFF_MS = 5_000
LONGEST_BACKOFF_MS = 600_000


class Claims:
    """The claims on all jobs; owned by its store."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms

    def due(
        self, *, sessions: Collection[str] | None = None, limit: int = MOST_WOKEN
    ) -> tuple[str, ...]:
        """Return jobs that a worker may take now, the most urgent first.

        Args:
            sessions: Only jobs over these.
            limit: At most so many.
        """
        query = select(jobs.c.id).where(self._is_due()).order_by(*_URGENCY).limit(limit)
        if sessions is not None:
            query = query.where(jobs.c.session.in_(sessions))
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def take(
        self, worker: str, hold_ms: int, *, urgent: bool = False, without: Collection[str] = ()
    ) -> Claim | None:
        """Claim the most urgent job that is due; `None` if none is.

        A job whose workers were lost too often has failed then, and the next one is taken.

        Args:
            worker: Who it is, for operators.
            hold_ms: For how long, unless it is renewed.
            urgent: Whether only those are meant that people wait for.
            without: Sessions whose jobs are left to others.
        """
        ranks = [rank for rank in Rank if rank.urgent or not urgent]
        query = (
            select(*COLUMNS)
            .where(self._is_due(), jobs.c.rank.in_(ranks), jobs.c.session.not_in(without))
            .order_by(*_URGENCY)
            .limit(1)
            .with_for_update(skip_locked=True)  # as if unknown to SQLite, which has one writer
        )
        while True:
            with self._database.writing() as connection:
                row = connection.execute(query).mappings().one_or_none()
                if row is None:
                    return None
                if row["attempts"] < MOST_ATTEMPTS:
                    return self._claim(connection, row, worker, hold_ms)
                self._write(connection, row["id"], self._after(row["attempts"], _LOST))

    def renew(self, claim: Claim, progress: Permille, hold_ms: int) -> bool:
        """Say that the work goes on; return whether it should.

        It should not where the job was cancelled, went with its transcript, or was claimed by
        another worker because this one was not heard of.
        """
        columns = {"progress": progress, "due_ms": self._now_ms() + hold_ms}
        return self._end(claim, columns)

    def finish(self, claim: Claim, result: bytes) -> bool:
        """Store what was heard; return whether it is wanted still."""
        heard = {"state": JobState.HEARD.value, "result": result, "progress": 1000}
        heard["due_ms"] = self._now_ms() + LEFT_MS
        no_failure = {"error_code": None, "error": None, "error_retry": None}
        return self._end(claim, heard | no_failure)

    def fail(self, claim: Claim, failure: Failure) -> None:
        """Let the job wait for its next attempt, if there is one, and fail otherwise."""
        self._end(claim, self._after(claim.attempt, failure))

    def give_back(self, claim: Claim) -> None:
        """Let the job wait as if it had not been claimed: it is not the job's fault."""
        self._give_back(claim, {})

    def pass_on(self, claim: Claim, failure: Failure) -> None:
        """Give a job back that only another worker can do; why is told while it waits.

        Where none came in a day, it costs attempts like any other failure.
        """
        waits_since = select(jobs.c.created_ms).where(jobs.c.id == claim.job)
        with self._database.reading() as connection:
            created_ms = connection.execute(waits_since).scalar()
        if created_ms is not None and self._now_ms() - created_ms > PASSED_ON_MS:
            self.fail(claim, failure)
        else:
            self._give_back(claim, columns_of(failure))

    def _give_back(self, claim: Claim, columns: dict[str, object]) -> None:
        waiting = {"state": JobState.WAITING.value, "due_ms": self._now_ms(), "worker": None}
        self._end(claim, waiting | {"attempts": claim.attempt - 1} | columns)

    def _is_due(self) -> ColumnElement[bool]:
        return jobs.c.state.in_(_CLAIMABLE) & (jobs.c.due_ms <= self._now_ms())

    def _claim(self, connection: Connection, row: RowMapping, worker: str, hold_ms: int) -> Claim:
        now_ms = self._now_ms()
        claim = Claim(row["id"], row["claims"] + 1, row["attempts"] + 1, to_task(row))
        columns = {
            "state": JobState.RUNNING.value,
            "claims": claim.number,
            "attempts": claim.attempt,
            "progress": 0,
            "worker": worker,
            "started_ms": now_ms,
            "due_ms": now_ms + hold_ms,
        }
        if row["state"] == JobState.RUNNING.value:
            columns |= columns_of(_LOST)
        self._write(connection, claim.job, columns)
        return claim

    def _after(self, attempts: int, failure: Failure) -> dict[str, object]:
        """Return what becomes of a job after so many attempts, the last of which failed."""
        now_ms = self._now_ms()
        columns = columns_of(failure) | {"worker": None}
        if failure.retry and attempts < MOST_ATTEMPTS:
            waiting = {"state": JobState.WAITING.value, "due_ms": now_ms + backoff_ms(attempts)}
            return columns | waiting
        return columns | {"state": JobState.FAILED.value, "finished_ms": now_ms}

    def _end(self, claim: Claim, columns: Mapping[str, object]) -> bool:
        """Change a job whose claim still counts; return whether it does."""
        ours = (
            (jobs.c.id == claim.job)
            & (jobs.c.claims == claim.number)
            & (jobs.c.state == JobState.RUNNING.value)
        )
        values = {**columns, "updated_ms": self._now_ms()}
        with self._database.writing() as connection:
            return connection.execute(update(jobs).where(ours).values(values)).rowcount == 1

    def _write(self, connection: Connection, job: str, columns: Mapping[str, object]) -> None:
        values = {**columns, "updated_ms": self._now_ms()}
        connection.execute(update(jobs).where(jobs.c.id == job).values(values))


def backoff_ms(attempts: int) -> int:
    """Return how long to wait after so many attempts: doubled each time, and scattered by half.

    Scattered, so that jobs which failed together do not come again together.
    """
    longest = min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS << (attempts - 1))
    return random.randint(longest // 2, longest)  # noqa: S311 - nothing to guess


_CLAIMABLE = (JobState.WAITING.value, JobState.RUNNING.value)
_URGENCY = (jobs.c.rank, jobs.c.created_ms, jobs.c.id)
_LOST = Failure(
    FailureCode.WORKER_DIED, "a worker that reports expected, got no sign of life", retry=True
)
