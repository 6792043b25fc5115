"""The accurate pass: audio and what earlier passes heard of it, to words that are better than both.

    audio -> voice activity -> windows of speech -> each stage hears them -> all readings vote

A stage hears a window once or in several ways (`streaming.core.ports.Search`); what earlier passes
heard of the window votes as well, because each decoding fails where another does not: on three
talks of 2-4 speakers (964 words) the live pass makes 168 errors, and its utterance pass leaves 129.
One decoding more leaves 127 or 128 by itself, and 112 with those two; a file that nobody heard
before has 118 after two decodings. Repeat with `python -m loadtest accuracy`.

The same audio, task and models give the same words every time. Memory does not grow with the
audio's length, but for its words: a minute of audio is held at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from offline.cache import ResultCache
from offline.certainty import CertaintyRules, is_certain
from offline.domain import PassWord
from offline.errors import LanguageError
from offline.guards import believable
from offline.jobs import JobKind, Task
from offline.listening import Asked, Listener, Request
from offline.passes import Passes, Stage
from offline.ports import AudioSource, Progress
from offline.results import HeardWord, Hearing
from offline.voting import vote
from offline.windows import WindowRules, speech_in, windows_of
from streaming.core.domain import FRAME, Samples, Span, Word, from_ms, to_ms
from streaming.core.ports import Vad
from streaming.core.utterance import in_order
from streaming.engines.recognizers import AUTO, Loaded, Machine, best, load_recognizer

SCORED_AT_ONCE = 1_000 * FRAME
"""Audio in which voice activity is looked for between two reports of progress: 32 s."""

SCORING = 0.05
"""What part of the work finding speech is."""

TOGETHER = 2
"""Windows that are heard at once: more save little, and take memory (`docs/performance.md`)."""

ENOUGH = 2
"""With so many readings of a window, one more decides; see `offline.passes.DEFAULT`."""

CONTEXT = from_ms(5_000)
"""Audio on either side of a passage that is heard along, and whose words are left out. Whisper
makes words up where it hears the half of one: of 20 passages of up to 1.5 s in two talks, nine came
back worse by themselves, and all nine right with it."""

EDGE = from_ms(500)
"""Words that are heard so near to a passage are told with it: word times are not exact, and whoever
compares has to see on both sides what is at its edges (`offline.comparison.NEAR_MS`)."""

ANEW = (JobKind.PASSAGE, JobKind.UPLOAD)
"""What somebody wants heard, and perhaps in another way than before: earlier passes do not vote."""

LIVE_ROWS = 2
"""Of what was heard before, the first rows are the live engine's: its live pass and its utterance
pass. They do not vote where another model hears, which is a better one: corrected by base, the live
words of tiny.en leave 139 errors on the three talks with their vote, and 117 without."""

MOST_LOADED = 2
"""Recognizers kept in memory between tasks: those of two stages."""


@dataclass(frozen=True, slots=True)
class Ear:
    """With what tasks are heard.

    Attributes:
        passes: Which stages there are.
        live_model: What the live pass hears with, see `streaming.engines.recognizers.best`.
        machine: Where recognizers compute.
        windows: What is heard at once.
        certainty: When a stage that hears only what is uncertain leaves a window alone.
    """

    passes: Passes
    live_model: str
    machine: Machine
    windows: WindowRules = field(default_factory=WindowRules)
    certainty: CertaintyRules = field(default_factory=CertaintyRules)


@dataclass(slots=True)
class _Window:
    """A window of one task, and what was heard in it so far, the newest reading first."""

    span: Span
    speech: Sequence[Span]
    readings: list[Sequence[Word]]


class AccuratePass:
    """Hears tasks, one at a time; owned by the process that computes them."""

    def __init__(
        self,
        ear: Ear,
        cache: ResultCache,
        load: Callable[[str, Machine], Loaded] = load_recognizer,
    ) -> None:
        """Load nothing yet.

        Args:
            ear: With what.
            cache: Where results are kept.
            load: Makes a recognizer of a name.
        """
        self._ear = ear
        self._cache = cache
        self._load = load
        self._loaded: dict[str, Loaded] = {}

    def hear(
        self,
        audio: AudioSource,
        task: Task,
        earlier: Sequence[Sequence[PassWord]],
        progress: Progress,
        overlaps: Callable[[], Sequence[Span]] = tuple,
    ) -> Hearing:
        """Hear what a task asks for; takes minutes for an hour of audio.

        Args:
            audio: Of the task's session.
            task: What to hear, and how.
            earlier: What passes before this one heard there, the oldest first, each as a whole
                and on the session's clock; the first `LIVE_ROWS` are the live engine's. Not asked
                where somebody wants it heard `ANEW`.
            overlaps: Tells where several talk at once; asked only where a stage leaves out what is
                certain.
            progress: Told again and again; what it raises ends the task, and what was heard by
                then is kept in the cache.

        Raises:
            NoStage: No pass hears such tasks.
            LanguageError: The recognizer does not know the task's language.
            StreamingError: A recognizer cannot be had as asked, or failed.
        """
        span = task.span(audio.samples)
        around = _with_context(span, audio.samples) if task.kind is JobKind.PASSAGE else span
        stages = _stages(self._ear.passes, task)
        languages: Counter[str] = Counter()
        first = self._recognizer(stages[0], task)
        windows = self._windows(audio, around, first.vad(around.start), progress)
        voters = () if task.kind in ANEW else earlier
        if first.name != self._ear.live_model:
            voters = voters[LIVE_ROWS:]
        for words in filter(None, voters):  # a pass without a word never listened
            _share_out([_word(word) for word in words], windows)
        at_once = overlaps() if any(stage.uncertain_only for stage in stages) else ()
        for number, stage in enumerate(stages):
            share = (1 - SCORING) / len(stages)
            part = _Part(progress, SCORING + number * share, share, windows)
            languages.update(self._hear(audio, task, stage, windows, at_once, part))
        progress(1.0)
        elected = [word for window in windows for word in vote(window.readings).words]
        return Hearing(
            start_ms=to_ms(span.start),
            end_ms=to_ms(span.end),
            words=tuple(
                HeardWord(_pass_word(word))
                for word in in_order(elected, around)
                if word.span.end > span.start - EDGE and word.span.start < span.end + EDGE
            ),
            language=max(languages, key=lambda code: languages[code], default=task.language),
        )

    def _windows(
        self, audio: AudioSource, span: Span, vad: Vad, progress: Progress
    ) -> list[_Window]:
        scores: list[float] = []
        for start in range(span.start, span.end, SCORED_AT_ONCE):
            progress(SCORING * (start - span.start) / span.length)
            # The last frame may reach beyond what is to be heard.
            frames = -(-min(SCORED_AT_ONCE, span.end - start) // FRAME)
            pcm = audio.read(Span(Samples(start), Samples(start + frames * FRAME)))
            scores += [vad.score(frame) for frame in pcm.reshape(-1, FRAME)]
        speech = speech_in(scores, span, self._ear.windows)
        return [
            _Window(window, _inside(window, speech), [])
            for window in windows_of(speech, scores, span, self._ear.windows)
        ]

    def _hear(
        self,
        audio: AudioSource,
        task: Task,
        stage: Stage,
        windows: Sequence[_Window],
        overlaps: Sequence[Span],
        part: _Part,
    ) -> dict[str, int]:
        """Let one stage hear; return how much of the audio is in which language."""
        listener = Listener(
            stage,
            self._recognizer(stage, task),
            Request(task.language, task.hotwords),
            self._cache,
        )
        for first in range(0, len(windows), TOGETHER):
            some = windows[first : first + TOGETHER]
            unsure = [
                window
                for window in some
                if not (stage.uncertain_only and self._is_certain(window, overlaps))
            ]
            asked = [
                Asked(window.span, audio.read(window.span), len(window.readings) >= ENOUGH)
                for window in unsure
            ]
            for window, heard in zip(unsure, listener.hear(asked), strict=True):
                readings = (heard.words, *heard.others)
                believed = [believable(words, window.speech) for words in readings]
                window.readings = [*believed, *window.readings]
            for window in some:
                part.advance(window.span)
        return listener.languages

    def _is_certain(self, window: _Window, overlaps: Sequence[Span]) -> bool:
        said, voters = vote(window.readings), len(window.readings)
        return is_certain(said, voters, window.speech, overlaps, self._ear.certainty)

    def _recognizer(self, stage: Stage, task: Task) -> Loaded:
        name, ear = stage.model, self._ear
        if name == AUTO:
            name = best(ear.live_model, task.language, ear.machine.cache)
        loaded = self._loaded.pop(name, None)
        if loaded is None:
            while len(self._loaded) >= MOST_LOADED:
                del self._loaded[next(iter(self._loaded))]
            loaded = self._load(name, ear.machine)
        self._loaded[name] = loaded
        if task.language is not None and task.language not in loaded.languages:
            raise LanguageError(task.language, name, loaded.languages)
        return loaded


class _Part:
    """Tells how far one stage is, as a part of the whole task."""

    def __init__(
        self, progress: Progress, done: float, share: float, windows: Sequence[_Window]
    ) -> None:
        self._progress = progress
        self._done = done
        self._each = share / max(1, sum(window.span.length for window in windows))

    def advance(self, heard: Span) -> None:
        self._done += self._each * heard.length
        self._progress(min(self._done, 1.0))


def _stages(passes: Passes, task: Task) -> tuple[Stage, ...]:
    """Return who hears a task: of a model that somebody chose, the last stage with it."""
    stages = passes.hearing(task.kind)
    if task.model is None:
        return stages
    return (replace(stages[-1], model=task.model, uncertain_only=False),)


def _with_context(span: Span, samples: Samples) -> Span:
    """Return a passage with what is said around it."""
    if not span.length:
        return span
    return Span(Samples(max(0, span.start - CONTEXT)), min(Samples(span.end + CONTEXT), samples))


def _share_out(words: Iterable[Word], windows: Sequence[_Window]) -> None:
    """Give each window what one earlier pass heard in it.

    A word goes to the window that its middle is in, or is closest to.
    """
    shares: list[list[Word]] = [[] for _ in windows]
    at = 0
    for word in words:
        middle = (word.span.start + word.span.end) // 2
        while at + 1 < len(windows) and _distance(windows[at + 1].span, middle) <= _distance(
            windows[at].span, middle
        ):
            at += 1
        if windows:
            shares[at].append(word)
    for window, share in zip(windows, shares, strict=True):
        window.readings = [believable(share, window.speech), *window.readings]


def _inside(window: Span, speech: Iterable[Span]) -> list[Span]:
    return [
        Span(max(each.start, window.start), min(each.end, window.end))
        for each in speech
        if each.overlap(window)
    ]


def _distance(span: Span, point: int) -> int:
    return max(span.start - point, point - span.end, 0)


def _word(word: PassWord) -> Word:
    return Word(word.text, Span(from_ms(word.start_ms), from_ms(word.end_ms)), word.confidence)


def _pass_word(word: Word) -> PassWord:
    return PassWord(word.text, to_ms(word.span.start), to_ms(word.span.end), word.confidence)
