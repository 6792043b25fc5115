"""Operations on jobs: what is heard of a transcript, how far that is, and how it is ended.

A job belongs to the transcript in its path: who may see one transcript does not learn of the jobs
of another. Times are those of the transcript's clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from starlette.responses import Response

from offline.jobs import Job
from server.access import Role
from server.api.answers import JobAnswer, JobFailure, JobFile, JobPage, write
from server.api.errors import unknown
from server.api.operation import About, Call, Operation, Success, with_query
from server.api.requests import JobsQuery, Nothing
from server.storage.jobs import JobCursor
from server.storage.uploads import Upload

PATH = "/v1/transcripts/{transcript}/jobs"
ONE = f"{PATH}/{{job}}"


async def listing(call: Call, wish: JobsQuery) -> Response:
    """List the jobs of a transcript, the newest first."""
    store, name = call.serving.store, call.transcript
    await call.threads.read(lambda: store.library.get(name))
    after = None if wish.cursor is None else JobCursor.parse(wish.cursor)
    page = await call.threads.read(
        lambda: store.jobs.page(transcript=name, after=after, limit=wish.limit)
    )
    following = None
    if page.following is not None:
        fields = {"limit": str(wish.limit), "cursor": str(page.following)}
        following = f"{PATH.format(transcript=name)}?{urlencode(fields)}"
    return write(JobPage(jobs=await answer_jobs(call, page.jobs), next=following))


async def look_at(call: Call, _query: Nothing) -> Response:
    """Answer how far a job is."""
    return write(await answer_job(call, await own_job(call)))


async def cancel(call: Call, _query: Nothing) -> Response:
    """End a job; harmless when it is over."""
    job = await own_job(call)
    return write(await answer_job(call, await call.serving.jobs.cancel(job.id)))


async def retry(call: Call, _query: Nothing) -> Response:
    """Let a job that failed be done once more."""
    job = await own_job(call)
    return write(await answer_job(call, await call.serving.jobs.retry(job.id)), status=202)


async def own_job(call: Call) -> Job:
    """Return the job in the path of a request.

    Raises:
        Rejected: The transcript has no such job.
        UnknownJob: There is none.
    """
    job = await call.serving.jobs.get(str(call.request.path_params["job"]))
    if job.task.transcript != call.transcript:
        raise unknown("job")
    return job


def answer_failure(job: Job) -> JobFailure | None:
    """Return what went wrong with a job as it is answered."""
    failure = job.failure
    return None if failure is None else JobFailure(code=failure.code, message=failure.message)


async def answer_job(call: Call, job: Job) -> JobAnswer:
    """Return a job of a request's transcript as it is answered."""
    (answer,) = await answer_jobs(call, [job])
    return answer


async def answer_jobs(call: Call, jobs: Iterable[Job]) -> list[JobAnswer]:
    """Return jobs of a request's transcript as they are answered."""
    return await call.threads.read(lambda: _answers(call, jobs))


def _answers(call: Call, jobs: Iterable[Job]) -> list[JobAnswer]:
    """Look up what jobs hear, in a thread."""
    store = call.serving.store
    offsets = {each.id: each.offset_ms for each in store.sessions.of(call.transcript)}
    uploads = {each.session: each for each in store.uploads.of(call.transcript)}
    answers: list[JobAnswer] = []
    for job in jobs:
        upload = uploads.get(job.task.session)
        file = None if upload is None or upload.job != job.id else _file(call, upload)
        answers.append(_answer(job, offsets.get(job.task.session), file))
    return answers


def _file(call: Call, upload: Upload) -> JobFile:
    unpacked = call.serving.uploads.unpacked(upload.session)
    damage = None if unpacked is None else unpacked.damage
    return JobFile(name=upload.name, size_bytes=upload.size_bytes, damage=damage)


def _answer(job: Job, offset_ms: int | None, file: JobFile | None) -> JobAnswer:
    task = job.task
    end_ms = task.end_ms
    return JobAnswer(
        id=job.id,
        kind=task.kind.value,
        state=job.state.value,
        progress=job.progress,
        attempts=job.attempts,
        session=task.session,
        from_ms=None if offset_ms is None else offset_ms + task.start_ms,
        to_ms=None if offset_ms is None or end_ms is None else offset_ms + end_ms,
        model=task.model,
        language=task.language,
        error=answer_failure(job),
        file=file,
        created_ms=job.created_ms,
        updated_ms=job.updated_ms,
        finished_ms=job.finished_ms,
    )


OPERATIONS: tuple[Operation, ...] = (
    with_query(
        About(
            "GET",
            PATH,
            "listJobs",
            "List what is heard of a transcript once more, the newest first",
            Role.VIEWER,
            (Success(200, "A page of the list", JobPage),),
        ),
        JobsQuery,
        listing,
    ),
    with_query(
        About(
            "GET",
            ONE,
            "getJob",
            "How far a job is",
            Role.VIEWER,
            (Success(200, "The job", JobAnswer),),
        ),
        Nothing,
        look_at,
    ),
    with_query(
        About(
            "POST",
            f"{ONE}/cancel",
            "cancelJob",
            "End a job; what it heard is dropped",
            Role.EDITOR,
            (Success(200, "The job, which is over", JobAnswer),),
        ),
        Nothing,
        cancel,
    ),
    with_query(
        About(
            "POST",
            f"{ONE}/retry",
            "retryJob",
            "Have a job that failed done once more",
            Role.EDITOR,
            (Success(202, "The job, which waits", JobAnswer),),
        ),
        Nothing,
        retry,
    ),
)
