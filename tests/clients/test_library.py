"""The library lists, searches, makes, changes, exports and deletes what a real server keeps."""

import asyncio
import json
import socket
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import trax_client
from tests.clients.serving import library, page, speak, viewer_link
from trax_client.library import Library

pytestmark = pytest.mark.slow


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """Answer every request with the same bytes; yield the URL."""
    served: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over = asyncio.Event()
        served.append(over)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        over.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        for over in served:
            await over.wait()


def response(status: str, body: str, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", "Connection: close"]
    return "\r\n".join([*head, *headers, "", body]).encode()


async def test_transcript_is_made_found_changed_and_deleted(tmp_path: Path) -> None:
    async with library(tmp_path) as (_, shelf):
        made = await shelf.create("Bürgerrat", "de")
        other = await shelf.create()
        assert {record.id async for record in shelf.transcripts()} == {made.id, other.id}
        changed = await shelf.change(made.id, title="Haushalt", state="closed")
        found = [record async for record in shelf.transcripts("haush")]
        assert found == [changed]
        assert (changed.title, changed.language, changed.state) == ("Haushalt", "de", "closed")
        await shelf.delete(made.id)
        with pytest.raises(trax_client.NotFound) as missing:
            await shelf.get(made.id)
    assert missing.value.code == "not_found"


async def test_list_goes_on_over_pages(tmp_path: Path) -> None:
    async with library(tmp_path) as (_, shelf):
        made = [await shelf.create(f"number {number}") for number in range(53)]
        listed = [record async for record in shelf.transcripts()]
    assert len(listed) == 53
    assert {record.id for record in listed} == {record.id for record in made}


async def test_what_was_said_is_read_heard_and_taken_away(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, shelf):
        made = await shelf.create("Planning")
        await speak(server, made.id)
        details = await shelf.get(made.id)
        reading = await shelf.read(made.id)
        words = await shelf.words(made.id)
        same = await shelf.words(made.id, words[0].pass_id)
        subtitles = await shelf.export(made.id, "srt")
        await shelf.save_audio(made.id, tmp_path / "all.wav")
        (session,) = details.sessions
        await shelf.save_audio(
            made.id, tmp_path / "part.wav", from_ms=1_000, to_ms=2_500, session=session.id
        )
    assert details.record.title == "Planning"
    assert details.record.duration_ms >= 3_900
    assert [turn.text.strip() for turn in reading.turns] == ["Hello there.", "Good morning."]
    assert reading.turns[0].start_ms is not None
    assert {turn.speaker for turn in reading.turns} == {named.id for named in reading.speakers}
    assert [word.text.strip() for word in words] == ["Hello", "there.", "Good", "morning."]
    assert same == words
    assert "Good morning." in subtitles.decode()
    with wave.open(str(tmp_path / "part.wav")) as part:
        assert (part.getframerate(), part.getnframes()) == (16_000, 24_000)
    with wave.open(str(tmp_path / "all.wav")) as whole:
        assert whole.getnframes() >= 5 * 16_000


async def test_refusals_are_typed(tmp_path: Path) -> None:
    async with library(tmp_path) as (server, shelf):
        made = await shelf.create()
        with pytest.raises(trax_client.Unauthorized):
            await Library(page(server, "wrong")).get(made.id)
        reader = Library(page(server, await viewer_link(server, made.id)))
        assert (await reader.get(made.id)).record == made
        with pytest.raises(trax_client.Forbidden, match="owner"):
            await reader.delete(made.id)
        with pytest.raises(trax_client.Refused) as refused:
            await shelf.create("one\ntwo")
    assert refused.value.code == "invalid"


async def test_no_server_is_unreachable() -> None:
    with pytest.raises(trax_client.ServerUnreachable, match="127"):
        await Library("http://127.0.0.1:9").create()


async def test_silent_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # which nobody accepts from
        port = listener.getsockname()[1]
        with pytest.raises(trax_client.ServerUnreachable, match="timed out"):
            await Library(f"http://127.0.0.1:{port}", timeout_s=0.1).create()


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (response("200 OK", "<html>"), "JSON"),
        (response("200 OK", "[]"), "JSON object"),
        (response("200 OK", '{"id": 1}'), "text"),
        (response("502 Bad Gateway", "<html>"), "HTTP status 502"),
        (response("302 Found", "", "Location: http://127.0.0.1:9/"), "HTTP status 302"),
    ],
)
async def test_another_server_is_no_server_of_ours(answer: bytes, what: str) -> None:
    async with answering(answer) as url:
        with pytest.raises(trax_client.ProtocolViolation, match=what):
            await Library(url).create()


async def test_words_of_another_form_are_refused() -> None:
    answer = response("200 OK", '{"passes": [{"id": "p", "words": [["a", 1]]}], "next": null}')
    async with answering(answer) as url:
        with pytest.raises(trax_client.ProtocolViolation, match="another form"):
            await Library(url).words("t")


async def test_a_job_that_failed_says_why_to_programs_too() -> None:
    job = {"id": "j", "kind": "upload", "state": "failed", "progress": 0, "session": "s"}
    body = json.dumps(job | {"error": {"code": "no_audio", "message": "There is no sound"}})
    async with answering(response("200 OK", body)) as url:
        told = await Library(url).job("t", "j")
    assert (told.error, told.error_code, told.over) == ("There is no sound", "no_audio", True)


async def test_overload_says_when_to_come_again() -> None:
    body = '{"error": {"code": "unavailable", "message": "m", "expected": "e", "got": "g"}}'
    answer = response("503 Service Unavailable", body, "Retry-After: 2")
    async with answering(answer) as url:
        with pytest.raises(trax_client.Unavailable) as full:
            await Library(url).create()
    assert (full.value.retry, full.value.retry_after_s) == (True, 2.0)
