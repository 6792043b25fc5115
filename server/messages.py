"""What clients and the server say to each other on `/v1/stream`, as frozen values.

`clients/PROTOCOL.md` says what each message means and when it may come; `server/wire.py` turns
them into frames and back. Class names are the wire's `type` in capitals (`SpeechStart` is
`speech_start`), attributes are its fields. Times are milliseconds from the session's first sample,
sample indices count at the session's own rate, confidence is permille.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from server.codes import ErrorCode

AUTO_LANGUAGE = "auto"
"""The value of `language` that asks for detection."""

NEW_TRANSCRIPT = "new"
"""The value of `transcript` that asks for a transcript to be made; no transcript has this id."""


class Encoding(StrEnum):
    """How a client's samples are written: mono, little-endian."""

    PCM_S16LE = "pcm_s16le"
    PCM_F32LE = "pcm_f32le"

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample."""
        return 2 if self is Encoding.PCM_S16LE else 4


class Finals(StrEnum):
    """When words become final."""

    WORD = "word"
    """Each as soon as the live pass is sure of it."""
    UTTERANCE = "utterance"
    """Together, from the utterance pass, when the utterance is over."""


# --- What clients say -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resume:
    """Asks to go on with a session whose connection was lost.

    Attributes:
        session: Its id, from `ready`.
        token: Its resume token, from `ready`.
        after: The highest `seq` the client has seen, 0 if none: what follows is sent again.
    """

    session: str
    token: str
    after: int


@dataclass(frozen=True, slots=True)
class Start:
    """The first message of a connection: begins a session, or resumes one.

    Attributes:
        transcript: The transcript to write into, `NEW_TRANSCRIPT`, or `None` for none.
        person: Who alone speaks into this microphone: speakers are then not told apart.
        microphone: What to call the microphone in the transcript.
        sample_rate: Of the audio that follows; every sample index counts at this rate.
        encoding: Of the audio that follows.
        language: ISO 639-1 code, or `AUTO_LANGUAGE`.
        lookahead_ms: How much audio must follow a word before it is final; `None`: the server's
            default.
        max_delay_ms: A word is final at the latest this long after its end.
        diarization: Whether to tell speakers apart.
        diarization_latency_ms: How long the diarizer may wait, or `None`: tied to the look-ahead.
        hotwords: Words to favour, as the user spells them.
        partials: Whether to send `partial`.
        finals: When words become final.
        age_ms: How long ago the first sample was recorded: audio that waited for a connection.
        resume: The session to go on with. Its own settings stand: all other fields are ignored.
    """

    transcript: str | None = None
    person: str | None = None
    microphone: str | None = None
    sample_rate: int = 16_000
    encoding: Encoding = Encoding.PCM_S16LE
    language: str = AUTO_LANGUAGE
    lookahead_ms: int | None = None
    max_delay_ms: int = 4_000
    diarization: bool = True
    diarization_latency_ms: int | None = None
    hotwords: tuple[str, ...] = ()
    partials: bool = True
    finals: Finals = Finals.WORD
    age_ms: int = 0
    resume: Resume | None = None


@dataclass(frozen=True, slots=True)
class Audio:
    """A stretch of the client's audio.

    Attributes:
        at: Index of the first sample, at the session's own rate; `None` in the JSON subprotocol,
            where each frame continues the one before, the first at `ready.next`.
        pcm: Samples, an even number of bytes. Whether they are whole samples of four bytes is for
            whoever knows the session's encoding to check.
    """

    at: int | None
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Finalize:
    """Everything heard so far becomes final now."""


@dataclass(frozen=True, slots=True)
class End:
    """No more audio follows."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a `Pong` with the same id; keeps an idle session alive."""

    id: int


ClientMessage = Start | Audio | Finalize | End | Ping


