"""Jobs over HTTP: asked for, listed, followed to their end, cancelled and tried again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from offline.jobs import Failure, FailureCode, JobKind, Task
from server.lifecycle import Serving
from server.recordings import unix_ms
from server.storage.jobs import NewJob
from tests.server.api.asking import Reply, ask, ask_until, linked, made, pages, spoken
from tests.server.recording_files import wav
from tests.server.talking import DEADLINE_S, TOKEN, Running, running, samples, talk

pytestmark = pytest.mark.slow  # children are started to hear

TONE = wav(samples(2.0))


def serving(server: Running) -> Serving:
    return server.app._lifecycle.serving()


async def uploaded(server: Running, path: str, content: bytes = TONE) -> str:
    """Send a recording; return the path of its job."""
    reply = await ask(server, "POST", f"{path}/audio?language=en", content)
    assert reply.status == 202, reply.content
    return reply.headers["location"]


def heard(reply: Reply) -> bool:
    return bool(reply.json["state"] in ("heard", "done"))


async def waiting(server: Running, path: str) -> str:
    """Make a job that nobody does for now; return its path."""
    task = Task(JobKind.PASSAGE, path.rpartition("/")[2], "unknown1")
    store, bounds = serving(server).store, serving(server).jobs._bounds
    job = await asyncio.to_thread(lambda: store.jobs.submit(NewJob(task), bounds))
    return f"{path}/jobs/{job.id}"


@dataclass
class Event:
    """A server-sent event."""

    name: str
    id: str
    job: dict[str, object]


@asynccontextmanager
async def following(
    server: Running, job: str, *lines: str, token: str = TOKEN
) -> AsyncIterator[tuple[bytes, AsyncIterator[Event]]]:
    """Read the events of a job as a browser does; yield the head of the answer, and the events."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    fields = [f"GET {job}/events?token={token} HTTP/1.1", "Host: localhost", *lines, "\r\n"]
    writer.write("\r\n".join(fields).encode())
    async with asyncio.timeout(DEADLINE_S):
        head = await reader.readuntil(b"\r\n\r\n")
        yield head, _events(reader)
    writer.close()


async def _events(reader: asyncio.StreamReader) -> AsyncIterator[Event]:
    while size := int(await reader.readline(), 16):
        content = (await reader.readexactly(size + 2)).decode()
        fields = dict(line.split(": ", 1) for line in content.split("\r\n") if ": " in line)
        if "data" in fields:
            yield Event(fields["event"], fields["id"], json.loads(fields["data"]))


async def test_a_file_is_decoded_and_heard(tmp_path: Path) -> None:
    async with running(tmp_path, talk(3), passes=None) as server:
        path = await made(server)
        job = await uploaded(server, path)
        reply = await ask_until(server, job, heard)
        audio = await ask(server, "GET", f"{path}/audio")
        (session,) = (await ask(server, "GET", path)).json["sessions"]
        folder = server.data_dir / "sessions" / session["id"]
        files = sorted(file.name for file in folder.iterdir())

    assert reply.json["error"] is None
    assert audio.content[44:] == samples(2.0)
    assert files == ["audio.pcm", "session.json", "unpacked.json"]


async def test_a_file_that_no_pass_hears_fails_rather_than_seem_silent(tmp_path: Path) -> None:
    async with running(tmp_path, talk(3)) as server:
        path = await made(server)
        job = await uploaded(server, path)
        reply = await ask_until(server, job, lambda reply: bool(reply.json["error"]))

    assert reply.json["state"] == "failed"
    expected = "passes: a stage of the moment recording expected, got none"
    assert reply.json["error"] == {"code": "unsupported", "message": expected}


async def test_what_of_a_file_was_lost_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, talk(3), passes=None) as server:
        path = await made(server)
        job = await uploaded(server, path, wav(samples(2.0), said_bytes=10 * 32_000))
        reply = await ask_until(server, job, heard)

    assert reply.json["file"]["damage"] == "the file breaks off 8 s before its end"


async def test_a_job_is_followed_to_its_end(tmp_path: Path) -> None:
    async with running(tmp_path, talk(3), passes=None) as server:
        path = await made(server)
        job = await uploaded(server, path)
        async with following(server, job) as (head, events):
            seen = []
            async for event in events:
                seen.append(event)
                if event.job["state"] == "heard":
                    store = serving(server).store
                    await asyncio.to_thread(store.jobs.applied, str(event.job["id"]), None)
        last = seen[-1]
        again = await ask(server, "GET", f"{job}/events", last_event_id=last.id)
        anew = await ask(server, "GET", f"{job}/events")

    assert b"text/event-stream" in head
    assert [event.job["state"] for event in seen[-2:]] == ["heard", "done"]
    assert last.name == "job"
    assert last.job["progress"] == 1000
    assert (again.status, again.content) == (204, b"")
    assert b'"state":"done"' in anew.content


