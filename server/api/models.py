"""The operation that lists the recognizers that are here."""

from __future__ import annotations

from starlette.responses import Response

from server.access import Role
from server.api.answers import ModelAnswer, ModelList, write
from server.api.operation import About, Call, Operation, Success, with_query
from server.api.requests import Nothing
from streaming.engines.recognizers import knows_english_only, present

PATH = "/v1/models"


async def listing(call: Call, _query: Nothing) -> Response:
    """Answer the recognizers of the catalogue that are here."""
    here = await call.disk.run(lambda: present(call.cache_dir))
    return write(
        ModelList(
            models=[
                ModelAnswer(name=name, languages=["en"] if knows_english_only(name) else None)
                for name in (weight.name for weight in here)
            ]
        )
    )


OPERATIONS: tuple[Operation, ...] = (
    with_query(
        About(
            "GET",
            PATH,
            "listModels",
            "List the recognizers that are here, by the names that requests may give",
            Role.OWNER,
            (Success(200, "The largest first", ModelList),),
        ),
        Nothing,
        listing,
    ),
)
