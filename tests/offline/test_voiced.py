"""Tests of `offline.voiced`, with a pass and a diarizer that play a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from offline.audio import HeldAudio
from offline.diarization import EngineDiarizer, OfflineDiarizer
from offline.domain import PassWord
from offline.jobs import JobKind, Task
from offline.ports import AudioSource, Progress
from offline.results import HeardWord, Hearing
from offline.voiced import SHORTEST_PASSAGE_MS, VoicedPass
from streaming.core.domain import SAMPLE_RATE, Permille, Span, from_ms
from streaming.engines.script import Script
from streaming.engines.scripted import ScriptedRecordingDiarizer

SCRIPT = Script.from_json(
    '[{"word": "one", "start": 0, "end": 1, "speaker": "a"},'
    ' {"word": "two", "start": 1, "end": 2, "speaker": "a"},'
    ' {"word": "three.", "start": 2, "end": 3, "speaker": "a"},'
    ' {"word": "four", "start": 4, "end": 5, "speaker": "b"}]'
)
ANSWERED = Script.from_json(
    '[{"word": "one", "start": 0, "end": 1, "speaker": "a"},'
    ' {"word": "two", "start": 1, "end": 2, "speaker": "a"},'
    ' {"word": "yes", "start": 1.5, "end": 3, "speaker": "b"}]'
)
AUDIO = HeldAudio(np.zeros(100 * SAMPLE_RATE, dtype=np.float32))


class Words:
    """A `Pass` that hears the words of the script, and may ask where several talk at once."""

    def __init__(self, words: Sequence[PassWord], *, asks: bool = False) -> None:
        self.words = words
        self.asks = asks
        self.overlaps: list[Span] = []

    def hear(
        self,
        audio: AudioSource,
        task: Task,
        earlier: Sequence[Sequence[PassWord]],
        progress: Progress,
        overlaps: Callable[[], Sequence[Span]] = tuple,
    ) -> Hearing:
        """Return them."""
        del task, earlier
        progress(0.0)
        self.overlaps = list(overlaps()) if self.asks else []
        progress(1.0)
        end_ms = audio.samples * 1000 // SAMPLE_RATE
        return Hearing(0, end_ms, tuple(HeardWord(word) for word in self.words), language="en")


def said() -> list[PassWord]:
    return [
        PassWord(w.text, w.span.start // 16, w.span.end // 16, Permille(900)) for w in SCRIPT.words
    ]


class Loading:
    """Makes the diarizer, and counts how often."""

    def __init__(self, script: Script = SCRIPT) -> None:
        self.loads = 0
        self._script = script

    def __call__(self) -> OfflineDiarizer:
        self.loads += 1
        return EngineDiarizer(ScriptedRecordingDiarizer(self._script))


def hear(task: Task, words: Sequence[PassWord] | None = None) -> tuple[Hearing, list[float], int]:
    """Return what is heard, the progress told, and how often the diarizer was loaded."""
    load, told = Loading(), list[float]()
    voiced = VoicedPass(Words(said() if words is None else words), load)
    hearing = voiced.hear(AUDIO, task, (), told.append)
    assert voiced.hear(AUDIO, task, (), told.append) == hearing
    return hearing, told[: len(told) // 2], load.loads


@pytest.mark.parametrize("kind", [JobKind.RECORDING, JobKind.UPLOAD])
def test_words_have_the_voices_of_the_turns_they_are_in(kind: JobKind) -> None:
    hearing, told, loads = hear(Task(kind, "t", "s"))
    assert [heard.voice for heard in hearing.words] == [0, 0, 0, 1]
    assert [heard.word for heard in hearing.words] == said()
    assert len(hearing.voices) == 2
    assert hearing.language == "en"
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    assert loads == 1


@pytest.mark.parametrize(
    "task",
    [
        Task(JobKind.STRETCH, "t", "s"),
        Task(JobKind.RECORDING, "t", "s", diarization=False),
        Task(JobKind.PASSAGE, "t", "s", start_ms=1, end_ms=SHORTEST_PASSAGE_MS),
    ],
)
def test_voices_are_told_apart_only_where_they_can_be_and_are_wanted(task: Task) -> None:
    hearing, _, loads = hear(task)
    assert (hearing.voices, loads) == ((), 0)


def test_a_long_passage_has_voices() -> None:
    hearing, _, _ = hear(Task(JobKind.PASSAGE, "t", "s", end_ms=SHORTEST_PASSAGE_MS))
    assert len(hearing.voices) == 2


def test_where_nobody_said_a_word_nobody_is_told_apart() -> None:
    hearing, told, loads = hear(Task(JobKind.RECORDING, "t", "s"), words=())
    assert (hearing.words, hearing.voices, loads) == ((), (), 0)
    assert told[-1] == 1.0


def test_a_pass_learns_where_several_talk_at_once() -> None:
    load, told = Loading(ANSWERED), list[float]()
    words = Words(said(), asks=True)

    hearing = VoicedPass(words, load).hear(AUDIO, Task(JobKind.UPLOAD, "t", "s"), (), told.append)

    assert words.overlaps == [Span(from_ms(1_500), from_ms(2_000))]
    assert len(hearing.voices) == 2
    assert load.loads == 1
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_another_corrector_may_be_plugged_in() -> None:
    class Backwards:
        def correct(self, words: Sequence[HeardWord]) -> Sequence[int | None]:
            return [heard.voice for heard in reversed(words)]

    voiced = VoicedPass(Words(said()), Loading(), Backwards())
    hearing = voiced.hear(AUDIO, Task(JobKind.UPLOAD, "t", "s"), (), lambda _: None)
    assert [heard.voice for heard in hearing.words] == [1, 0, 0, 0]
