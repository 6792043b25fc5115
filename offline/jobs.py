"""What is to be heard again, and how far that is: the values that everybody around a job speaks in.

A job is kept in the database, which is the truth about it; what travels to a worker is its id
alone. Its life::

    WAITING -> RUNNING -> HEARD -> DONE
       ^          |         |
       +--retry---+         +-> DONE also where nothing was to change
                  +-> FAILED, to be retried by hand
    any of the first three -> CANCELLED

`HEARD` means that a worker is done and that the document does not show it yet: workers never write
into documents, because only one server at a time does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum

from offline.domain import PassId
from streaming.core.domain import Permille, Samples, Span, from_ms


class JobKind(Enum):
    """Why something is heard again."""

    STRETCH = "stretch"
    """A closed stretch of a session that goes on."""
    RECORDING = "recording"
    """A whole session, once it is over."""
    PASSAGE = "passage"
    """A span that somebody asked for."""
    UPLOAD = "upload"
    """A file that somebody sent, which nobody has heard yet."""


class Rank(IntEnum):
    """Whose turn it is: the lowest of what waits is heard first.

    People watch a meeting while it goes on, and whoever asked for a short passage waits for it; who
    sends a file, or has half a meeting heard once more, expects that it takes a while.
    """

    STRETCH = 0
    PASSAGE = 1
    RECORDING = 2
    UPLOAD = 3

    @property
    def urgent(self) -> bool:
        """Whether somebody looks at the document and waits."""
        return self <= Rank.PASSAGE


LONGEST_URGENT_MS = 120_000
"""A passage that is longer takes minutes, in which a meeting would have no corrections."""


class JobState(Enum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    HEARD = "heard"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing happens to it any more by itself."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is to do: all of it, so that doing it twice gives the same.

    Attributes:
        kind: Why.
        transcript: Whose document is to be corrected.
        session: Whose audio is to be heard.
        start_ms: On the session's clock; 0 is its first sample.
        end_ms: Likewise, excluded; `None` for its end.
        model: Which recognizer, where somebody chose one; `None` for what the pass has.
        language: ISO 639-1 code; `None` to detect it.
        hotwords: Words to favour.
        diarization: Whether speakers are told apart.
        suggests: Whether the text stays as it is: where it differs from what is heard, people get
            a suggestion.
    """

    kind: JobKind
    transcript: str
    session: str
    start_ms: int = 0
    end_ms: int | None = None
    model: str | None = None
    language: str | None = None
    hotwords: tuple[str, ...] = ()
    diarization: bool = True
    suggests: bool = False

    @property
    def rank(self) -> Rank:
        """Whose turn it is."""
        if self.kind is JobKind.PASSAGE and not self._is_short:
            return Rank.UPLOAD
        return Rank[self.kind.name]

    @property
    def _is_short(self) -> bool:
        return self.end_ms is not None and self.end_ms - self.start_ms <= LONGEST_URGENT_MS

    def span(self, length: Samples) -> Span:
        """Return what of audio of this length it is about."""
        end = length if self.end_ms is None else min(length, from_ms(self.end_ms))
        return Span(min(from_ms(self.start_ms), end), end)


class FailureCode(StrEnum):
    """What went wrong with a job."""

    NO_AUDIO = "no_audio"
    """There is nothing to hear: the recording is empty, or was removed."""
    UNAVAILABLE = "unavailable"
    """Audio or words could not be read at that moment."""
    MODEL_MISSING = "model_missing"
    """A model is not there, or cannot be loaded."""
    UNSUPPORTED = "unsupported"
    """The model does not know what was asked for, such as a language."""
    OUT_OF_MEMORY = "out_of_memory"
    """The work needed more memory than it may have."""
    WORKER_DIED = "worker_died"
    """Whoever did the work was killed, or is not heard of any more."""
    TIMEOUT = "timeout"
    """The work stood still for too long."""
    INTERNAL_ERROR = "internal_error"
    """A mistake of ours, or of a library."""
    REJECTED = "rejected"
    """What was heard could not be written into the document."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt at a job came to nothing.

    Attributes:
        code: For programs.
        message: A sentence for a person: what was expected and what came, never what was said.
        retry: Whether another attempt may go better.
    """

    code: FailureCode
    message: str
    retry: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a job, for as long as it is renewed.

    Attributes:
        job: The job's id.
        number: Counts all claims of the job: who comes with an older one changes nothing.
        attempt: Counts from 1.
        task: What is to be done.
    """

    job: str
    number: int
    attempt: int
    task: Task


@dataclass(frozen=True, slots=True)
class Job:
    """A task, and how far it is.

    Attributes:
        id: Chosen at random.
        task: What is to be done.
        state: How far it is.
        key: What makes a second request the same as the first one, within the transcript.
        attempts: How often it was begun.
        progress: How much of it is heard.
        failure: What went wrong last; stays while it is tried again.
        pass_id: Which pass its words became, once the document shows them.
        due_ms: While it waits, not before this moment; while it runs, until when its worker is
            believed to live; once it is heard, until when it is left to the server that writes it.
        created_ms: When it was submitted.
        updated_ms: When anything of this last changed.
        started_ms: When it was last begun.
        finished_ms: When it was over.
        worker: Who works on it, or did last.
    """

    id: str
    task: Task = field(repr=False)  # it may hold words
    state: JobState
    key: str | None
    attempts: int
    progress: Permille
    failure: Failure | None
    pass_id: PassId | None
    due_ms: int
    created_ms: int
    updated_ms: int
    started_ms: int | None = None
    finished_ms: int | None = None
    worker: str | None = None
