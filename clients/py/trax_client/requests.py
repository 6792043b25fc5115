"""What a client says, as frozen values. `connect` and `Session` make them; callers need not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

Encoding = Literal["pcm_s16le", "pcm_f32le"]
"""How samples are written: mono, little-endian."""

Finals = Literal["word", "utterance"]
"""Words final one by one and corrected later, or all at the end of the utterance and for good."""

SAMPLE_BYTES: dict[Encoding, int] = {"pcm_s16le": 2, "pcm_f32le": 4}


@dataclass(frozen=True, slots=True)
class Resume:
    """Which session to go on with, and the highest `seq` seen of it."""

    session: str
    token: str
    after: int


@dataclass(frozen=True, slots=True)
class Start:
    """Begins or resumes a session; a field that is `None` leaves the choice to the server."""

    type: ClassVar[str] = "start"
    transcript: str | None = None
    person: str | None = None
    microphone: str | None = None
    sample_rate: int = 16_000
    encoding: Encoding = "pcm_s16le"
    language: str = "auto"
    lookahead_ms: int | None = None
    max_delay_ms: int | None = None
    diarization: bool = True
    diarization_latency_ms: int | None = None
    hotwords: tuple[str, ...] = ()
    partials: bool = True
    finals: Finals = "word"
    age_ms: int = 0
    resume: Resume | None = None


@dataclass(frozen=True, slots=True)
class Audio:
    """Whole samples, the first of which is number `at`."""

    type: ClassVar[str] = "audio"
    at: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Finalize:
    """Everything heard so far becomes final now."""

    type: ClassVar[str] = "finalize"


@dataclass(frozen=True, slots=True)
class End:
    """No more audio follows."""

    type: ClassVar[str] = "end"


@dataclass(frozen=True, slots=True)
class Ping:
    """Keeps a session alive that has nothing to send."""

    type: ClassVar[str] = "ping"
    id: int


ClientMessage = Start | Audio | Finalize | End | Ping
