"""The operation that answers the turns as they stand now, for clients that do not speak Yjs."""

from __future__ import annotations

from starlette.responses import Response

from server.access import Role
from server.alignment import TimedTurn, align
from server.api.answers import TurnAnswer, TurnsAnswer, write
from server.api.operation import About, Call, Operation, Success, with_query
from server.api.reading import Reading, copy, name_speakers
from server.api.requests import Nothing

PATH = "/v1/transcripts/{transcript}/turns"


async def turns(call: Call, _query: Nothing) -> Response:
    """Answer what people edited, with the times at which it was said."""
    taken = await copy(call)
    return await call.workbench.run(lambda: _aligned(taken.read()))


def _aligned(reading: Reading) -> Response:
    timed = align(reading.turns, reading.passes)
    return write(
        TurnsAnswer(
            speakers=name_speakers(reading.speakers),
            turns=[*map(_answer, timed)],
            notes=reading.notes,
        )
    )


def _answer(timed: TimedTurn) -> TurnAnswer:
    tokens = timed.tokens
    return TurnAnswer(
        id=timed.turn.id,
        speaker=timed.turn.speaker,
        start_ms=min((token.start_ms for token in tokens), default=None),
        end_ms=max((token.end_ms for token in tokens), default=None),
        text=timed.turn.text,
    )


OPERATIONS: tuple[Operation, ...] = (
    with_query(
        About(
            "GET",
            PATH,
            "getTurns",
            "What was said, as it stands now: turns with speaker and times",
            Role.VIEWER,
            (Success(200, "The turns, in the order of the document", TurnsAnswer),),
        ),
        Nothing,
        turns,
    ),
)
