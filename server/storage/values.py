"""What the storage is given and gives back: immutable, and without a trace of SQL.

Ids of transcripts and sessions are texts that their makers chose at random, so that none is used
twice. Numbers of updates and of session events count from 1; 0 means that there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from offline.decisions import Alias, Decision
from offline.domain import PassId, PassWord, SpeakerId


class TranscriptState(Enum):
    """Whether more speech may come."""

    LIVE = "live"
    CLOSED = "closed"


class PassKind(Enum):
    """How a pass heard the audio."""

    LIVE = "live"
    UTTERANCE = "utterance"
    ACCURATE = "accurate"
    PASSAGE = "passage"
    """Somebody asked to have it heard so: only another one of these says otherwise."""


class PassState(Enum):
    """Whether more words may come."""

    OPEN = "open"
    CLOSED = "closed"


class Role(Enum):
    """What a link lets people do."""

    EDITOR = "editor"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is known about a transcript without opening its document.

    Attributes:
        id: Chosen by its maker.
        title: May be empty.
        language: Code of the language, if it is known.
        state: Whether more speech may come.
        created_ms: When it was made, in Unix time.
        updated_ms: When it last changed, in Unix time.
        started_ms: Zero of its clock, in Unix time.
        duration_ms: Until where on its clock something was said.
        speakers: How many voices were heard.
    """

    id: str
    title: str
    language: str | None
    state: TranscriptState
    created_ms: int
    updated_ms: int
    started_ms: int
    duration_ms: int
    speakers: int


@dataclass(frozen=True, slots=True)
class Description:
    """What lists and searches know of a document, as it is now.

    Attributes:
        title: May be empty.
        language: Code of the language, if it is known.
        text: All that it says, to be found by; it is not kept as it is.
        speakers: How many voices were heard.
        duration_ms: Until where on the transcript's clock something was said.
    """

    title: str
    language: str | None
    text: str = field(repr=False)
    speakers: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the list of transcripts: after the one that changed then."""

    updated_ms: int
    transcript: str

    def __str__(self) -> str:
        """Return the cursor as clients carry it: `"1700000000000.abcdef"`."""
        return f"{self.updated_ms}.{self.transcript}"

    @classmethod
    def parse(cls, value: str) -> Cursor | None:
        """Return the cursor that a client sent back; `None` for anything else."""
        found = _CURSOR.fullmatch(value)
        return None if found is None else cls(int(found[1]), found[2])


_CURSOR = re.compile(r"([0-9]{1,15})\.([0-9A-Za-z_-]{1,128})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of the list of transcripts.

    Attributes:
        transcripts: The one that changed last comes first.
        following: Where the list goes on; `None` at its end.
    """

    transcripts: tuple[Transcript, ...]
    following: Cursor | None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to a transcript, until somebody takes a newer one."""

    transcript: str
    number: int


@dataclass(frozen=True, slots=True)
class Document:
    """A shared document as it is stored: a snapshot, and what was appended after it.

    Attributes:
        snapshot: One update that replaces all up to `snapshot_seq`; `None` if there is none yet.
        snapshot_seq: Number of the last update that the snapshot contains.
        updates: The updates after it, in order.
        schema: Version of what it holds; means nothing while it is empty.
    """

    snapshot: bytes | None
    snapshot_seq: int
    updates: tuple[bytes, ...]
    schema: int = 1

    @property
    def last_seq(self) -> int:
        """Number of the newest update."""
        return self.snapshot_seq + len(self.updates)

    @property
    def whole(self) -> tuple[bytes, ...]:
        """All updates that it consists of, in order."""
        snapshot = () if self.snapshot is None else (self.snapshot,)
        return (*snapshot, *self.updates)


@dataclass(frozen=True, slots=True)
class WordChunk:
    """Words that continue a pass.

    Attributes:
        pass_id: Which pass.
        first: Index of the first of them: how many the pass had before.
        words: At least one.
    """

    pass_id: PassId
    first: int
    words: tuple[PassWord, ...]

    def __post_init__(self) -> None:
        if not self.words:
            raise ValueError("a chunk of at least one word expected, got none")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the document follows a session.

    Attributes:
        session: Which session.
        applied_seq: Number of the last of its lasting events that the document shows.
        samples: How long its audio was by then, on the session's clock.
    """

    session: str
    applied_seq: int
    samples: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written to a transcript in one step, all of it or nothing.

    Attributes:
        after: Number of the last update before these.
        updates: Changes of the document, in order.
        words: What passes heard, in order for each pass.
        progress: How far sessions are with it.
        aliases: Words that have other times now.
        decisions: What became of hunks.
        schema: Version of the document from now on, where it becomes another.
    """

    after: int
    updates: tuple[bytes, ...] = ()
    words: tuple[WordChunk, ...] = ()
    progress: tuple[Progress, ...] = ()
    aliases: tuple[Alias, ...] = ()
    decisions: tuple[Decision, ...] = ()
    schema: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A microphone's session in a transcript.

    Attributes:
        id: As the session is called where it streams.
        transcript: Where its words go.
        live_pass: Name of its live pass.
        utterance_pass: Name of the pass that hears each utterance once more.
        offset_ms: Where on the transcript's clock its first sample is.
        samples: How long its audio was when it was last told.
        applied_seq: Number of the last of its lasting events that the document shows.
        microphone: What its owner calls it, if anything.
        person: Who alone speaks into it, if that was declared.
        created_ms: When it was added, in Unix time.
    """

    id: str
    transcript: str
    live_pass: PassId
    utterance_pass: PassId
    offset_ms: int
    samples: int
    applied_seq: int
    microphone: str | None
    person: str | None
    created_ms: int


@dataclass(frozen=True, slots=True)
class Voice:
    """A speaker as one session hears it.

    Attributes:
        session: Which session.
        label: The session's own name for the voice, such as `S1`.
        speaker: Who that is in the transcript; several sessions may hear the same.
        embedding: What the voice sounds like, in the form of whoever computed it.
    """

    session: str
    label: str
    speaker: SpeakerId
    embedding: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Pass:
    """One hearing of audio.

    Attributes:
        id: Its name, unique within the transcript.
        session: Whose audio; `None` if it heard several sessions.
        kind: How it heard it.
        state: Whether more words may come.
        words: How many there are.
        created_ms: When it began, in Unix time.
    """

    id: PassId
    session: str | None
    kind: PassKind
    state: PassState
    words: int
    created_ms: int


@dataclass(frozen=True, slots=True)
class Link:
    """A way into one transcript, for whoever has its token.

    Attributes:
        fingerprint: SHA-256 of the token, in hexadecimal digits.
        transcript: Where it leads.
        role: What it lets people do.
        label: For whom it is, as its maker calls it.
        created_ms: When it was made, in Unix time.
        expires_ms: Until when it is valid, in Unix time; `None` for ever.
        revoked_ms: When it was ended, in Unix time, if it was.
    """

    fingerprint: str
    transcript: str
    role: Role
    label: str
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None

    def is_valid(self, now_ms: int) -> bool:
        """Whether it opens the transcript at this moment."""
        return self.revoked_ms is None and (self.expires_ms is None or now_ms < self.expires_ms)
