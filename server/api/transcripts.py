"""Operations on transcripts as a whole: make, list, look at, change, delete.

Title, language and state stand in two places: in the document, where editors see and change them
live, and in the storage, where lists and searches find them. A change is made in the document
first; what people type there wins wherever one transcript is looked at.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from starlette.responses import Response

from offline.jobs import Job
from server.access import Role
from server.api.answers import (
    JobProgress,
    ListedTranscript,
    PassAnswer,
    SessionAnswer,
    TranscriptAnswer,
    TranscriptPage,
    TranscriptRow,
    write,
)
from server.api.errors import Rejected
from server.api.jobs import answer_failure
from server.api.links import answer_links
from server.api.operation import About, Call, Operation, Success, with_body, with_query
from server.api.reading import copy, language_of, length_ms, name_speakers, title_of
from server.api.requests import Changes, Listing, NewTranscript, Nothing
from server.errors import RoomClosed
from server.room import Room
from server.storage.values import Cursor, Pass, Session, Transcript, TranscriptState
from server.transcripts import Transcripts
from streaming.core.domain import to_ms

PATH = "/v1/transcripts"
ONE = f"{PATH}/{{transcript}}"

_LOCATION = "Where it is stands in `Location`"


async def create(call: Call, wish: NewTranscript) -> Response:
    """Make a transcript."""
    transcripts = Transcripts(call.serving.store, call.threads, call.serving.rooms)
    made = await transcripts.create(title=wish.title, language=wish.language)
    about = await call.threads.read(lambda: call.serving.store.library.get(made))
    return write(_row(about), status=201, location=f"{PATH}/{made}")


async def listing(call: Call, wish: Listing) -> Response:
    """List transcripts, the one that changed last first."""
    query = wish.q if wish.q and wish.q.strip() else None  # A search field that was cleared.
    after = None if wish.cursor is None else Cursor.parse(wish.cursor)
    store = call.serving.store
    page = await call.threads.read(
        lambda: store.library.page(query=query, after=after, limit=wish.limit)
    )
    newest = await call.threads.read(
        lambda: store.jobs.newest(each.id for each in page.transcripts)
    )
    following = None
    if page.following is not None:
        fields = {"limit": str(wish.limit), "cursor": str(page.following)}
        if query is not None:
            fields["q"] = query
        following = f"{PATH}?{urlencode(fields)}"
    listed = [_listed(each, newest.get(each.id)) for each in page.transcripts]
    return write(TranscriptPage(transcripts=listed, next=following))


async def look_at(call: Call, _query: Nothing) -> Response:
    """Answer all about a transcript, except for what it says."""
    store, name = call.serving.store, call.transcript
    about, sessions, passes = await call.threads.read(
        lambda: (store.library.get(name), store.sessions.of(name), store.passes.of(name))
    )
    links = await answer_links(call) if call.role is Role.OWNER else None
    taken = await copy(call)
    reading = await call.workbench.run(taken.read)
    running = {session.id for session in call.serving.sessions.running}
    row = _row(about).model_dump() | {
        "title": reading.title,
        "language": reading.language,
        "duration_ms": length_ms(about, sessions),
    }
    return write(
        TranscriptAnswer(
            **row,
            role=call.role.value,
            speakers=name_speakers(reading.speakers),
            sessions=[_session(each, live=each.id in running) for each in sessions],
            passes=[*map(_pass, passes)],
            links=links,
        )
    )


async def change(call: Call, wish: Changes) -> Response:
    """Change title, language or state, for everybody who has the transcript open too."""
    if wish.state is not None and call.role is not Role.OWNER:
        raise Rejected(
            403,
            "forbidden",
            "This token does not allow to set the state",
            expected=f"the role {Role.OWNER}",
            got=f"the role {call.role}",
        )
    rooms, library = call.serving.rooms, call.serving.store.library
    async with rooms.enter(call.transcript) as room, room.changing:
        document = room.transcript
        for key, value in wish.model_dump(exclude_unset=True).items():
            room.commit(document.put_meta(key, value))
        # The list learns what people typed meanwhile as well.
        title, language = title_of(document), language_of(document)
        await _committed(call, room)
        changed = await call.threads.write(
            lambda: library.change(
                call.transcript,
                title=title,
                language=language,
                state=None if wish.state is None else TranscriptState(wish.state),
            )
        )
    return write(_row(changed))


async def remove(call: Call, _query: Nothing) -> Response:
    """Delete a transcript with everything that hangs on it, recordings too."""
    for session in await call.serving.rooms.delete(call.transcript):
        # Should this fail, the sweep of recordings does it later.
        await call.disk.run(lambda: call.archive.remove(session))  # noqa: B023
    return Response(status_code=204)


async def _committed(call: Call, room: Room) -> None:
    """Wait until what was written is committed.

    Raises:
        RoomClosed: It never will be.
    """
    closed = asyncio.create_task(call.serving.rooms.closed(call.transcript, room))
    idle = asyncio.create_task(room.idle())
    await asyncio.wait({closed, idle}, return_when=asyncio.FIRST_COMPLETED)
    done = idle.done()
    closed.cancel()
    idle.cancel()
    if not done:
        raise RoomClosed("an open room expected")


def _row(about: Transcript) -> TranscriptRow:
    return TranscriptRow(
        id=about.id,
        title=about.title,
        language=about.language,
        state=about.state.value,
        created_ms=about.created_ms,
        updated_ms=about.updated_ms,
        started_ms=about.started_ms,
        duration_ms=about.duration_ms,
        sync=f"{PATH}/{about.id}/sync",
    )


def _listed(about: Transcript, job: Job | None) -> ListedTranscript:
    progress = None
    if job is not None:
        progress = JobProgress(
            id=job.id,
            kind=job.task.kind.value,
            state=job.state.value,
            progress=job.progress,
            error=answer_failure(job),
        )
    return ListedTranscript(**_row(about).model_dump(), job=progress)


def _session(session: Session, *, live: bool) -> SessionAnswer:
    return SessionAnswer(
        id=session.id,
        offset_ms=session.offset_ms,
        duration_ms=to_ms(session.samples),
        microphone=session.microphone,
        person=session.person,
        live=live,
    )


def _pass(heard: Pass) -> PassAnswer:
    return PassAnswer(
        id=heard.id,
        session=heard.session,
        kind=heard.kind.value,
        state=heard.state.value,
        words=heard.words,
        created_ms=heard.created_ms,
    )


_ROW = Success(200, "The transcript", TranscriptRow)

OPERATIONS: tuple[Operation, ...] = (
    with_body(
        About(
            "POST",
            PATH,
            "createTranscript",
            "Make an empty transcript whose clock begins now",
            Role.OWNER,
            (Success(201, _LOCATION, TranscriptRow),),
        ),
        NewTranscript,
        create,
    ),
    with_query(
        About(
            "GET",
            PATH,
            "listTranscripts",
            "List or search transcripts, the one that changed last first",
            Role.OWNER,
            (Success(200, "A page of the list", TranscriptPage),),
        ),
        Listing,
        listing,
    ),
    with_query(
        About(
            "GET",
            ONE,
            "getTranscript",
            "Everything about a transcript, except for what it says",
            Role.VIEWER,
            (Success(200, "The transcript", TranscriptAnswer),),
        ),
        Nothing,
        look_at,
    ),
    with_body(
        About(
            "PATCH",
            ONE,
            "changeTranscript",
            "Change title, language or state",
            Role.EDITOR,
            (_ROW,),
        ),
        Changes,
        change,
    ),
    with_query(
        About(
            "DELETE",
            ONE,
            "deleteTranscript",
            "Delete a transcript, its words and its recordings, for ever",
            Role.OWNER,
            (Success(204, "It is gone", media_types=()),),
        ),
        Nothing,
        remove,
    ),
)
