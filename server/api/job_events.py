"""The operation that tells how far a job is while it goes on; only it knows sse-starlette.

Server-sent events, as browsers read them (https://html.spec.whatwg.org/#server-sent-events). Each
is a whole `JobAnswer`, so that it does not matter which of them a client missed. The stream ends
when the job is over; a browser then connects again by itself, with the id of the last event, and
is answered 204, which tells it to stop. It ends as well with the link that it was asked for by.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from offline.jobs import Job
from server.access import Role
from server.api.answers import JobEvent
from server.api.jobs import ONE, answer_job, own_job
from server.api.operation import About, Call, Operation, Success, with_query
from server.api.requests import Nothing
from server.storage.errors import UnknownJob

EVENTS = "text/event-stream"

PING_S = 15
"""So often something is sent, that proxies do not take the connection for dead."""

SLOW_S = 30.0
"""How long a client may take to read one event."""


async def events(call: Call, _query: Nothing) -> Response:
    """Tell how far a job is, until it is over."""
    job = await own_job(call)
    if job.state.over and call.request.headers.get("last-event-id") == _id(job):
        return Response(status_code=204)
    return EventSourceResponse(_events(call, job), ping=PING_S, send_timeout=SLOW_S)


async def _events(call: Call, job: Job) -> AsyncGenerator[ServerSentEvent, None]:
    left = asyncio.Event()
    try:
        async with (
            call.serving.visits.stay(call.grant.link, lambda _why: left.set()),
            aclosing(call.serving.jobs.watch(job.id, left)) as states,
        ):
            async for state in states:
                answer = await answer_job(call, state)
                yield ServerSentEvent(answer.model_dump_json(), event="job", id=_id(state))
    except UnknownJob:
        return  # It went with its transcript.


def _id(job: Job) -> str:
    return str(job.updated_ms)


OPERATIONS: tuple[Operation, ...] = (
    with_query(
        About(
            "GET",
            f"{ONE}/events",
            "watchJob",
            "Follow a job until it is over: server-sent events `job`, each with the whole job",
            Role.VIEWER,
            (
                Success(200, "The job, whenever it is further", JobEvent, (EVENTS,)),
                Success(204, "It is over, and the client knows", media_types=()),
            ),
        ),
        Nothing,
        events,
    ),
)
