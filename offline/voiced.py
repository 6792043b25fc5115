"""A pass that also says whose voice each word is.

    words of a pass, turns of a diarization -> speaking -> speaker correction -> words with voices

Voices are told apart where there is enough to know them by: not in stretches of a session that goes
on, whose live diarizer has heard more of it, nor in short passages. Their words keep the speakers
of the turns they come into.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Protocol

from offline.diarization import OfflineDiarization, OfflineDiarizer, overlaps
from offline.domain import PassWord
from offline.jobs import JobKind, Task
from offline.ports import AudioSource, Progress
from offline.results import HeardWord, Hearing
from offline.speaker_correction import SentenceCorrector, SpeakerCorrector
from offline.speaking import assign
from streaming.core.domain import Span

LISTENING = 0.65
"""The part of the work that recognition is: 0.13 s for each second, and diarization 0.07 s."""

SHORTEST_PASSAGE_MS = 60_000
"""From this length on the voices of a passage are told apart."""


class Pass(Protocol):
    """Hears tasks, see `offline.accurate.AccuratePass.hear`."""

    def hear(
        self,
        audio: AudioSource,
        task: Task,
        earlier: Sequence[Sequence[PassWord]],
        progress: Progress,
        overlaps: Callable[[], Sequence[Span]] = ...,
    ) -> Hearing:
        """Hear what a task asks for."""
        ...


class VoicedPass:
    """Has a pass hear, and tells voices apart; owned by the process that computes them."""

    def __init__(
        self,
        words: Pass,
        load: Callable[[], OfflineDiarizer] | None,
        corrector: SpeakerCorrector | None = None,
    ) -> None:
        """Load nothing yet.

        Args:
            words: What hears words.
            load: Makes the diarizer, when a task wants one for the first time; `None` where
                voices are never told apart, whatever a task wants.
            corrector: Looks at who said what; `SentenceCorrector` where none is given.
        """
        self._words = words
        self._load = load
        self._corrector = corrector or SentenceCorrector()
        self._diarizer: OfflineDiarizer | None = None

    def hear(
        self,
        audio: AudioSource,
        task: Task,
        earlier: Sequence[Sequence[PassWord]],
        progress: Progress,
    ) -> Hearing:
        """Hear what a task asks for, with voices where it wants them.

        Raises:
            StreamingError: A model cannot be had.
        """
        load = self._load
        if load is None or not _wants_voices(task):
            return self._words.hear(audio, task, earlier, progress)
        listening, telling_apart = _shares(progress, LISTENING)

        @cache
        def diarized() -> OfflineDiarization:
            if self._diarizer is None:
                self._diarizer = load()
            return self._diarizer.diarize(audio, task.span(audio.samples), telling_apart)

        def at_once() -> Sequence[Span]:
            return overlaps(diarized().turns)

        hearing = self._words.hear(audio, task, earlier, listening, at_once)
        if not hearing.words:
            progress(1.0)
            return hearing
        found = diarized()
        words = assign([heard.word for heard in hearing.words], found.turns)
        voices = self._corrector.correct(words)
        spoken = tuple(
            HeardWord(heard.word, voice) for heard, voice in zip(words, voices, strict=True)
        )
        return replace(hearing, words=spoken, voices=found.voices)


def _shares(progress: Progress, share: float) -> tuple[Progress, Progress]:
    """Return what to tell the progress of two parts of a work, of which the first is this much."""
    done = [0.0, 0.0]

    def tell(which: int, part: float) -> None:
        done[which] = part
        progress(share * done[0] + (1 - share) * done[1])

    return partial(tell, 0), partial(tell, 1)


def _wants_voices(task: Task) -> bool:
    if not task.diarization or task.kind is JobKind.STRETCH:
        return False
    long = task.end_ms is None or task.end_ms - task.start_ms >= SHORTEST_PASSAGE_MS
    return task.kind is not JobKind.PASSAGE or long
