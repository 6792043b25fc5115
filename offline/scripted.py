"""A pass that plays a script instead of listening: for tests, and for load tests without models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from offline.domain import PassWord
from offline.jobs import Task
from offline.results import HeardVoice, HeardWord, Hearing
from streaming.core.domain import Samples, Span, Speaker, Word, from_ms, to_ms
from streaming.engines.script import Script


class Length(Protocol):
    """Audio of which only the length counts."""

    @property
    def samples(self) -> Samples:
        """Its length."""
        ...


class ScriptedPass:
    """Hears what a script says, from a session's first sample; never looks at the audio.

    A word is heard when its middle is in the task's span, and in the audio.
    """

    def __init__(self, script: Script) -> None:
        self._script = script

    def hear(
        self,
        audio: Length,
        task: Task,
        earlier: Sequence[Sequence[PassWord]],  # noqa: ARG002 - the script knows better
        progress: Callable[[float], None],
    ) -> Hearing:
        """Return the words of a task's span; see `offline.child.Hear`."""
        end = audio.samples if task.end_ms is None else min(from_ms(task.end_ms), audio.samples)
        span = Span(min(from_ms(task.start_ms), end), end)
        words: list[Word] = []
        for index, word in enumerate(self._script.words):
            progress(index / len(self._script.words))
            if span.start <= (word.span.start + word.span.end) // 2 < span.end:
                words.append(word)
        progress(1.0)
        voices = self._voices(span) if task.diarization else {}
        return Hearing(
            to_ms(span.start),
            to_ms(span.end),
            tuple(self._heard(word, voices) for word in words),
            tuple(HeardVoice(b"", to_ms(spoken)) for _, spoken in voices.values()),
            task.language or self._script.language,
        )

    def _voices(self, span: Span) -> dict[Speaker, tuple[int, Samples]]:
        """Return who speaks in a span, each with its number and for how long."""
        spoken: dict[Speaker, Samples] = {}
        for turn in self._script.turns:
            if overlap := turn.span.overlap(span):
                spoken[turn.speaker] = Samples(spoken.get(turn.speaker, 0) + overlap)
        return {name: (number, length) for number, (name, length) in enumerate(spoken.items())}

    def _heard(self, word: Word, voices: dict[Speaker, tuple[int, Samples]]) -> HeardWord:
        told = PassWord(word.text, to_ms(word.span.start), to_ms(word.span.end), word.confidence)
        for turn in self._script.turns:
            if turn.speaker in voices and turn.span.overlap(word.span):
                return HeardWord(told, voices[turn.speaker][0])
        return HeardWord(told)
