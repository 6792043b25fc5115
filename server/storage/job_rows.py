"""Jobs as rows: how they are asked for, and read."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select

from offline.jobs import Failure, FailureCode, Job, JobKind, JobState, Task
from server.storage.errors import UnknownJob
from server.storage.tables import jobs
from streaming.core.domain import Permille

COLUMNS = tuple(column for column in jobs.c if column.name != "result")


def first_of_each(
    which: ColumnElement[bool], order: tuple[ColumnElement[Any], ...]
) -> Select[tuple[Any, ...]]:
    """Return how to ask for the first of such jobs of each transcript, in an order."""
    place = func.row_number().over(partition_by=jobs.c.transcript, order_by=order)
    numbered = select(*COLUMNS, place.label("place")).where(which).subquery()
    return select(*(numbered.c[column.name] for column in COLUMNS)).where(numbered.c.place == 1)


def to_job(row: RowMapping) -> Job:
    """Return the job that a row of `COLUMNS` describes."""
    code = row["error_code"]
    return Job(
        id=row["id"],
        task=to_task(row),
        state=JobState(row["state"]),
        key=row["key"],
        attempts=row["attempts"],
        progress=Permille(row["progress"]),
        failure=None
        if code is None
        else Failure(FailureCode(code), row["error"], retry=row["error_retry"]),
        pass_id=row["pass"],
        due_ms=row["due_ms"],
        created_ms=row["created_ms"],
        updated_ms=row["updated_ms"],
        started_ms=row["started_ms"],
        finished_ms=row["finished_ms"],
        worker=row["worker"],
    )


def to_task(row: RowMapping) -> Task:
    """Return the task that a row of `COLUMNS` describes."""
    return Task(
        kind=JobKind(row["kind"]),
        transcript=row["transcript"],
        session=row["session"],
        start_ms=row["start_ms"],
        end_ms=row["end_ms"],
        model=row["model"],
        language=row["language"],
        hotwords=tuple(json.loads(row["hotwords"])),
        diarization=row["diarization"],
        suggests=row["suggests"],
    )


def columns_of(failure: Failure) -> dict[str, object]:
    """Return what is stored of a failure."""
    return {
        "error_code": failure.code.value,
        "error": failure.message,
        "error_retry": failure.retry,
    }


def read_job(connection: Connection, job: str) -> Job:
    """Return a job as it is now.

    Raises:
        UnknownJob: There is none.
    """
    query = select(*COLUMNS).where(jobs.c.id == job)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownJob(job)
    return to_job(row)
