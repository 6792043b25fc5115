"""What the server says, as frozen values: made for `match`.

Class names are the protocol's `type` in capitals (`SpeechStart` is `speech_start`), attributes
are its fields; `clients/PROTOCOL.md` is the whole story. Times are milliseconds from the
session's first sample, confidence is permille.

Iterating a session yields `Event`s. Those of `DurableEvent` come exactly once and in order,
whatever happens to the connection; `Partial` and `Stats` are of the moment, and a slow reader may
miss some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Word:
    """One word.

    Attributes:
        text: The word with its own spacing (`" thing"`): join texts without a separator.
        start_ms: Where it starts.
        end_ms: Where it ends; may equal `start_ms`.
        confidence: The model's probability in permille: a hint, not an error detector.
        speaker: `S1`, `S2` ... in order of appearance, or `None` while, or if, nobody knows.
    """

    text: str
    start_ms: int
    end_ms: int
    confidence: int
    speaker: str | None

    def lies_in(self, start_ms: int, end_ms: int) -> bool:
        """Return whether the word's middle lies in a span, ends included: the protocol's rule."""
        return 2 * start_ms <= self.start_ms + self.end_ms <= 2 * end_ms


@dataclass(frozen=True, slots=True)
class SpeechStart:
    """An utterance began; utterances count 0, 1, 2 ..."""

    type: ClassVar[str] = "speech_start"
    seq: int
    utterance: int
    start_ms: int


@dataclass(frozen=True, slots=True)
class Partial:
    """The words of the utterance that may still change; replaces the partial before it.

    `stable` counts the leading words that two successive passes agree on.
    """

    type: ClassVar[str] = "partial"
    utterance: int
    stable: int
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Final:
    """Words that stand, but for their speaker and a `Correction`; never empty."""

    type: ClassVar[str] = "final"
    seq: int
    utterance: int
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Words that lie in the span were said by `speaker` after all."""

    type: ClassVar[str] = "speaker"
    seq: int
    start_ms: int
    end_ms: int
    speaker: str | None


@dataclass(frozen=True, slots=True)
class UtteranceEnd:
    """An utterance is over."""

    type: ClassVar[str] = "utterance_end"
    seq: int
    utterance: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Correction:
    """These words now stand for the utterance's words that lie in the span.

    Attributes:
        pass_: Which pass found them (`utterance`); the protocol calls the field `pass`.
    """

    type: ClassVar[str] = "correction"
    seq: int
    utterance: int
    pass_: str
    start_ms: int
    end_ms: int
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """The language was detected and is fixed from here on; confidence in permille."""

    type: ClassVar[str] = "language"
    seq: int
    language: str
    confidence: int


@dataclass(frozen=True, slots=True)
class Stats:
    """How far the server is: audio received, audio heard, the lag, and how often it listens."""

    type: ClassVar[str] = "stats"
    audio_ms: int
    processed_ms: int
    lag_ms: int
    step_ms: int


@dataclass(frozen=True, slots=True)
class Done:
    """The session is complete; the last event."""

    type: ClassVar[str] = "done"
    audio_ms: int
    utterances: int
    words: int
    speakers: int
    corrections: int


DurableEvent = SpeechStart | Final | Speaker | UtteranceEnd | Correction | Language
Event = DurableEvent | Partial | Stats | Done


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server allows; `resume_ms` is how long it keeps a session without a client."""

    message_bytes: int
    resume_ms: int
    idle_ms: int
    session_ms: int


@dataclass(frozen=True, slots=True)
class Models:
    """Names of the server's models."""

    recognizer: str
    vad: str
    diarizer: str | None


@dataclass(frozen=True, slots=True)
class Ready:
    """What the session is: its id, its transcript, settings as granted, limits and models.

    `sync` is the path on the server where any Yjs client joins the transcript.
    `token` is a secret: with it and `session` anyone may take the session over. `next`, `until`,
    `resumed` and `ended`, which is whether it takes no more audio, are of the latest connection.
    """

    type: ClassVar[str] = "ready"
    session: str
    token: str
    transcript: str | None
    sync: str | None
    next: int
    until: int
    resumed: bool
    ended: bool
    language: str
    lookahead_ms: int
    max_delay_ms: int
    diarization: bool
    diarization_latency_ms: int | None
    finals: str
    limits: Limits
    models: Models


@dataclass(frozen=True, slots=True)
class Ack:
    """Audio before `samples` is stored; audio before `until` may be sent."""

    type: ClassVar[str] = "ack"
    samples: int
    until: int


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers our `ping`."""

    type: ClassVar[str] = "pong"
    id: int


@dataclass(frozen=True, slots=True)
class Error:
    """Why the server ends the connection. Raised as an exception of `trax_client.errors`."""

    type: ClassVar[str] = "error"
    code: str
    message: str
    expected: str
    got: str
    retry: bool
    retry_after_ms: int | None = None


ServerMessage = Event | Ready | Ack | Pong | Error