async def test_who_follows_is_let_go_when_the_server_stops(tmp_path: Path) -> None:
    async with running(tmp_path, talk(3)) as server:
        path = await made(server)
        job = await waiting(server, path)
        async with following(server, job) as (_, events):
            async for _ in events:
                await server.app.drain()


@pytest.mark.parametrize("end", ["revoked", "expired"])
async def test_who_follows_a_job_by_a_link_is_let_go_with_it(tmp_path: Path, end: str) -> None:
    async with running(tmp_path, talk(3)) as server:
        path = await made(server)
        job = await waiting(server, path)
        lasting = {} if end == "revoked" else {"expires_ms": unix_ms() + 2_000}
        link = (await ask(server, "POST", f"{path}/links", {"role": "viewer", **lasting})).json
        async with following(server, job, token=link["token"]) as (_, events):
            seen = [await anext(events)]
            if end == "revoked":
                await ask(server, "DELETE", f"{path}/links/{link['id']}")
            seen += [event async for event in events]
        after = await ask(server, "GET", job)

    assert [event.job["state"] for event in seen] == ["waiting"]
    assert after.json["state"] == "waiting"


async def test_who_follows_a_job_is_let_go_when_it_goes_with_its_transcript(tmp_path: Path) -> None:
    async with running(tmp_path, talk(3)) as server:
        path = await made(server)
        job = await waiting(server, path)
        async with following(server, job) as (_, events):
            async for _ in events:
                await ask(server, "DELETE", path)


async def test_a_job_is_cancelled(tmp_path: Path) -> None:
    async with running(tmp_path, talk(3)) as server:
        path = await made(server)
        job = await waiting(server, path)
        cancelled = await ask(server, "POST", f"{job}/cancel")
        again = await ask(server, "POST", f"{job}/cancel")
        retried = await ask(server, "POST", f"{job}/retry")

    assert (cancelled.status, cancelled.json["state"]) == (200, "cancelled")
    assert again.json == cancelled.json
    assert (retried.status, retried.code) == (409, "conflict")
    assert retried.json["error"]["message"] == "The job is in another state"
    assert retried.json["error"]["expected"] == "one that failed"
    assert retried.json["error"]["got"] == "one that is cancelled"


async def test_a_job_that_failed_is_tried_again(tmp_path: Path) -> None:
    async with running(tmp_path, talk(3), passes=None) as server:
        path = await made(server)
        job = await uploaded(server, path)
        await ask_until(server, job, heard)
        failure = Failure(FailureCode.REJECTED, "a document expected, got none", retry=False)
        name = job.rpartition("/")[2]
        await asyncio.to_thread(serving(server).store.jobs.reject, name, failure)
        failed = await ask(server, "GET", job)
        retried = await ask(server, "POST", f"{job}/retry")

    assert failed.json["error"] == {"code": "rejected", "message": "a document expected, got none"}
    assert retried.json["id"] == name
    assert (retried.status, retried.json["state"]) == (202, "waiting")


async def test_jobs_are_listed_by_page_and_by_transcript(tmp_path: Path) -> None:
    async with running(tmp_path, talk(3)) as server:
        path, other = await made(server), await made(server)
        jobs = [await waiting(server, path) for _ in range(3)]
        listed = await pages(server, f"{path}/jobs?limit=2")
        name = jobs[0].rpartition("/")[2]
        elsewhere = [
            await ask(server, "GET", f"{other}/jobs/{name}"),
            await ask(server, "POST", f"{other}/jobs/{name}/cancel"),
            await ask(server, "GET", f"{other}/jobs/{name}/events"),
            await ask(server, "GET", f"{path}/jobs/unknown"),
            await ask(server, "GET", "/v1/transcripts/unknown/jobs"),
        ]

    assert [len(page["jobs"]) for page in listed] == [2, 1]
    found = {job["id"] for page in listed for job in page["jobs"]}
    assert found == {job.rpartition("/")[2] for job in jobs}
    assert {(reply.status, reply.code) for reply in elsewhere} == {(404, "not_found")}


