"""The operation that answers words as passes heard them, before people edited anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from offline.domain import PassId
from server.access import Role
from server.api.answers import WordsAnswer, WordsOfPass, write
from server.api.errors import unknown
from server.api.operation import About, Call, Operation, Success, with_query
from server.api.requests import WordsQuery
from server.storage.values import Pass, PassKind

PATH = "/v1/transcripts/{transcript}/words"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words `[first, end)` of a pass."""

    heard: Pass
    first: int
    end: int


async def words(call: Call, wish: WordsQuery) -> Response:
    """Answer the words of one pass, or of one of each session, one after the other."""
    store, name = call.serving.store, call.transcript
    await call.threads.read(lambda: store.library.get(name))
    chosen = _chosen(await call.threads.read(lambda: store.passes.of(name)), wish)
    stretches, following = _plan(chosen, wish)
    return await call.workbench.run(
        lambda: write(_answer(call, stretches, _path(call, wish, following)))
    )


def _chosen(passes: Sequence[Pass], wish: WordsQuery) -> list[Pass]:
    """Return the passes that are wanted, without those of the pages before."""
    if wish.pass_id is None:
        chosen = [_as_heard(each, passes) for each in passes if each.kind is PassKind.LIVE]
    else:
        chosen = [each for each in passes if each.id == wish.pass_id]
    names = [each.id for each in chosen]
    wanted = wish.pass_id if wish.cursor is None else wish.cursor.partition(".")[0]
    if wanted is None:
        return chosen
    if wanted not in names:
        raise unknown("pass")
    return chosen[names.index(PassId(wanted)) :]


def _as_heard(live: Pass, passes: Sequence[Pass]) -> Pass:
    """Return the live pass of a session, or the newest one where that heard nothing."""
    others = [each for each in passes if each.session == live.session and each.words]
    return live if live.words or not others else others[-1]


def _plan(passes: Sequence[Pass], wish: WordsQuery) -> tuple[list[Stretch], str | None]:
    """Return what is answered, and the cursor of what follows, if anything does.

    A pass may grow meanwhile: what it had when it was counted is answered.
    """
    first = 0 if wish.cursor is None else int(wish.cursor.partition(".")[2])
    room, found = wish.limit, list[Stretch]()
    for each in passes:
        end = max(first, min(each.words, first + room))
        found.append(Stretch(each, first, end))
        if end < each.words:
            return found, f"{each.id}.{end}"
        room -= end - first
        first = 0
    return found, None


def _path(call: Call, wish: WordsQuery, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    fields = {"cursor": cursor, "limit": str(wish.limit)}
    if wish.pass_id is not None:
        fields["pass"] = wish.pass_id
    return f"{PATH.format(transcript=call.transcript)}?{urlencode(fields)}"


def _answer(call: Call, stretches: Sequence[Stretch], following: str | None) -> WordsAnswer:
    """Read words and write them, in a thread."""
    names = [each.heard.id for each in stretches if each.first < each.end]
    heard = call.serving.store.passes.words(call.transcript, names)
    pages = [
        WordsOfPass(
            id=each.heard.id,
            session=each.heard.session,
            kind=each.heard.kind.value,
            first=each.first,
            words=[
                (word.text, word.start_ms, word.end_ms, word.confidence)
                for word in heard.get(each.heard.id, ())[each.first : each.end]
            ],
        )
        for each in stretches
    ]
    return WordsAnswer(passes=pages, next=following)


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
