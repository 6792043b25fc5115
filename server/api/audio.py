"""The operation that answers what was said, to be heard: also what was said seconds ago."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from starlette.responses import Response, StreamingResponse

from server.access import Role
from server.api.errors import Rejected, out_of_bounds, unknown
from server.api.filenames import attachment
from server.api.operation import About, Call, Operation, Success, with_query
from server.api.requests import AudioQuery
from server.audio import LONGEST, Track, WavFile
from server.storage.values import Session
from streaming.core.domain import from_ms, to_ms

PATH = "/v1/transcripts/{transcript}/audio"
WAV = "audio/wav"

PIECE_BYTES = 128 * 1024
"""Sent at once: four seconds, mixed in a fraction of a millisecond."""

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `[first, end)` of a file; never none."""

    first: int
    end: int


async def audio(call: Call, wish: AudioQuery) -> Response:
    """Answer a stretch of the recording as a WAV file, or a part of that file."""
    if wish.to_ms is not None and wish.to_ms < wish.from_ms:
        raise out_of_bounds(
            "to_ms", expected=f"at least from_ms, {wish.from_ms}", got=str(wish.to_ms)
        )
    store = call.serving.store
    about = await call.threads.read(lambda: store.library.get(call.transcript))
    sessions = await call.threads.read(lambda: store.sessions.of(call.transcript))
    file = await call.disk.run(lambda: _file(call, wish, sessions))
    if file.span.length > LONGEST:
        raise out_of_bounds(
            "span", expected=f"at most {to_ms(LONGEST)} ms", got=f"{to_ms(file.span.length)} ms"
        )
    tag = f'"{file.tag}"'
    headers = {"accept-ranges": "bytes", "etag": tag}
    if wish.download:
        headers["content-disposition"] = attachment(about.title, ".wav")
    if call.request.method == "HEAD":
        return Response(b"", 200, headers | {"content-length": str(file.size_bytes)}, WAV)
    part = None
    if call.request.headers.get("if-range", tag) == tag:
        part = parse_range(call.request.headers.get("range", ""), file.size_bytes)
    sent = part or ByteRange(0, file.size_bytes)
    headers["content-length"] = str(sent.end - sent.first)
    if part is not None:
        headers["content-range"] = f"bytes {part.first}-{part.end - 1}/{file.size_bytes}"
    status = 200 if part is None else 206
    return StreamingResponse(_pieces(call, file, sent), status, headers, WAV)


def parse_range(header: str, size_bytes: int) -> ByteRange | None:
    """Return the part of a file that a `Range` asks for (RFC 9110, section 14).

    Args:
        header: As it came; several ranges, other units and nonsense count as no wish at all.
        size_bytes: Of the file, at least 1.

    Raises:
        Rejected: There is no such part.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if found[1]:
        first = int(found[1])
        last = min(int(found[2]), size_bytes - 1) if found[2] else size_bytes - 1
        if found[2] and int(found[2]) < first:
            return None
    else:
        first, last = max(size_bytes - int(found[2]), 0), size_bytes - 1
    if first > last:
        raise Rejected(
            416,
            "range_not_satisfiable",
            "The file has no such bytes",
            expected=f"bytes of 0..{size_bytes - 1}",
            got=f"{header:.60}",
            headers={"content-range": f"bytes */{size_bytes}"},
        )
    return ByteRange(first, last + 1)


def _file(call: Call, wish: AudioQuery, sessions: Sequence[Session]) -> WavFile:
    """Look what is recorded, in a thread."""
    if wish.session is not None:
        sessions = tuple(each for each in sessions if each.id == wish.session)
        if not sessions:
            raise unknown("session")
    tracks = [Track.recorded(call.archive, each.id, from_ms(each.offset_ms)) for each in sessions]
    end = None if wish.to_ms is None else from_ms(wish.to_ms)
    return WavFile.cut(tracks, from_ms(wish.from_ms), end)


async def _pieces(call: Call, file: WavFile, part: ByteRange) -> AsyncIterator[bytes]:
    for first in range(part.first, part.end, PIECE_BYTES):
        end = min(first + PIECE_BYTES, part.end)
        yield await call.disk.run(lambda: file.read(first, end))  # noqa: B023 - awaited here


OPERATIONS: tuple[Operation, ...] = (
    with_query(
        About(
            "GET",
            PATH,
            "getAudio",
            "Hear a stretch of a transcript, as long as it is now",
            Role.VIEWER,
            (
                Success(200, "16 kHz, mono, 16 bits", media_types=(WAV,)),
                Success(206, "The bytes that `Range` asked for", media_types=(WAV,)),
            ),
        ),
        AudioQuery,
        audio,
    ),
)
