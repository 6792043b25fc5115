"""Every path of the API: the table that routes and the OpenAPI description are made of."""

from __future__ import annotations

from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api import (
    audio,
    exports,
    job_events,
    jobs,
    links,
    models,
    passages,
    transcripts,
    turns,
    uploads,
    words,
)
from server.api.answers import JSON
from server.api.description import describe
from server.api.operation import Operation
from server.api.resource import Premises, Resource

OPERATIONS: tuple[Operation, ...] = (
    *transcripts.OPERATIONS,
    *words.OPERATIONS,
    *turns.OPERATIONS,
    *audio.OPERATIONS,
    *uploads.OPERATIONS,
    *jobs.OPERATIONS,
    *job_events.OPERATIONS,
    *passages.OPERATIONS,
    *exports.OPERATIONS,
    *links.OPERATIONS,
    *models.OPERATIONS,
)
"""Those of one path stand together."""


def api_routes(premises: Premises) -> list[Route]:
    """Return the routes of the API."""
    by_path = groupby(OPERATIONS, key=lambda operation: operation.path)
    description = describe(OPERATIONS)

    async def described(_request: Request) -> Response:
        return Response(description, media_type=JSON)

    return [
        Route("/openapi.json", described),
        *(Route(path, Resource(premises, [*operations])) for path, operations in by_path),
    ]
