"""What operations answer, as models: they write the JSON, and the OpenAPI description of it.

Times that end in `_ms` are Unix times where they say when something was made, and otherwise count
from zero of the transcript's clock. Fields may be added later; clients ignore those they do not
know.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

JSON = "application/json"


class Answer(BaseModel):
    """A JSON object that is answered."""

    model_config = ConfigDict(frozen=True)


class FailureBody(Answer):
    """Why a request was refused."""

    code: str
    message: str
    expected: str
    got: str


class Failure(Answer):
    """Every refusal, whatever its status."""

    error: FailureBody


class TranscriptRow(Answer):
    """A transcript."""

    id: str
    title: str
    language: str | None
    state: Literal["live", "closed"]
    created_ms: int
    updated_ms: int
    started_ms: int
    duration_ms: int
    sync: str


class JobFailure(Answer):
    """Why a job came to nothing, at its last attempt."""

    code: str
    message: str


class JobProgress(Answer):
    """How far something is that is heard: `progress` in permille."""

    id: str
    kind: Literal["stretch", "recording", "passage", "upload"]
    state: Literal["waiting", "running", "heard", "done", "failed", "cancelled"]
    progress: int
    error: JobFailure | None


class ListedTranscript(TranscriptRow):
    """A transcript in a list, with its newest job, if it has any."""

    job: JobProgress | None


class TranscriptPage(Answer):
    """A stretch of the list of transcripts."""

    transcripts: list[ListedTranscript]
    next: str | None


class SpeakerAnswer(Answer):
    """A voice, with the name and colour that people see."""

    id: str
    name: str
    colour: str | None


class SessionAnswer(Answer):
    """A session that speaks, or spoke, into the transcript."""

    id: str
    offset_ms: int
    duration_ms: int
    microphone: str | None
    person: str | None
    live: bool


class PassAnswer(Answer):
    """A hearing of a session's audio."""

    id: str
    session: str | None
    kind: Literal["live", "utterance", "accurate", "passage"]
    state: Literal["open", "closed"]
    words: int
    created_ms: int


class LinkAnswer(Answer):
    """A link into the transcript, without its token."""

    id: str
    role: Literal["editor", "viewer"]
    label: str
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None
    valid: bool


class NewLink(LinkAnswer):
    """A link that was just made; its token is never shown again."""

    token: str
    sync: str


class LinkList(Answer):
    """All links into a transcript."""

    links: list[LinkAnswer]


class ModelAnswer(Answer):
    """A recognizer, and the languages that it knows as ISO 639-1 codes; null: many."""

    name: str
    languages: list[str] | None


class ModelList(Answer):
    """The recognizers that are here."""

    models: list[ModelAnswer]


class TranscriptAnswer(TranscriptRow):
    """All about a transcript, except for what it says; `links` is for its owner only.

    `role` is what the asker may do with it. `speakers` are those who have a turn, or a name that a
    person gave.
    """

    role: Literal["owner", "editor", "viewer"]
    speakers: list[SpeakerAnswer]
    sessions: list[SessionAnswer]
    passes: list[PassAnswer]
    links: list[LinkAnswer] | None


class WordsOfPass(Answer):
    """Words of one pass: text, start and end in milliseconds, confidence in permille."""

    id: str
    session: str | None
    kind: Literal["live", "utterance", "accurate", "passage"]
    first: int
    words: list[tuple[str, int, int, int]]


class WordsAnswer(Answer):
    """Words as passes heard them."""

    passes: list[WordsOfPass]
    next: str | None


class TurnAnswer(Answer):
    """What one speaker said in one go; a turn without text has no times."""

    id: str | None
    speaker: str | None
    start_ms: int | None
    end_ms: int | None
    text: str


class TurnsAnswer(Answer):
    """The transcript as it stands now, and people's notes in Markdown.

    `speakers` are those who have a turn, or a name that a person gave.
    """

    speakers: list[SpeakerAnswer]
    turns: list[TurnAnswer]
    notes: str


class JobFile(Answer):
    """The file that a job hears; `damage` says what of it was lost, once it is decoded."""

    name: str | None
    size_bytes: int
    damage: str | None


class JobAnswer(JobProgress):
    """Something that is heard."""

    attempts: int
    session: str
    from_ms: int | None
    to_ms: int | None
    model: str | None
    language: str | None
    file: JobFile | None
    created_ms: int
    updated_ms: int
    finished_ms: int | None


class JobEvent(Answer):
    """A server-sent event; `data` is the JSON of a `JobAnswer`."""

    event: Literal["job"]
    id: str
    data: str


class JobPage(Answer):
    """A stretch of the list of jobs."""

    jobs: list[JobAnswer]
    next: str | None


class PassageJobs(Answer):
    """The jobs that hear a passage: one for each session that has audio there."""

    jobs: list[JobAnswer]


def write(answer: Answer, *, status: int = 200, **headers: str) -> Response:
    """Return an answer as a response; headers with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(answer.model_dump_json(), status, named, JSON)
