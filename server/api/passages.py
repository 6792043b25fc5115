"""The operation that has a passage heard once more, perhaps by another model."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from starlette.responses import Response

from offline.jobs import JobKind, Task
from server.access import Role
from server.api.answers import PassageJobs, write
from server.api.errors import Rejected, out_of_bounds, unknown
from server.api.jobs import answer_jobs
from server.api.operation import About, Call, Operation, Success, with_body
from server.api.requests import Passage
from server.api.uploads import allowed_model, idempotency_key, known_language, tells_apart
from server.errors import UploadFault
from server.recordings import SAMPLE_BYTES
from server.storage.jobs import NewJob
from streaming.core.domain import Samples, to_ms

PATH = "/v1/transcripts/{transcript}/retranscribe"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of one session, on its own clock."""

    session: str
    start_ms: int
    end_ms: int


async def retranscribe(call: Call, wish: Passage) -> Response:
    """Make a job for each session that has audio in the passage."""
    if wish.to_ms <= wish.from_ms:
        raise out_of_bounds(
            "to_ms", expected=f"more than from_ms, {wish.from_ms}", got=str(wish.to_ms)
        )
    model, key = allowed_model(call, wish.model), idempotency_key(call.request.headers)
    language = known_language(call, wish.language)
    await call.threads.read(lambda: call.serving.store.library.get(call.transcript))
    if key is not None:
        await call.threads.read(lambda: _check_same(call, wish, key))
    stretches = await call.threads.read(lambda: _stretches(call, wish))
    if not stretches:
        raise out_of_bounds("span", expected="one in which something is recorded", got="silence")
    jobs = []
    for each in stretches:
        task = Task(
            kind=JobKind.PASSAGE,
            transcript=call.transcript,
            session=each.session,
            start_ms=each.start_ms,
            end_ms=each.end_ms,
            model=model,
            language=language,
            hotwords=tuple(wish.hotwords),
            diarization=tells_apart(call, wish.diarization),
            suggests=wish.result == "suggestion",
        )
        jobs.append(await call.serving.jobs.submit(NewJob(task, _key(wish, key, each.session))))
    return write(PassageJobs(jobs=await answer_jobs(call, jobs)), status=202)


def _stretches(call: Call, wish: Passage) -> list[Stretch]:
    """Look what is recorded of a passage, in a thread."""
    sessions = call.serving.store.sessions.of(call.transcript)
    if wish.session is not None:
        sessions = tuple(each for each in sessions if each.id == wish.session)
        if not sessions:
            raise unknown("session")
    found: list[Stretch] = []
    for each in sessions:
        samples = Samples(call.archive.size_bytes(each.id) // SAMPLE_BYTES)
        start_ms = max(0, wish.from_ms - each.offset_ms)
        end_ms = min(wish.to_ms - each.offset_ms, to_ms(samples))
        if start_ms < end_ms:
            found.append(Stretch(each.id, start_ms, end_ms))
    return found


def _key(wish: Passage, key: str | None, session: str) -> str | None:
    """Return the key of a job: whose it is, and what was asked for."""
    return None if key is None else f"{_prefix(key)}{_request(wish)}:{session}"


def _prefix(key: str) -> str:
    return f"passage:{sha256(key.encode()).hexdigest()}:"


def _request(wish: Passage) -> str:
    """Return what was asked for: the span, which may be shown, and a digest of all of it."""
    digest = sha256(wish.model_dump_json().encode()).hexdigest()
    return f"{wish.from_ms}..{wish.to_ms}:{digest}"


def _check_same(call: Call, wish: Passage, key: str) -> None:
    """Refuse a key under which something else was asked for, in a thread."""
    prefix, request = _prefix(key), _request(wish)
    for known in call.serving.store.jobs.keys(call.transcript, prefix):
        before = known.removeprefix(prefix).rpartition(":")[0]
        if before != request:
            span = before.partition(":")[0]
            raise Rejected(
                422,
                UploadFault.KEY_REUSED.value,
                "The Idempotency-Key was used before",
                expected=f"the same request as before, about {span} ms",
                got=f"another one, about {wish.from_ms}..{wish.to_ms} ms",
            )


OPERATIONS: tuple[Operation, ...] = (
    with_body(
        About(
            "POST",
            PATH,
            "retranscribe",
            "Have a passage heard once more: words that nobody touched are replaced, for others, "
            "or for all of them, there are suggestions",
            Role.EDITOR,
            (Success(202, "One job for each session with audio there", PassageJobs),),
        ),
        Passage,
        retranscribe,
    ).heeding_keys(),
)
