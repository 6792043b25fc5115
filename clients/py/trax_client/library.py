"""The transcripts that a server keeps: list, search, make, fill, change, export and delete them.

    library = Library()
    async for record in library.transcripts("budget"):
        ...

Requests are made by `urllib` in threads: it speaks all of HTTP, finds proxies and costs a program
that transcribes speech no further dependency. There are few of these requests and none is urgent;
what is live goes over WebSockets.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Literal
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from trax_client.address import TRANSCRIPTS_PATH, find_address
from trax_client.errors import ProtocolViolation, ServerUnreachable, TraxError, session_error
from trax_client.events import Error
from trax_client.fields import Fields, kind
from trax_client.records import HeardWord, Job, Reading, TranscriptDetails, TranscriptRecord
from trax_client.uploading import PatientHTTP, PatientHTTPS, Told, Upload

ExportFormat = Literal["json", "txt", "srt", "vtt", "md", "docx", "rttm"]
State = Literal["live", "closed"]

SERVER_AT_FAULT = 500


class _NoRedirects(HTTPRedirectHandler):
    """Follows nobody elsewhere: `urllib` would take the token along."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Make an error of a redirect."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """How a recording or a passage is to be heard.

    Attributes:
        language: ISO 639-1 code; `None` to detect it.
        model: Which recognizer; `None` for the server's choice.
        hotwords: Words to favour.
        diarization: Whether speakers are told apart.
    """

    language: str | None = None
    model: str | None = None
    hotwords: Sequence[str] = ()
    diarization: bool = True

    def as_query(self) -> dict[str, str]:
        """Return what differs from the defaults, for a query."""
        given = {"language": self.language, "model": self.model}
        asked = {name: value for name, value in given.items() if value is not None}
        if self.hotwords:
            asked["hotwords"] = ",".join(self.hotwords)
        if not self.diarization:
            asked["diarization"] = "0"
        return asked

    def as_fields(self) -> dict[str, object]:
        """Return all of it, for a body."""
        return {
            "language": self.language,
            "model": self.model,
            "hotwords": list(self.hotwords),
            "diarization": self.diarization,
        }


AS_IT_IS = Hearing()

LONGEST_NAME = 200
"""Characters of a file's name that a server takes."""


