"""What a session asks for, and what it is told back.

A session never calls a model. `StreamSession.next_work` returns one of the `Work` values, its
owner carries it out wherever it likes, and tells the outcome to `StreamSession.complete`. At most
one piece of each stateful kind (`Score`, `Diarize`) is out at a time, so a session's frames and
windows reach its engines in order whatever threads carry them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from streaming.core.domain import Pcm, Samples
from streaming.core.ports import Diarization, RecognitionWindow, Transcription

WorkId = NewType("WorkId", int)
"""Names one piece of work within its session; never used twice."""


@dataclass(frozen=True, slots=True)
class Score:
    """Score consecutive voice-activity frames: `frames` has shape `(n, FRAME)`, n >= 1."""

    id: WorkId
    start: Samples
    frames: Pcm


@dataclass(frozen=True, slots=True)
class Diarize:
    """Label one diarization window (see `Diarizer.label`)."""

    id: WorkId
    start: Samples
    window: Pcm


@dataclass(frozen=True, slots=True)
class Recognize:
    """Recognise one window. Several of different sessions may go to a model in one batch.

    An optional one may be left out where others have more need of the machine.
    """

    id: WorkId
    window: RecognitionWindow
    optional: bool = False


Work = Score | Diarize | Recognize


@dataclass(frozen=True, slots=True)
class Scored:
    """Outcome of `Score`: one probability per frame."""

    id: WorkId
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Diarized:
    """Outcome of `Diarize`."""

    id: WorkId
    diarization: Diarization


@dataclass(frozen=True, slots=True)
class Recognized:
    """Outcome of `Recognize`."""

    id: WorkId
    transcription: Transcription


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Outcome of an optional `Recognize` that was not carried out."""

    id: WorkId


@dataclass(frozen=True, slots=True)
class Failed:
    """Outcome of any work that could not be carried out. `reason` is for people and logs."""

    id: WorkId
    reason: str


Result = Scored | Diarized | Recognized | LeftOut | Failed
