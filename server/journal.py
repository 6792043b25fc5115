"""The lasting events of a session as numbered lines, and what follows from them.

A line is the event as the core said it, exact to the sample, as JSON with a `seq`: 1, 2, 3 ...
without gaps. It is written before anybody is told, so what a client has seen is never unsaid.
Partials are not lasting: the next one replaces them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from streaming.core.domain import (
    DetectedLanguage,
    Permille,
    Samples,
    Span,
    Speaker,
    UtteranceId,
    Word,
)
from streaming.core.events import (
    Correction,
    Final,
    LanguageDetected,
    SpeakerRevised,
    SpeechStarted,
    UtteranceEnded,
)

LastingEvent = (
    SpeechStarted | Final | SpeakerRevised | UtteranceEnded | Correction | LanguageDetected
)
"""What a session says that is sent again after a resume."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal."""

    seq: int
    event: LastingEvent


def write_entry(entry: Entry) -> bytes:
    """Return an entry's line, with its line feed."""
    fields = {"seq": entry.seq, **_fields(entry.event)}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read_entry(line: bytes) -> Entry:
    """Return the entry of a line that `write_entry` made.

    Raises:
        ValueError: It is something else, such as the first half of a line.
    """
    try:
        fields = json.loads(line)
        return Entry(int(fields["seq"]), _event(fields))
    except (KeyError, IndexError, TypeError, UnicodeDecodeError) as error:
        raise ValueError("a journal entry expected") from error


class Ledger:
    """What a session's lasting events add up to; owned by the session.

    Attributes:
        last_seq: Number of the newest entry.
        utterances: How many began.
        words: How many are final.
        corrections: How many there were.
        language: What was detected, if anything was.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.last_seq = 0
        self.utterances = 0
        self.words = 0
        self.corrections = 0
        self.language: str | None = None
        self._final_until = Samples(0)
        self._open: dict[UtteranceId, Samples] = {}
        self._speakers: set[Speaker] = set()
        for entry in entries:
            self._count(entry)

    @property
    def speakers(self) -> frozenset[Speaker]:
        """The voices that were ever named."""
        return frozenset(self._speakers)

    @property
    def final_until(self) -> Samples:
        """Until where nothing more will be said: hearing again must begin here."""
        return self._final_until

    @property
    def next_utterance(self) -> UtteranceId:
        """Number of the next utterance."""
        return UtteranceId(self.utterances)

    def record(self, event: LastingEvent) -> Entry:
        """Give the next number to an event."""
        entry = Entry(self.last_seq + 1, event)
        self._count(entry)
        return entry

    def closing(self) -> list[LastingEvent]:
        """Return events that end the utterances going on, where their final words end.

        Needed when a session is heard again from `final_until`: what was not final then is said
        anew, in new utterances. None of them moves `final_until`.
        """
        end = self._final_until
        return [
            UtteranceEnded(utterance, Span(min(start, end), end))
            for utterance, start in self._open.items()
        ]

    def _count(self, entry: Entry) -> None:
        self.last_seq = entry.seq
        match entry.event:
            case SpeechStarted(utterance=utterance, at=at):
                self.utterances = utterance + 1
                self._open[utterance] = at
            case Final(words=words):
                self.words += len(words)
                self._name(words)
                self._final_until = max(self._final_until, words[-1].span.end)
            case UtteranceEnded(utterance=utterance, span=span):
                self._open.pop(utterance, None)
                self._final_until = max(self._final_until, span.end)
            case SpeakerRevised(speaker=speaker):
                if speaker is not None:
                    self._speakers.add(speaker)
            case Correction(words=words):
                self.corrections += 1
                self._name(words)
            case LanguageDetected(language=language):
                self.language = language.code
            case _:
                assert_never(entry.event)

    def _name(self, words: Iterable[Word]) -> None:
        self._speakers.update(word.speaker for word in words if word.speaker is not None)


def _fields(event: LastingEvent) -> dict[str, object]:
    match event:
        case SpeechStarted(utterance=utterance, at=at):
            return {"type": "speech_start", "utterance": utterance, "at": at}
        case Final(utterance=utterance, words=words):
            return {"type": "final", "utterance": utterance, "words": _from_words(words)}
        case SpeakerRevised(span=span, speaker=speaker):
            return {"type": "speaker", "span": [span.start, span.end], "speaker": speaker}
        case UtteranceEnded(utterance=utterance, span=span):
            return {"type": "utterance_end", "utterance": utterance, "span": [span.start, span.end]}
        case Correction(utterance=utterance, span=span, words=words):
            return {
                "type": "correction",
                "utterance": utterance,
                "span": [span.start, span.end],
                "words": _from_words(words),
            }
        case LanguageDetected(language=language):
            return {
                "type": "language",
                "language": language.code,
                "confidence": language.confidence,
            }
        case _:
            assert_never(event)


# `json.loads` gives untyped values. A wrong one among them raises TypeError or KeyError, or is
# refused by the type it is put into; our own lines are what this reads.
def _event(fields: dict[str, object]) -> LastingEvent:
    match fields["type"]:
        case "speech_start":
            return SpeechStarted(_utterance(fields), Samples(_whole(fields["at"])))
        case "final":
            return Final(_utterance(fields), _to_words(fields["words"]))
        case "speaker":
            return SpeakerRevised(_span(fields["span"]), _speaker(fields["speaker"]))
        case "utterance_end":
            return UtteranceEnded(_utterance(fields), _span(fields["span"]))
        case "correction":
            span, words = _span(fields["span"]), _to_words(fields["words"])
            return Correction(_utterance(fields), span, words)
        case "language":
            confidence = Permille(_whole(fields["confidence"]))
            return LanguageDetected(DetectedLanguage(_text(fields["language"]), confidence))
        case other:
            raise ValueError(f"a type of event expected, got {type(other).__name__}")


def _from_words(words: Iterable[Word]) -> list[list[object]]:
    return [
        [word.text, word.span.start, word.span.end, word.confidence, word.speaker] for word in words
    ]


def _to_words(values: object) -> tuple[Word, ...]:
    return tuple(_word(*_list(value)) for value in _list(values))


def _word(text: object, start: object, end: object, confidence: object, speaker: object) -> Word:
    permille = Permille(_whole(confidence))
    return Word(_text(text), _span([start, end]), permille, _speaker(speaker))


def _utterance(fields: dict[str, object]) -> UtteranceId:
    return UtteranceId(_whole(fields["utterance"]))


def _span(value: object) -> Span:
    start, end = _list(value)
    return Span(Samples(_whole(start)), Samples(_whole(end)))


def _speaker(value: object) -> Speaker | None:
    return None if value is None else Speaker(_text(value))


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("an integer expected")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text expected")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a list expected")
    return value
