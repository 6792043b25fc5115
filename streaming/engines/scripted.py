"""Engines that play a script instead of listening: for tests, and for load tests without models.

A `Script` says which words are spoken when, and by whom, on the session clock. The engines never
look at the audio; they answer as if the script were in it. Every session therefore plays the
script from its own first sample, and equal calls get equal answers, on any machine.

What they promise beyond their ports:

- `ScriptedVad` gives each frame the part of it that speech covers (0..1).
- `ScriptedRecognizer` answers the words that lie in the window. It hears a word when the middle
  of the word is in the window and so is its end: a word cut at its beginning counts from half,
  a word cut at its end is not heard. With `hesitates`, a word whose second half is cut by the end
  of a live window is heard wrongly instead, so that
  hypotheses do change as they do with a real model. `UTTERANCE` windows are never misheard.
- `ScriptedDiarizer` answers the script's turns. With `hesitates`, a turn that began in the part
  that may still be revised is given to the speaker of the turn before it.

A `Conduct` makes any of them slow or failing. They sleep in the thread that calls them, which is
the caller's worker: with the delay of zero nothing here waits, and no thread is ever made.
"""

from __future__ import annotations

import itertools
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from streaming.core.domain import (
    FRAME,
    DetectedLanguage,
    Pcm,
    Permille,
    Samples,
    Span,
    Speaker,
    Turn,
    Voice,
    Word,
)
from streaming.core.ports import Diarization, Effort, RecognitionWindow, Transcription
from streaming.engines.script import Script

_SURE = Permille(900)
_UNSURE = Permille(300)


class ScriptedFailure(Exception):
    """The engine was told to fail at this call."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """How an engine behaves that knows its script.

    Attributes:
        delay_s: How long each call sleeps, in the calling thread, before it answers.
        fails_at: Numbers of the calls of one engine, from 0, that raise `ScriptedFailure`.
    """

    delay_s: float = 0.0
    fails_at: frozenset[int] = frozenset()


WELL = Conduct()
"""At once and without failure."""


class _Performance:
    """Counts the calls of one engine and carries out its `Conduct`."""

    def __init__(self, conduct: Conduct) -> None:
        self._conduct = conduct
        # Counting is atomic, and a recognizer is called from several threads.
        self._calls = itertools.count()

    def begin(self) -> None:
        """Start a call: wait or fail as told."""
        call = next(self._calls)
        if self._conduct.delay_s > 0:
            time.sleep(self._conduct.delay_s)
        if call in self._conduct.fails_at:
            raise ScriptedFailure(f"told to fail at call {call}")


class ScriptedVad:
    """Voice activity of the script: implements `Vad`. Owned by one session."""

    def __init__(
        self, script: Script, conduct: Conduct = WELL, *, start: Samples = Samples(0)
    ) -> None:
        """Stand at sample `start` of the script."""
        self._speech = _union(turn.span for turn in script.turns)
        self._performance = _Performance(conduct)
        self._position = int(start)
        self._next = 0

    def score(self, frame: Pcm) -> float:
        """Return the part of the next frame that speech covers; a failed call skips no frame.

        Raises:
            ScriptedFailure: The conduct says so.
            ValueError: `frame` is not of shape `(FRAME,)`.
        """
        if frame.shape != (FRAME,):
            raise ValueError(f"expected a frame of shape ({FRAME},), got {frame.shape}")
        self._performance.begin()
        heard = Span(Samples(self._position), Samples(self._position + FRAME))
        self._position += FRAME
        while self._next < len(self._speech) and self._speech[self._next].end <= heard.start:
            self._next += 1
        covered = 0
        for span in self._speech[self._next :]:
            if span.start >= heard.end:
                break
            covered += span.overlap(heard)
        return covered / FRAME


def _union(spans: Iterable[Span]) -> list[Span]:
    """Return what any of the spans covers, as spans that do not overlap, in time order."""
    united: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if united and span.start <= united[-1].end:
            united[-1] = Span(united[-1].start, max(united[-1].end, span.end))
        else:
            united.append(span)
    return united


class ScriptedDiarizer:
    """The script's turns as a diarizer learns of them: implements `Diarizer`.

    Owned by one session.
    """

    def __init__(
        self,
        script: Script,
        latency: Samples,
        *,
        hesitates: bool = False,
        conduct: Conduct = WELL,
    ) -> None:
        """Begin a session in which labels are fixed `latency` before a window's end."""
        self._script = script
        self._latency = latency
        self._hesitates = hesitates
        self._performance = _Performance(conduct)
        self._fixed_until = Samples(0)

    def label(self, window: Pcm, start: Samples) -> Diarization:
        """Return the turns up to the window's end (see `Diarizer.label`).

        Raises:
            ScriptedFailure: The conduct says so.
        """
        self._performance.begin()
        since, end = self._fixed_until, Samples(start + len(window))
        self._fixed_until = max(since, Samples(end - self._latency))
        turns = [
            Turn(Span(max(turn.span.start, since), min(turn.span.end, end)), speaker)
            for turn, speaker in self._labelled()
            if turn.span.end > since and turn.span.start < end
        ]
        return Diarization(tuple(_merged(turns)), self._fixed_until)

    def _labelled(self) -> Iterable[tuple[Turn, Speaker]]:
        """Return each turn with the speaker that it is given to."""
        before: Speaker | None = None
        for turn in self._script.turns:
            unsure = self._hesitates and turn.span.start >= self._fixed_until
            yield turn, before if unsure and before is not None else turn.speaker
            before = turn.speaker