class Library:
    """The transcripts of one server; holds no connection, so that there is nothing to close.

    A wait that is cancelled leaves its request to finish in its thread. Methods raise

        ServerUnreachable: There is no connection, or it does not answer.
        Unauthorized, Forbidden: Wrong token, or one that does not allow it.
        NotFound: There is none of that id.
        SessionError: The server refused otherwise, with `code`, `expected` and `got`.
        ProtocolViolation: What answered is no server of ours.
    """

    def __init__(
        self, url: str | None = None, token: str | None = None, *, timeout_s: float = 30.0
    ) -> None:
        """Say where the server is, as for `connect`.

        Args:
            url: Default: `TRAX_URL`, else this machine's port 8000.
            token: Default: the URL's `?token=`, else `TRAX_TOKEN`.
            timeout_s: How long the server may say nothing.

        Raises:
            ValueError: On a URL that is none.
        """
        self._address = find_address(url, token, os.environ)
        self._timeout_s = timeout_s
        proxies = ProxyHandler({} if self._address.loopback else None)
        self._opener = build_opener(proxies, _NoRedirects, PatientHTTP, PatientHTTPS)

    async def transcripts(self, query: str | None = None) -> AsyncIterator[TranscriptRecord]:
        """Iterate over the transcripts, the one that changed last first.

        Args:
            query: Only those with these words, or beginnings of words, in title or text.
        """
        asked = {} if query is None else {"q": query}
        path: str | None = _with_query(TRANSCRIPTS_PATH, asked)
        while path is not None:
            page = await self._ask("GET", path)
            for row in page.items("transcripts"):
                yield TranscriptRecord.read(row)
            path = page.text_or_none("next")

    async def create(self, title: str = "", language: str | None = None) -> TranscriptRecord:
        """Make an empty transcript, whose clock begins now."""
        wish = {"title": title, "language": language}
        return TranscriptRecord.read(await self._ask("POST", TRANSCRIPTS_PATH, wish))

    async def get(self, transcript: str) -> TranscriptDetails:
        """Return all about a transcript, except for what it says."""
        return TranscriptDetails.read(await self._ask("GET", _path(transcript)))

    async def read(self, transcript: str) -> Reading:
        """Return what a transcript says now, with the times at which it was said."""
        return Reading.read(await self._ask("GET", _path(transcript, "turns")))

    async def change(
        self,
        transcript: str,
        *,
        title: str | None = None,
        language: str | None = None,
        state: State | None = None,
    ) -> TranscriptRecord:
        """Change what is not `None`, for everybody who has the transcript open too."""
        wish = {"title": title, "language": language, "state": state}
        changes = {name: value for name, value in wish.items() if value is not None}
        return TranscriptRecord.read(await self._ask("PATCH", _path(transcript), changes))

    async def delete(self, transcript: str) -> None:
        """Delete a transcript with its words and its recordings, for ever."""
        await self._request("DELETE", _path(transcript))

    async def words(self, transcript: str, pass_id: str | None = None) -> tuple[HeardWord, ...]:
        """Return the words of one pass, or of all live ones, as they were heard."""
        asked = {} if pass_id is None else {"pass": pass_id}
        path: str | None = _with_query(_path(transcript, "words"), asked)
        heard: list[HeardWord] = []
        while path is not None:
            page = await self._ask("GET", path)
            for one in page.items("passes"):
                heard += (_word(one.text("id"), row) for row in one.value("words", list))
            path = page.text_or_none("next")
        return tuple(heard)

    async def export(self, transcript: str, file_format: ExportFormat) -> bytes:
        """Return the transcript as a file of a format: what people edited, with its times."""
        path = _with_query(_path(transcript, "export"), {"format": file_format})
        return await self._request("GET", path)

    async def save_audio(
        self,
        transcript: str,
        file: Path,
        *,
        from_ms: int = 0,
        to_ms: int | None = None,
        session: str | None = None,
    ) -> None:
        """Write a stretch of the recording to a file: WAV, 16 kHz, mono, 16 bits.

        Args:
            transcript: Its id.
            file: Replaced if it is there.
            from_ms: On the transcript's clock.
            to_ms: Default: the end of what is recorded.
            session: One microphone's alone; default: all of them mixed.

        Raises:
            OSError: The file cannot be written.
        """
        asked = {"from_ms": str(from_ms)}
        if to_ms is not None:
            asked["to_ms"] = str(to_ms)
        if session is not None:
            asked["session"] = session
        request = self._made("GET", _with_query(_path(transcript, "audio"), asked), None)
        await asyncio.to_thread(self._fetch, request, file)

    async def upload(
        self,
        transcript: str,
        source: Path | bytes,
        *,
        name: str | None = None,
        at_ms: int | None = None,
        hearing: Hearing = AS_IT_IS,
        told: Told | None = None,
    ) -> Job:
        """Send a recording of any usual format to a transcript; return the job that hears it.

        The same recording again gives the same job; once it was heard, another `hearing` begins a
        new one. A wait that is cancelled ends the sending, and nothing of the recording stays on
        the server.

        Args:
            transcript: Its id.
            source: The file, or its content.
            name: What it is called; default: as the file is.
            at_ms: Where on the transcript's clock it begins; default: behind all that is recorded.
            hearing: How it is to be heard.
            told: Told how many bytes of how many were sent, in another thread.

        Raises:
            OSError: The file cannot be read.
        """
        asked = hearing.as_query()
        if isinstance(source, Path):
            name = name or source.name
        if name is not None:
            asked["filename"] = name[:LONGEST_NAME]
        if at_ms is not None:
            asked["at_ms"] = str(at_ms)
        content = await asyncio.to_thread(Upload, source, told)
        request = self._made("POST", _with_query(_path(transcript, "audio"), asked), None)
        request.add_header("Content-Type", "application/octet-stream")
        request.add_header("Content-Length", str(content.size_bytes))
        request.data = content
        try:
            return Job.read(_parse(await asyncio.to_thread(self._fetch, request)))
        except asyncio.CancelledError:
            content.stop()
            raise

    async def jobs(self, transcript: str) -> AsyncIterator[Job]:
        """Iterate over what is heard of a transcript once more, the newest first."""
        path: str | None = _path(transcript, "jobs")
        while path is not None:
            page = await self._ask("GET", path)
            for row in page.items("jobs"):
                yield Job.read(row)
            path = page.text_or_none("next")

    async def job(self, transcript: str, job: str) -> Job:
        """Return a job as it is now."""
        return Job.read(await self._ask("GET", _job_path(transcript, job)))

    async def watch(self, transcript: str, job: str, *, every_s: float = 1.0) -> AsyncIterator[Job]:
        """Iterate over a job as it is, and whenever it is further, until it is over.

        Args:
            transcript: Its id.
            job: The job's id.
            every_s: How often the server is asked.
        """
        before: Job | None = None
        while before is None or not before.over:
            if before is not None:
                await asyncio.sleep(every_s)
            now = await self.job(transcript, job)
            if now != before:
                yield now
            before = now

    async def cancel(self, transcript: str, job: str) -> Job:
        """End a job; what it heard is dropped."""
        return Job.read(await self._ask("POST", _job_path(transcript, job, "/cancel")))

    async def retry(self, transcript: str, job: str) -> Job:
        """Have a job that failed done once more."""
        return Job.read(await self._ask("POST", _job_path(transcript, job, "/retry")))

    async def retranscribe(
        self,
        transcript: str,
        from_ms: int,
        to_ms: int,
        *,
        session: str | None = None,
        hearing: Hearing = AS_IT_IS,
        suggest: bool = False,
    ) -> tuple[Job, ...]:
        """Have a passage heard once more: one job for each session that has audio there.

        Words that nobody touched are replaced; where people edited, there are suggestions; with
        `suggest`, everywhere.
        """
        wish = {"from_ms": from_ms, "to_ms": to_ms, "session": session, **hearing.as_fields()}
        if suggest:
            wish["as"] = "suggestion"
        answer = await self._ask("POST", _path(transcript, "retranscribe"), wish)
        return tuple(map(Job.read, answer.items("jobs")))

    async def _ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Fields:
        return _parse(await self._request(method, path, body))

    async def _request(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> bytes:
        return await asyncio.to_thread(self._fetch, self._made(method, path, body))

    def _made(self, method: str, path: str, body: Mapping[str, object] | None) -> Request:
        headers = {"Accept": "*/*"}
        if self._address.token is not None:
            headers["Authorization"] = f"Bearer {self._address.token}"
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        # The address is one of http or https: `find_address` takes no other.
        return Request(self._address.api(path), content, headers, method=method)  # noqa: S310

    def _fetch(self, request: Request, file: Path | None = None) -> bytes:
        """Make a request, in a thread; return the answer's body, unless it is written to a file."""
        url = request.full_url.partition("?")[0]
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                if file is None:
                    content: bytes = response.read()
                    return content
                with file.open("wb") as written:
                    shutil.copyfileobj(response, written)
                return b""
        except HTTPError as refused:
            with refused:
                raise _refusal(refused) from None
        except URLError as error:
            raise ServerUnreachable(url, str(error.reason)) from error
        except (TimeoutError, ConnectionError, HTTPException) as error:
            raise ServerUnreachable(url, str(error) or "it does not answer") from error


def _path(transcript: str, part: str = "") -> str:
    path = f"{TRANSCRIPTS_PATH}/{quote(transcript, safe='')}"
    return f"{path}/{part}" if part else path


def _job_path(transcript: str, job: str, what: str = "") -> str:
    return f"{_path(transcript, 'jobs')}/{quote(job, safe='')}{what}"


def _with_query(path: str, fields: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(fields)}" if fields else path


def _word(pass_id: str, row: object) -> HeardWord:
    match row:
        case [str(text), int(start_ms), int(end_ms), int(confidence)]:
            return HeardWord(pass_id, text, start_ms, end_ms, confidence)
        case _:
            raise ProtocolViolation("[text, start, end, confidence]", "a word of another form")


def _parse(body: bytes) -> Fields:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProtocolViolation("JSON", "something else") from error
    if not isinstance(answer, dict):
        raise ProtocolViolation("a JSON object", kind(answer))
    return Fields(answer, "")


def _refusal(refused: HTTPError) -> TraxError:
    """Return the exception for an answer that is no success."""
    try:
        error = _parse(refused.read()).within("error")
        told = Error(
            code=error.text("code"),
            message=error.text("message"),
            expected=error.text("expected"),
            got=error.text("got"),
            retry=refused.code >= SERVER_AT_FAULT,
            retry_after_ms=_milliseconds(refused.headers.get("retry-after", "")),
        )
    except ProtocolViolation:
        return ProtocolViolation("an answer of a Trax server", f"HTTP status {refused.code}")
    return session_error(told)


def _milliseconds(seconds: str) -> int | None:
    return int(seconds) * 1000 if seconds.isdecimal() else None
