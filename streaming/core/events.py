"""What a session says about what it heard.

The order of events is the order in which they became true. Promises, each a property test:
words of `Final` never change, never overlap and come in time order; a `Partial` replaces the
partial before it and never repeats a final word.
"""

from __future__ import annotations

from dataclasses import dataclass

from streaming.core.domain import DetectedLanguage, Samples, Span, Speaker, UtteranceId, Word


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began. `at` includes a little audio before the first voiced frame."""

    utterance: UtteranceId
    at: Samples


@dataclass(frozen=True, slots=True)
class Partial:
    """The words of the utterance that are not final yet, replacing the previous partial.

    Attributes:
        utterance: Which utterance.
        words: All words of it that are not final, possibly none.
        stable: How many of them, from the first, two successive passes agree on.
    """

    utterance: UtteranceId
    words: tuple[Word, ...]
    stable: int


@dataclass(frozen=True, slots=True)
class Final:
    """Words that the live pass will not change any more. Never empty.

    Only their speaker may still be set or revised, by `SpeakerRevised`.
    """

    utterance: UtteranceId
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class SpeakerRevised:
    """The final words whose middle lies in `span` were said by `speaker` after all."""

    span: Span
    speaker: Speaker | None


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """The utterance is over. In `FinalsMode.WORD` all its words are final now."""

    utterance: UtteranceId
    span: Span


@dataclass(frozen=True, slots=True)
class Correction:
    """The utterance heard once more: these words now stand in `span`, for the finals there.

    Sent only where the text differs from the finals.
    """

    utterance: UtteranceId
    span: Span
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class LanguageDetected:
    """The session's language was asked to be detected, and is fixed from here on."""

    language: DetectedLanguage


@dataclass(frozen=True, slots=True)
class EngineFailed:
    """An engine failed again and again: the session cannot go on. Nothing follows this event.

    Attributes:
        engine: `vad`, `diarizer` or `recognizer`.
        reason: What the last failure said.
    """

    engine: str
    reason: str


Event = (
    SpeechStarted
    | Partial
    | Final
    | SpeakerRevised
    | UtteranceEnded
    | Correction
    | LanguageDetected
    | EngineFailed
)
