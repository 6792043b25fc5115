"""Operations on the links that let people into one transcript."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from server.access import Role
from server.api.answers import LinkAnswer, LinkList, NewLink, write
from server.api.errors import Rejected, unknown
from server.api.operation import About, Call, Operation, Success, with_body, with_query
from server.api.requests import LinkWish, Nothing
from server.auth import fingerprint, make_token
from server.recordings import unix_ms
from server.storage import values

PATH = "/v1/transcripts/{transcript}/links"
ONE = f"{PATH}/{{link}}"

MOST_LINKS = 1_000
"""Of one transcript, ended ones included."""


async def add(call: Call, wish: LinkWish) -> Response:
    """Make a link; its token is shown this once."""
    links, token = call.serving.store.links, make_token()
    before = len(await call.threads.read(lambda: links.of(call.transcript)))
    if before >= MOST_LINKS:
        raise Rejected(
            409,
            "too_many_links",
            "The transcript has too many links",
            expected=f"fewer than {MOST_LINKS}",
            got=str(before),
        )
    link = await call.threads.write(
        lambda: links.add(
            call.transcript,
            fingerprint(token),
            values.Role(wish.role),
            label=wish.label,
            expires_ms=wish.expires_ms,
        )
    )
    sync = f"/v1/transcripts/{call.transcript}/sync?{urlencode({'token': token})}"
    made = _answer(link).model_dump()
    return write(NewLink(**made, token=token, sync=sync), status=201)


async def listing(call: Call, _query: Nothing) -> Response:
    """List all links, ended ones too."""
    await call.threads.read(lambda: call.serving.store.library.get(call.transcript))
    return write(LinkList(links=await answer_links(call)))


async def revoke(call: Call, _query: Nothing) -> Response:
    """End a link: nobody enters by it any more, and whoever did is sent away."""
    links, name = call.serving.store.links, str(call.request.path_params["link"])
    if not await call.threads.write(lambda: links.revoke(call.transcript, name)):
        raise unknown("link")
    call.serving.visits.end(name)
    return Response(status_code=204)


async def answer_links(call: Call) -> list[LinkAnswer]:
    """Return the links into the transcript of a request."""
    links = call.serving.store.links
    return [*map(_answer, await call.threads.read(lambda: links.of(call.transcript)))]


def _answer(link: values.Link) -> LinkAnswer:
    return LinkAnswer(
        id=link.fingerprint,
        role=link.role.value,
        label=link.label,
        created_ms=link.created_ms,
        expires_ms=link.expires_ms,
        revoked_ms=link.revoked_ms,
        valid=link.is_valid(unix_ms()),
    )


OPERATIONS: tuple[Operation, ...] = (
    with_body(
        About(
            "POST",
            PATH,
            "createLink",
            "Let people into a transcript, without an account",
            Role.OWNER,
            (Success(201, "The link, with its token", NewLink),),
        ),
        LinkWish,
        add,
    ),
    with_query(
        About(
            "GET",
            PATH,
            "listLinks",
            "List the links into a transcript",
            Role.OWNER,
            (Success(200, "All links, ended ones too", LinkList),),
        ),
        Nothing,
        listing,
    ),
    with_query(
        About(
            "DELETE",
            ONE,
            "deleteLink",
            "End a link",
            Role.OWNER,
            (Success(204, "Nobody enters by it any more", media_types=()),),
        ),
        Nothing,
        revoke,
    ),
)