# --- What the server says ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """One word: text with its own spacing, times in ms from the session's start, permille."""

    text: str
    start_ms: int
    end_ms: int
    confidence: int
    speaker: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What this server allows.

    Attributes:
        message_bytes: Largest frame a client may send.
        resume_ms: How long a session without a client is kept.
        idle_ms: How long a client may stay silent.
        session_ms: Longest session, in audio.
    """

    message_bytes: int
    resume_ms: int
    idle_ms: int
    session_ms: int


@dataclass(frozen=True, slots=True)
class Models:
    """Names of the models at work; `diarizer` is `None` when speakers are not told apart."""

    recognizer: str
    vad: str
    diarizer: str | None


@dataclass(frozen=True, slots=True)
class Ready:
    """Answers `Start`: the session exists, with these settings.

    Attributes:
        session: Id, for `Resume`.
        token: Resume token; the same for the whole session.
        transcript: The transcript written into, a new one's id included.
        sync: Path of its sync endpoint.
        next: Index of the sample wanted next.
        until: Credit: the server takes audio up to (excluding) this index.
        resumed: Whether this goes on with an earlier session.
        ended: Whether it takes no more audio, because a client said `end`.
        language: The session's language, `AUTO_LANGUAGE` until it is detected.
        lookahead_ms: As granted; likewise the following fields.
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
    finals: Finals
    limits: Limits
    models: Models


@dataclass(frozen=True, slots=True)
class Ack:
    """Audio before `samples` is durably stored; audio before `until` may be sent."""

    type: ClassVar[str] = "ack"
    samples: int
    until: int


@dataclass(frozen=True, slots=True)
class SpeechStart:
    """An utterance began."""

    type: ClassVar[str] = "speech_start"
    seq: int
    utterance: int
    start_ms: int


@dataclass(frozen=True, slots=True)
class Partial:
    """The words of an utterance that are not final yet; replaces the partial before it.

    Has no `seq`: it is not sent again after a resume. `stable` counts the leading words that two
    successive passes agree on.
    """

    type: ClassVar[str] = "partial"
    utterance: int
    stable: int
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Final:
    """Words that the live pass will not change any more; never empty."""

    type: ClassVar[str] = "final"
    seq: int
    utterance: int
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Final words whose middle lies in `[start_ms, end_ms]` were said by `speaker`."""

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
    """These words now stand for the utterance's final words whose middle lies in the span.

    Attributes:
        pass_: Which pass found them: `utterance`. On the wire the field is called `pass`.
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
    """The session's language was detected and is fixed from here on; `confidence` in permille."""

    type: ClassVar[str] = "language"
    seq: int
    language: str
    confidence: int


@dataclass(frozen=True, slots=True)
class Stats:
    """How far the session is: audio received, audio heard, the lag between them, pass interval.

    Heard is what was recognised, and its voices told apart.
    """

    type: ClassVar[str] = "stats"
    audio_ms: int
    processed_ms: int
    lag_ms: int
    step_ms: int


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers `Ping`."""

    type: ClassVar[str] = "pong"
    id: int


@dataclass(frozen=True, slots=True)
class Done:
    """The session is complete; nothing follows but a close with code 1000."""

    type: ClassVar[str] = "done"
    audio_ms: int
    utterances: int
    words: int
    speakers: int
    corrections: int


@dataclass(frozen=True, slots=True)
class Error:
    """Why the connection is closed now, with `code.close_code`.

    Attributes:
        message: A sentence for a person.
        expected: What would have been right.
        got: What came.
        retry: Whether to connect again.
        retry_after_ms: Not before this long, where the server knows.
    """

    type: ClassVar[str] = "error"
    code: ErrorCode
    message: str
    expected: str
    got: str
    retry: bool
    retry_after_ms: int | None = None


ServerMessage = (
    Ready
    | Ack
    | SpeechStart
    | Partial
    | Final
    | Speaker
    | UtteranceEnd
    | Correction
    | Language
    | Stats
    | Pong
    | Done
    | Error
)