def _merged(turns: Sequence[Turn]) -> list[Turn]:
    """Return the turns with those of one speaker united, in time order."""
    speakers = dict.fromkeys(turn.speaker for turn in turns)
    merged = [
        Turn(span, speaker)
        for speaker in speakers
        for span in _union(turn.span for turn in turns if turn.speaker == speaker)
    ]
    return sorted(merged, key=lambda turn: turn.span.start)


class ScriptedRecognizer:
    """The script's words: implements `Recognizer`. Shared by sessions, safe in threads."""

    def __init__(self, script: Script, *, hesitates: bool = False, conduct: Conduct = WELL) -> None:
        """Know the script; one performance for all sessions, each from its first sample."""
        self._script = script
        self._hesitates = hesitates
        self._performance = _Performance(conduct)
        self._middles = [(word.span.start + word.span.end) // 2 for word in script.words]

    def kin(self, _window: RecognitionWindow) -> None:
        """Return that nothing is gained by recognising windows together."""

    def recognize(self, windows: Sequence[RecognitionWindow]) -> Sequence[Transcription]:
        """Return what each window holds of the script (see `Recognizer.recognize`).

        One call, for the conduct, is one batch.

        Raises:
            ScriptedFailure: The conduct says so.
        """
        self._performance.begin()
        return [self._transcription(window) for window in windows]

    def _transcription(self, window: RecognitionWindow) -> Transcription:
        span = Span(window.start, Samples(window.start + len(window.pcm)))
        heard = self._script.words[
            bisect_left(self._middles, span.start) : bisect_right(self._middles, span.end - 1)
        ]
        unsure = self._hesitates and window.effort is Effort.LIVE
        words = [
            _misheard(word, span) if word.span.end > span.end else word
            for word in heard
            if unsure or word.span.end <= span.end
        ]
        detected = DetectedLanguage(self._script.language, _SURE)
        return Transcription(
            tuple(_within(word, span) for word in words),
            detected if window.language is None else None,
        )


def _within(word: Word, window: Span) -> Word:
    """Return a word that was cut at its beginning as the window has it."""
    return replace(word, span=Span(max(word.span.start, window.start), word.span.end))


def _misheard(word: Word, window: Span) -> Word:
    """Return what is heard of a word that the window's end cuts: the letters, rotated by one."""
    sound = word.text.strip()
    wrong = word.text.replace(sound, sound[1:] + sound[:1]) if sound else word.text
    return replace(word, text=wrong, span=Span(word.span.start, window.end), confidence=_UNSURE)


_PRINT_LENGTH = 192
"""Voices of a script sound like axes: as many as that are told apart."""

_HEARD_WELL = 100.0


class ScriptedRecordingDiarizer:
    """Answers the script's turns for a whole recording: implements `RecordingDiarizer`."""

    def __init__(self, script: Script) -> None:
        """Play a script from a recording's first sample."""
        self._script = script

    def diarize(
        self,
        read: Callable[[Span], Pcm],
        samples: Samples,
        progress: Callable[[float], None],
    ) -> Diarization:
        """Return the turns that begin in the recording (see `RecordingDiarizer.diarize`)."""
        del read  # it knows what is said
        progress(0.5)
        turns = [
            Turn(Span(turn.span.start, Samples(min(turn.span.end, samples))), turn.speaker)
            for turn in self._script.turns
            if turn.span.start < samples
        ]
        voices = [
            Voice(speaker, _axis(number), _HEARD_WELL)
            for number, speaker in enumerate(dict.fromkeys(turn.speaker for turn in turns))
        ]
        progress(1.0)
        return Diarization(tuple(turns), samples, tuple(voices))


def _axis(number: int) -> bytes:
    row = np.zeros(_PRINT_LENGTH, dtype="<f4")
    row[number % _PRINT_LENGTH] = 1.0
    return row.tobytes()
