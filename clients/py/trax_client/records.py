"""What the server tells of transcripts over HTTP, and how it is read.

Fields that are not known here are ignored: a newer server may tell more.
"""

from __future__ import annotations

from dataclasses import dataclass

from trax_client.fields import Fields


@dataclass(frozen=True, slots=True)
class TranscriptRecord:
    """A transcript, as lists show it.

    Attributes:
        state: `live` or `closed`.
        created_ms: Unix time, as are `updated_ms` and `started_ms`, zero of its clock.
        duration_ms: Where it ends on its clock.
        sync: Path at which its document is synchronised.
    """

    id: str
    title: str
    language: str | None
    state: str
    created_ms: int
    updated_ms: int
    started_ms: int
    duration_ms: int
    sync: str

    @classmethod
    def read(cls, fields: Fields) -> TranscriptRecord:
        """Read a record."""
        return cls(
            id=fields.text("id"),
            title=fields.text("title"),
            language=fields.text_or_none("language"),
            state=fields.text("state"),
            created_ms=fields.count("created_ms"),
            updated_ms=fields.count("updated_ms"),
            started_ms=fields.count("started_ms"),
            duration_ms=fields.count("duration_ms"),
            sync=fields.text("sync"),
        )


@dataclass(frozen=True, slots=True)
class NamedSpeaker:
    """A voice, with the name and colour that people see; the name may be empty."""

    id: str
    name: str
    colour: str | None

    @classmethod
    def read(cls, fields: Fields) -> NamedSpeaker:
        """Read a speaker."""
        return cls(fields.text("id"), fields.text("name"), fields.text_or_none("colour"))


@dataclass(frozen=True, slots=True)
class MicrophoneSession:
    """A session that speaks, or spoke, into a transcript; times on the transcript's clock."""

    id: str
    offset_ms: int
    duration_ms: int
    microphone: str | None
    person: str | None
    live: bool

    @classmethod
    def read(cls, fields: Fields) -> MicrophoneSession:
        """Read a session."""
        return cls(
            id=fields.text("id"),
            offset_ms=fields.count("offset_ms"),
            duration_ms=fields.count("duration_ms"),
            microphone=fields.text_or_none("microphone"),
            person=fields.text_or_none("person"),
            live=fields.flag("live"),
        )


@dataclass(frozen=True, slots=True)
class TranscriptDetails:
    """All about a transcript, except for what it says."""

    record: TranscriptRecord
    speakers: tuple[NamedSpeaker, ...]
    sessions: tuple[MicrophoneSession, ...]

    @classmethod
    def read(cls, fields: Fields) -> TranscriptDetails:
        """Read the details."""
        return cls(
            TranscriptRecord.read(fields),
            tuple(map(NamedSpeaker.read, fields.items("speakers"))),
            tuple(map(MicrophoneSession.read, fields.items("sessions"))),
        )


@dataclass(frozen=True, slots=True)
class Job:
    """Something that the server hears once more: a file, a passage, a session.

    Attributes:
        kind: `upload`, `passage`, `recording` or `stretch`.
        state: `waiting`, `running`, `heard` (to be written into the document), `done`, `failed` or
            `cancelled`.
        progress: In permille.
        error: What went wrong at the last attempt, if anything did.
        error_code: The same for programs, such as `no_audio`.
        file: Name of the file, if it is one that told its name.
        damage: What of the file was lost, if anything was.
    """

    id: str
    kind: str
    state: str
    progress: int
    session: str
    error: str | None
    error_code: str | None
    file: str | None
    damage: str | None

    @property
    def over(self) -> bool:
        """Whether nothing happens to it any more by itself."""
        return self.state in ("done", "failed", "cancelled")

    @classmethod
    def read(cls, fields: Fields) -> Job:
        """Read a job."""
        error, file = fields.within_or_none("error"), fields.within_or_none("file")
        return cls(
            id=fields.text("id"),
            kind=fields.text("kind"),
            state=fields.text("state"),
            progress=fields.count("progress"),
            session=fields.text("session"),
            error=None if error is None else error.text("message"),
            error_code=None if error is None else error.text("code"),
            file=None if file is None else file.text_or_none("name"),
            damage=None if file is None else file.text_or_none("damage"),
        )


@dataclass(frozen=True, slots=True)
class TimedTurn:
    """What one speaker said in one go, as people edited it.

    Attributes:
        id: `None` for text before the first turn.
        speaker: Id of a `NamedSpeaker`, or `None` while nobody knows.
        start_ms: `None` where nothing was said, only typed, as is `end_ms`.
    """

    id: str | None
    speaker: str | None
    start_ms: int | None
    end_ms: int | None
    text: str

    @classmethod
    def read(cls, fields: Fields) -> TimedTurn:
        """Read a turn."""
        return cls(
            id=fields.text_or_none("id"),
            speaker=fields.text_or_none("speaker"),
            start_ms=fields.count_or_none("start_ms"),
            end_ms=fields.count_or_none("end_ms"),
            text=fields.text("text"),
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What a transcript says at one moment."""

    speakers: tuple[NamedSpeaker, ...]
    turns: tuple[TimedTurn, ...]

    @classmethod
    def read(cls, fields: Fields) -> Reading:
        """Read what it says."""
        return cls(
            tuple(map(NamedSpeaker.read, fields.items("speakers"))),
            tuple(map(TimedTurn.read, fields.items("turns"))),
        )


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word as a pass over the audio heard it, before people edited it; confidence in permille."""

    pass_id: str
    text: str
    start_ms: int
    end_ms: int
    confidence: int
