"""What the core says, as messages: samples become milliseconds, spans become two fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from server import messages
from server.journal import Entry
from streaming.core.domain import Word, to_ms
from streaming.core.events import (
    Correction,
    Final,
    LanguageDetected,
    Partial,
    SpeakerRevised,
    SpeechStarted,
    UtteranceEnded,
)

LastingMessage = (
    messages.SpeechStart
    | messages.Final
    | messages.Speaker
    | messages.UtteranceEnd
    | messages.Correction
    | messages.Language
)

_PASS_NAME = "utterance"  # noqa: S105 - no password


def lasting_message(entry: Entry) -> LastingMessage:
    """Return a journal entry as clients are told it, now or after a resume: always the same."""
    seq = entry.seq
    match entry.event:
        case SpeechStarted(utterance=utterance, at=at):
            return messages.SpeechStart(seq, utterance, to_ms(at))
        case Final(utterance=utterance, words=words):
            return messages.Final(seq, utterance, _words(words))
        case SpeakerRevised(span=span, speaker=speaker):
            return messages.Speaker(seq, to_ms(span.start), to_ms(span.end), speaker)
        case UtteranceEnded(utterance=utterance, span=span):
            return messages.UtteranceEnd(seq, utterance, to_ms(span.start), to_ms(span.end))
        case Correction(utterance=utterance, span=span, words=words):
            start_ms, end_ms = to_ms(span.start), to_ms(span.end)
            return messages.Correction(seq, utterance, _PASS_NAME, start_ms, end_ms, _words(words))
        case LanguageDetected(language=language):
            return messages.Language(seq, language.code, language.confidence)
        case _:
            assert_never(entry.event)


def partial_message(partial: Partial) -> messages.Partial:
    """Return a partial as clients are told it."""
    return messages.Partial(partial.utterance, partial.stable, _words(partial.words))


def _words(words: Iterable[Word]) -> tuple[messages.Word, ...]:
    return tuple(
        messages.Word(
            text=word.text,
            start_ms=to_ms(word.span.start),
            end_ms=to_ms(word.span.end),
            confidence=word.confidence,
            speaker=word.speaker,
        )
        for word in words
    )
