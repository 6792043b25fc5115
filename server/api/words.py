"""The operation that answers words as passes heard them, before people edited anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from starlette.responses import Response

from offline.domain import PassId, PassWord
from server.access import Role
from server.api.answers import WordsAnswer, WordsOfPass, write
from server.api.errors import unknown
from server.api.operation import About, Call, Operation, Success, with_query
from server.api.requests import WordsQuery
from server.storage.values import Pass, PassKind

PATH = "/v1/transcripts/{transcript}/words"


async def words(call: Call, wish: WordsQuery) -> Response:
    """Answer the words of one pass, or those of every live pass."""
    store, name = call.serving.store, call.transcript
    await call.threads.run(lambda: store.library.get(name))
    chosen = _chosen(await call.threads.run(lambda: store.passes.of(name)), wish)
    heard = await call.workbench.run(lambda: store.passes.words(name, [each.id for each in chosen]))
    return await call.workbench.run(lambda: _page(name, chosen, heard, wish))


def _chosen(passes: Sequence[Pass], wish: WordsQuery) -> list[Pass]:
    if wish.pass_id is None:
        return [each for each in passes if each.kind is PassKind.LIVE]
    chosen = [each for each in passes if each.id == wish.pass_id]
    if not chosen:
        raise unknown("pass")
    return chosen


def _page(
    transcript: str,
    passes: Sequence[Pass],
    heard: Mapping[PassId, Sequence[PassWord]],
    wish: WordsQuery,
) -> Response:
    end = wish.first + wish.limit
    following = None
    if any(len(heard[each.id]) > end for each in passes):
        fields = {"first": str(end), "limit": str(wish.limit)}
        if wish.pass_id is not None:
            fields["pass"] = wish.pass_id
        following = f"{PATH.format(transcript=transcript)}?{urlencode(fields)}"
    pages = [
        WordsOfPass(
            id=each.id,
            session=each.session,
            kind=each.kind.value,
            first=wish.first,
            words=[
                (word.text, word.start_ms, word.end_ms, word.confidence)
                for word in heard[each.id][wish.first : end]
            ],
        )
        for each in passes
    ]
    return write(WordsAnswer(passes=pages, next=following))


OPERATIONS: tuple[Operation, ...] = (
    with_query(
        About(
            "GET",
            PATH,
            "getWords",
            "Words with times and confidence, as they were heard",
            Role.VIEWER,
            (Success(200, "Words, and where they go on", WordsAnswer),),
        ),
        WordsQuery,
        words,
    ),
)