async def test_a_passage_is_heard_once_more(tmp_path: Path) -> None:
    async with running(tmp_path, talk(6), passes=None) as server:
        path = await spoken(server, 4.0)
        job = (await ask(server, "POST", f"{path}/audio?at_ms=1000", TONE)).json
        await ask_until(server, f"{path}/jobs/{job['id']}", heard)
        sessions = {s["id"]: s for s in (await ask(server, "GET", path)).json["sessions"]}
        wish = {
            "from_ms": 500,
            "to_ms": 2_500,
            "language": "en",
            "hotwords": ["Trax"],
            "model": "whisper-base",
        }
        both = await ask(server, "POST", f"{path}/retranscribe", wish)
        alone = {"session": job["session"], "as": "suggestion"}
        one = await ask(server, "POST", f"{path}/retranscribe", wish | alone)
        usual = serving(server).store.jobs.get(both.json["jobs"][0]["id"]).task
        task = serving(server).store.jobs.get(one.json["jobs"][0]["id"]).task

    assert both.status == 202
    spans = {each["session"]: (each["from_ms"], each["to_ms"]) for each in both.json["jobs"]}
    live = next(name for name in sessions if name != job["session"])
    begin = sessions[live]["offset_ms"]
    assert spans == {live: (max(500, begin), 2_500), job["session"]: (1_000, 2_500)}
    assert len(one.json["jobs"]) == 1
    assert (task.kind, task.start_ms, task.end_ms) == (JobKind.PASSAGE, 0, 1_500)
    assert (usual.suggests, task.suggests) == (False, True)
    assert (task.model, task.hotwords) == ("whisper-base", ("Trax",))


async def test_a_passage_under_a_key_is_asked_for_once(tmp_path: Path) -> None:
    async with running(tmp_path, talk(6), passes=None) as server:
        path = await spoken(server, 1.0)
        wish = {"from_ms": 0, "to_ms": 60_000}
        first, second, third = [
            await ask(server, "POST", f"{path}/retranscribe", wish, idempotency_key=key)
            for key in ("k-1", "k-1", "k-2")
        ]

    assert first.json["jobs"][0]["id"] == second.json["jobs"][0]["id"]
    assert first.json["jobs"][0]["id"] != third.json["jobs"][0]["id"]


async def test_a_key_of_another_passage_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, talk(6), passes=None) as server:
        path = await spoken(server, 1.0)
        wish = {"from_ms": 0, "to_ms": 60_000}
        changes: tuple[dict[str, object], ...] = ({}, {"to_ms": 500}, {"hotwords": ["Trax"]})
        first, span, words = [
            await ask(server, "POST", f"{path}/retranscribe", wish | change, idempotency_key="k-1")
            for change in changes
        ]

    assert first.status == 202
    assert [(reply.status, reply.code) for reply in (span, words)] == [(422, "key_reused")] * 2
    error = span.json["error"]
    assert error["expected"] == "the same request as before, about 0..60000 ms"
    assert error["got"] == "another one, about 0..500 ms"


async def test_a_passage_in_which_nothing_is_recorded_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, talk(6), passes=None) as server:
        path = await made(server)
        refused = [
            await ask(server, "POST", f"{path}/retranscribe", {"from_ms": 0, "to_ms": 1_000}),
            await ask(server, "POST", f"{path}/retranscribe", {"from_ms": 5, "to_ms": 5}),
        ]
        wish = {"from_ms": 0, "to_ms": 1_000, "session": "00000000"}
        unknown = await ask(server, "POST", f"{path}/retranscribe", wish)

    assert [(reply.status, reply.code) for reply in refused] == [(422, "invalid")] * 2
    assert unknown.status == 404


async def test_viewers_read_jobs_and_editors_end_them(tmp_path: Path) -> None:
    async with running(tmp_path, talk(3)) as server:
        path = await made(server)
        job = await waiting(server, path)
        viewer, editor = await linked(server, path, "viewer"), await linked(server, path, "editor")

        async def ask_as(token: str, method: str, at: str, body: object = None) -> int:
            return (await ask(server, method, at, body, token=token)).status

        wish = {"from_ms": 0, "to_ms": 1}
        assert await ask_as(viewer, "GET", f"{path}/jobs") == 200
        assert await ask_as(viewer, "GET", job) == 200
        assert await ask_as(viewer, "POST", f"{job}/cancel") == 403
        assert await ask_as(viewer, "POST", f"{job}/retry") == 403
        assert await ask_as(viewer, "POST", f"{path}/retranscribe", wish) == 403
        assert await ask_as(editor, "POST", f"{path}/retranscribe", wish | {"model": "any"}) == 403
        assert await ask_as(editor, "POST", f"{job}/cancel") == 200


async def test_the_list_of_transcripts_tells_how_far_the_newest_job_of_each_is(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, talk(1)) as server:
        heard, unheard = await made(server), await made(server)
        job = await waiting(server, heard)
        await ask(server, "POST", f"{job}/cancel")
        newest = await waiting(server, heard)
        rows = (await ask(server, "GET", "/v1/transcripts")).json["transcripts"]

    jobs = {f"/v1/transcripts/{row['id']}": row["job"] for row in rows}
    assert jobs == {
        unheard: None,
        heard: {
            "id": newest.rpartition("/")[2],
            "kind": "passage",
            "state": "waiting",
            "progress": 0,
            "error": None,
        },
    }
