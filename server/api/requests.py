"""What requests may say, as models: everything else is refused before an operation begins."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from server.describing import LONGEST_LANGUAGE, LONGEST_TITLE
from server.exports.formats import ExportFormat
from server.wire import MAX_HOTWORD_CHARACTERS, MAX_HOTWORDS

MOST_WORDS = 30_000
"""Words in one answer: more than three hours of speech, 1 MB. Writing it takes the interpreter for
10 ms in one go, for which the event loop waits."""

MOST_MS = 100 * 365 * 86_400_000
"""No transcript's clock goes further; and no Unix time that anybody needs, so far."""

MOST_AT_MS = 86_400_000
"""How far into a transcript a file may be put: a day, of which the audio is answered at once."""

_LINE = r"^[^\u0000-\u001f\u007f]*$"


def _whole(value: object) -> object:
    """Take `1.0` for the integer that it is in JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Title = Annotated[str, Field(max_length=LONGEST_TITLE, pattern=_LINE)]
Language = Annotated[
    str,
    Field(
        max_length=LONGEST_LANGUAGE,
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
        examples=["de", "pt-BR"],
    ),
]
Milliseconds = Annotated[int, Field(ge=0, le=MOST_MS)]
SessionId = Annotated[str, Field(max_length=64, pattern="^[a-z0-9]{8,64}$")]
PassName = Annotated[str, Field(pattern="^[0-9A-Za-z-]{1,64}$")]


class Request(BaseModel):
    """Fields that a request carries, in its query or its body."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Nothing(Request):
    """A query without fields."""


class Listing(Request):
    """Which transcripts are listed."""

    q: Annotated[str, Field(max_length=200)] | SkipJsonSchema[None] = Field(
        None, description="Words, or beginnings of words, of title or text; none: all are listed"
    )
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: (
        Annotated[str, Field(max_length=150, pattern=r"^[0-9]{1,15}\.[0-9A-Za-z_-]{1,128}$")]
        | SkipJsonSchema[None]
    ) = Field(None, description="From `next` of the page before")


class NewTranscript(Request):
    """A transcript to be made."""

    title: Title = ""
    language: Language | None = None


class Changes(Request):
    """What is to be changed of a transcript; at least one field. Only its owner sets `state`."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    title: Title | SkipJsonSchema[None] = None
    language: Language | SkipJsonSchema[None] = None
    state: Literal["live", "closed"] | SkipJsonSchema[None] = None

    @field_validator("*", mode="before")
    @classmethod
    def _no_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("a text expected: a field that stays as it is, is left out")
        return value

    @model_validator(mode="after")
    def _not_empty(self) -> Changes:
        if not self.model_fields_set:
            raise ValueError("at least one field expected")
        return self


class LinkWish(Request):
    """A link to be made."""

    role: Literal["editor", "viewer"]
    label: Title = ""
    # Not in queries: before a validator of ours, pydantic takes text for text.
    expires_ms: Annotated[Milliseconds, BeforeValidator(_whole)] | None = Field(
        None, description="Unix time; null for ever"
    )


class WordsQuery(Request):
    """Which words are wanted."""

    pass_id: PassName | SkipJsonSchema[None] = Field(
        None,
        alias="pass",
        description="One pass; without it, the live pass of each session, or the newest one where "
        "nothing was heard live, as of a file",
    )
    cursor: (
        Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}\.[0-9]{1,9}$")] | SkipJsonSchema[None]
    ) = Field(None, description="From `next` of the page before: a pass, and an index in it")
    limit: Annotated[int, Field(ge=1, le=MOST_WORDS)] = 10_000


class AudioQuery(Request):
    """Which audio is wanted."""

    from_ms: Milliseconds = 0
    to_ms: Milliseconds | SkipJsonSchema[None] = Field(
        None, description="Without it, until the end of what is recorded"
    )
    session: SessionId | SkipJsonSchema[None] = Field(
        None, description="One session alone; without it, all of them mixed"
    )
    download: bool = Field(False, description="Whether browsers are to save it as a file")  # noqa: FBT003


Model = Annotated[
    str,
    Field(
        max_length=200,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._-]{0,98})?$",
        examples=["whisper-base"],
    ),
]
JobLanguage = Annotated[str, Field(pattern="^[a-z]{2,3}$", examples=["de"])]
HotWord = Annotated[str, Field(min_length=1, max_length=MAX_HOTWORD_CHARACTERS, pattern=_LINE)]


class UploadQuery(Request):
    """How a recording is to be heard, and where it belongs."""

    filename: Annotated[str, Field(max_length=200, pattern=_LINE)] | SkipJsonSchema[None] = Field(
        None, description="What the file is called; without it, as `Content-Disposition` says"
    )
    at_ms: Annotated[int, Field(ge=0, le=MOST_AT_MS)] | SkipJsonSchema[None] = Field(
        None,
        description="Where on the transcript's clock it begins; without it, behind all that is "
        "recorded",
    )
    language: JobLanguage | SkipJsonSchema[None] = Field(
        None, description="ISO 639-1; without it, the language is detected"
    )
    model: Model | SkipJsonSchema[None] = Field(
        None, description="A recognizer that `trax models list` shows; owners may name any"
    )
    hotwords: Annotated[str, Field(max_length=10_000, pattern=_LINE)] = Field(
        "", description="Words to favour, separated by commas"
    )
    diarization: bool = Field(True, description="Whether speakers are told apart")  # noqa: FBT003

    @field_validator("hotwords")
    @classmethod
    def _few(cls, value: str) -> str:
        words = value.split(",")
        if len(words) > MAX_HOTWORDS or max(map(len, words)) > MAX_HOTWORD_CHARACTERS:
            raise ValueError(
                f"at most {MAX_HOTWORDS} words of {MAX_HOTWORD_CHARACTERS} characters expected"
            )
        return value


class Passage(Request):
    """What is to be heard once more, and how."""

    from_ms: Annotated[Milliseconds, BeforeValidator(_whole)]
    to_ms: Annotated[Milliseconds, BeforeValidator(_whole)]
    session: SessionId | None = Field(None, description="One alone; null for all that are there")
    language: JobLanguage | None = None
    model: Model | None = None
    hotwords: Annotated[list[HotWord], Field(max_length=MAX_HOTWORDS)] = []
    diarization: bool = True
    result: Literal["replacement", "suggestion"] = Field(
        "replacement",
        alias="as",
        description="Whether words that nobody touched are replaced, or all is only suggested",
    )


class JobsQuery(Request):
    """Which jobs are listed."""

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: (
        Annotated[str, Field(max_length=150, pattern=r"^[0-9]{1,15}\.[0-9A-Za-z_-]{1,128}$")]
        | SkipJsonSchema[None]
    ) = Field(None, description="From `next` of the page before")


class ExportQuery(Request):
    """Which file is wanted."""

    format: ExportFormat
