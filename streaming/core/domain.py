"""The values that the live side speaks in: spans of the session clock, words, speaker turns.

Everything here is immutable and knows nothing of models or sockets. The **session clock** counts
samples at 16 kHz from the first sample a session received; seconds and milliseconds appear only
where people or the wire need them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
"""Samples per second of the session clock, of every engine's input and of recordings."""

FRAME = 512
"""Samples in one voice-activity frame: 32 ms, the only size that Silero VAD accepts at 16 kHz."""

Samples = NewType("Samples", int)
"""A point on the session clock, or a length, in samples at 16 kHz."""

UtteranceId = NewType("UtteranceId", int)
"""Number of an utterance within its session: 0, 1, 2 ... in time order."""

Permille = NewType("Permille", int)
"""A probability times 1000, rounded: 0..1000. Integers, because the wire carries no floats."""

Speaker = NewType("Speaker", str)
"""A voice within one session, `S1`, `S2` ... in order of appearance."""

Pcm = npt.NDArray[np.float32]
"""Mono audio at 16 kHz, shape `(samples,)`, full scale -1..1."""


def from_ms(milliseconds: int) -> Samples:
    """Return a length in milliseconds as samples (exact: 16 samples a millisecond)."""
    return Samples(milliseconds * SAMPLE_RATE // 1000)


def to_ms(samples: int) -> int:
    """Return a length or point in samples as whole milliseconds, rounded down."""
    return samples * 1000 // SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch `[start, end)` of the session clock; never of negative length."""

    start: Samples
    end: Samples

    def __post_init__(self) -> None:
        """Refuse a span that ends before it starts."""
        if self.end < self.start:
            raise ValueError(f"a span ends at or after its start: got {self.start}..{self.end}")

    @property
    def length(self) -> Samples:
        """Samples covered."""
        return Samples(self.end - self.start)

    def overlap(self, other: Span) -> Samples:
        """Return how many samples both spans cover."""
        return Samples(max(0, min(self.end, other.end) - max(self.start, other.start)))


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word.

    Attributes:
        text: The word with its own spacing, as the model wrote it (`" thing"`): texts joined
            without a separator give the transcript, in languages without spaces too.
        span: When it was said. Words of one hypothesis are in time order and do not overlap.
        confidence: The model's probability of the word: a hint, not an error detector.
        speaker: Who said it, or `None` while (or if) nobody knows.
    """

    text: str
    span: Span
    confidence: Permille
    speaker: Speaker | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch in which one voice is active. Turns of different speakers may overlap."""

    span: Span
    speaker: Speaker


@dataclass(frozen=True, slots=True)
class Voice:
    """What a speaker sounds like, so that another session knows the voice again.

    Attributes:
        speaker: Its name.
        print: An embedding of the speaker, of length 1, as little-endian float32. Those of one
            model can be compared: the closer the direction, the likelier the same person.
        weight: In about how many windows of the diarizer it was heard.
    """

    speaker: Speaker
    print: bytes
    weight: float

    @property
    def embedding(self) -> npt.NDArray[np.float32]:
        """The print as numbers, shape `(dimensions,)`."""
        return np.frombuffer(self.print, dtype="<f4")

    def likeness(self, other: Voice) -> float:
        """Return how alike two voices are: the cosine of the angle between their prints."""
        return float(self.embedding @ other.embedding)


@dataclass(frozen=True, slots=True)
class DetectedLanguage:
    """A language that a recognizer heard: its ISO 639-1 code and how sure it was."""

    code: str
    confidence: Permille
