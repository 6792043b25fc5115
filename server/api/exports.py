"""The operation that answers a transcript as a file: what people edited, with its times."""

from __future__ import annotations

from starlette.responses import Response

from server.access import Role
from server.alignment import align
from server.api.filenames import attachment
from server.api.operation import About, Call, Operation, Success, with_query
from server.api.reading import Reading, copy, length_ms
from server.api.requests import ExportQuery
from server.exports.formats import ExportFormat, export
from server.exports.transcript import ExportedTranscript
from server.storage.values import Transcript

PATH = "/v1/transcripts/{transcript}/export"


async def exported(call: Call, wish: ExportQuery) -> Response:
    """Answer the transcript as a file of the format that is asked for."""
    store = call.serving.store
    about, sessions = await call.threads.read(
        lambda: (store.library.get(call.transcript), store.sessions.of(call.transcript))
    )
    taken, duration_ms = await copy(call), length_ms(about, sessions)

    def written() -> Response:
        transcript = _aligned(about, duration_ms, taken.read())
        headers = {
            "content-type": wish.format.media_type,
            "content-disposition": attachment(transcript.title, wish.format.suffix),
        }
        return Response(export(transcript, wish.format), headers=headers)

    return await call.workbench.run(written)


def _aligned(about: Transcript, duration_ms: int, reading: Reading) -> ExportedTranscript:
    return ExportedTranscript(
        id=about.id,
        title=reading.title,
        language=reading.language,
        started_ms=about.started_ms,
        duration_ms=duration_ms,
        speakers=reading.speakers,
        turns=align(reading.turns, reading.passes),
        notes=reading.notes,
    )


OPERATIONS: tuple[Operation, ...] = (
    with_query(
        About(
            "GET",
            PATH,
            "exportTranscript",
            "Take a transcript away as a file",
            Role.VIEWER,
            (
                Success(
                    200,
                    "The file",
                    media_types=tuple(dict.fromkeys(each.media_type for each in ExportFormat)),
                ),
            ),
        ),
        ExportQuery,
        exported,
    ),
)
