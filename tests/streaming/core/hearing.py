"""Sessions heard by scripted engines, and a reader that holds them to every promise of `events`.

`Hearing` carries out the work of a session, at once or whenever a test likes. It feeds audio whose
samples are their own numbers, so that it can check that each window holds what it should.
`Reader` takes the events as a client does and fails at the first one that breaks a promise.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from random import Random
from types import FunctionType, ModuleType
from typing import assert_never

import numpy as np

from streaming.core.domain import FRAME, DetectedLanguage, Pcm, Samples, Span, UtteranceId, Word
from streaming.core.events import (
    Correction,
    EngineFailed,
    Event,
    Final,
    LanguageDetected,
    Partial,
    SpeakerRevised,
    SpeechStarted,
    UtteranceEnded,
)
from streaming.core.ports import Effort
from streaming.core.session import ATTEMPTS, StreamSession
from streaming.core.settings import FinalsMode, SessionSettings
from streaming.core.work import (
    Diarize,
    Diarized,
    Failed,
    LeftOut,
    Recognize,
    Recognized,
    Result,
    Score,
    Scored,
    Work,
    WorkId,
)
from streaming.engines.scripted import ScriptedDiarizer, ScriptedRecognizer, ScriptedVad
from tests.streaming.core.scripts import Talk, text_of

UNKNOWN = WorkId(10**9)


def numbered(span: Span) -> Pcm:
    """Return audio in which every sample is its own number, plus one: zero is silence."""
    return np.arange(span.start + 1, span.end + 1, dtype=np.float32)


def kind_of(work: Work) -> str:
    """Return whose work it is; a session has at most one piece of each kind out at a time."""
    match work:
        case Score():
            return "score"
        case Diarize():
            return "diarize"
        case Recognize():
            return work.window.effort.value
        case _:
            assert_never(work)


KINDS = ("score", "diarize", Effort.LIVE.value, Effort.UTTERANCE.value)


def held_objects(session: object) -> int:
    """Return how many objects a session keeps alive."""
    seen = {id(session)}
    found = [session]
    for each in found:
        for other in gc.get_referents(each):
            if id(other) not in seen and not isinstance(other, (type, FunctionType, ModuleType)):
                seen.add(id(other))
                found.append(other)
    return len(found)


class Reader:
    """What a client knows of a session; every event is checked against what it promises.

    Attributes:
        finals: All words of `Final`, as they came.
        standing: The transcript: finals as corrected and revised since, as a client folds them.
    """

    def __init__(self, settings: SessionSettings, first: UtteranceId = UtteranceId(0)) -> None:
        """Know nothing yet."""
        self._settings = settings
        self._first = first
        self.finals: list[tuple[UtteranceId, Word]] = []
        self.standing: list[tuple[UtteranceId, Word]] = []
        self.partial: Partial | None = None
        self.began: list[SpeechStarted] = []
        self.ended: list[UtteranceEnded] = []
        self.corrections: list[Correction] = []
        self.language: DetectedLanguage | None = None
        self.failed: EngineFailed | None = None

    @property
    def plain(self) -> list[Word]:
        """All final words, without their speakers."""
        return [replace(each, speaker=None) for _, each in self.finals]

    @property
    def words(self) -> list[Word]:
        """The transcript's words, with the speakers known now."""
        return [each for _, each in self.standing]

    def read(self, event: Event, heard_until: Samples) -> None:
        """Take an event of a session that was fed up to `heard_until`."""
        assert self.failed is None, "nothing follows the failure of an engine"
        match event:
            case SpeechStarted():
                self._begin(event)
            case Partial():
                self._replace(event, heard_until)
            case Final():
                self._append(event, heard_until)
            case SpeakerRevised():
                self._revise(event)
            case UtteranceEnded():
                self._end(event, heard_until)
            case Correction():
                self._correct(event)
            case LanguageDetected():
                assert self._settings.language is None
                assert self.language is None, "the language is told once"
                self.language = event.language
            case EngineFailed():
                self.failed = event
            case _:
                assert_never(event)

    def _begin(self, event: SpeechStarted) -> None:
        assert event.utterance == self._first + len(self.began), "utterances are counted"
        self.began.append(event)

    def _replace(self, event: Partial, heard_until: Samples) -> None:
        assert self._settings.partials
        assert event != self.partial, "a partial says something new"
        self._is_open(event.utterance)
        self._in_order(event.words, heard_until)
        assert 0 <= event.stable <= len(event.words)
        self.partial = event

    def _append(self, event: Final, heard_until: Samples) -> None:
        assert event.words, "a final is never empty"
        self._is_open(event.utterance)
        self._in_order(event.words, heard_until)
        said = [(event.utterance, each) for each in event.words]
        self.finals += said
        self.standing += said

    def _is_open(self, utterance: UtteranceId) -> None:
        assert any(began.utterance == utterance for began in self.began)
        assert all(ended.utterance != utterance for ended in self.ended), "it ended before"

    def _in_order(self, words: Iterable[Word], heard_until: Samples) -> None:
        """Words are in what was heard, in order, none twice, and none of them is final."""
        until = self.finals[-1][1].span.end if self.finals else Samples(0)
        for each in words:
            assert until <= each.span.start, "a word begins where the one before ends or later"
            until = each.span.end
        assert until <= heard_until, "no word ends in audio that has not come"

    def _revise(self, event: SpeakerRevised) -> None:
        changed = 0
        for index, (utterance, each) in enumerate(self.standing):
            if _lies_in(each, event.span):
                changed += each.speaker != event.speaker
                self.standing[index] = (utterance, replace(each, speaker=event.speaker))
        assert changed, "a revision changes something"

    def _end(self, event: UtteranceEnded, heard_until: Samples) -> None:
        began = self.began[len(self.ended)]
        assert event.utterance == began.utterance, "utterances end in order"
        assert began.at == event.span.start <= event.span.end <= heard_until
        assert not self.ended or self.ended[-1].span.end <= event.span.start
        self.ended.append(event)
        if self.partial is not None and self.partial.utterance == event.utterance:
            self.partial = None

    def _correct(self, event: Correction) -> None:
        assert self._settings.finals is FinalsMode.WORD, "finals of utterances are never corrected"
        (ended,) = (each.span for each in self.ended if each.utterance == event.utterance)
        assert ended.overlap(event.span) == event.span.length
        assert all(each.utterance < event.utterance for each in self.corrections)
        until = event.span.start
        for each in event.words:
            assert until <= each.span.start
            until = each.span.end
        assert until <= event.span.end
        assert text_of(event.words) != text_of(
            each for utterance, each in self.finals if utterance == event.utterance
        )
        self.corrections.append(event)
        kept = [
            (utterance, each)
            for utterance, each in self.standing
            if utterance != event.utterance or not _lies_in(each, event.span)
        ]
        corrected = [(event.utterance, each) for each in event.words]
        self.standing = sorted([*kept, *corrected], key=lambda each: each[1].span.start)


def _lies_in(word: Word, span: Span) -> bool:
    """Whether the middle of a word does, both ends included: the rule of the protocol."""
    return 2 * span.start <= word.span.start + word.span.end <= 2 * span.end


class Hearing:
    """A session, the engines that play its script, and its reader; owned by one test."""

    def __init__(
        self,
        talk: Talk,
        settings: SessionSettings,
        *,
        start: Samples = Samples(0),
        first: UtteranceId = UtteranceId(0),
        hesitates: bool = False,
    ) -> None:
        """Begin to hear `talk`, whose times are those of the session's clock."""
        self.session = StreamSession(settings, start, first)
        self.reader = Reader(settings, first)
        self.events: list[Event] = []
        self.waiting: list[tuple[Work, Result]] = []
        self.fixed_until = start
        self._start = start
        self._scored: list[float] = []
        self._diarizers: dict[WorkId, ScriptedDiarizer] = {}
        self._vad = ScriptedVad(talk.script, start=start)
        self._recognizer = ScriptedRecognizer(talk.script, hesitates=hesitates)
        self._diarizer = ScriptedDiarizer(
            talk.script, settings.diarization_latency, hesitates=hesitates
        )

    def feed(self, length: int) -> None:
        """Feed the next samples."""
        at = self.session.received
        self.session.feed(numbered(Span(at, Samples(at + length))))
        self.read()

    def flush(self) -> None:
        """Flush the session."""
        self.session.flush()
        self.read()

    def finish(self) -> None:
        """Finish the session."""
        self.session.finish()
        self.read()

    def ask(self) -> Work | None:
        """Take the next piece of work; its outcome waits to be told."""
        work = self.session.next_work()
        self.read()
        if work is not None:
            assert all(kind_of(other) != kind_of(work) for other, _ in self.waiting)
            self._check(work)
            self.waiting.append((work, self._outcome(work)))
        return work

    def renew(self) -> None:
        """Let the turn of all that waits come now."""
        for index, (work, _) in enumerate(self.waiting):
            newer = self._renewed(work)
            if newer is not work:
                self._check(newer)
                self.waiting[index] = (newer, self._outcome(newer))

    def _renewed(self, work: Work) -> Work:
        """Return a window with the audio that came meanwhile."""
        match work:
            case Score():
                return work
            case Diarize():
                later = self.session.caught_up(work)
                assert later.id == work.id
                assert later.start >= work.start, "audio that came only leads on"
                return later
            case Recognize():
                newer = self.session.renewed(work)
                assert newer.id == work.id
                assert newer.window.effort is work.window.effort
                assert _end_of(newer) >= _end_of(work), "audio that came only adds to it"
                return newer
            case _:
                assert_never(work)

    def tell(self, result: Result) -> None:
        """Tell the session an outcome."""
        fixed = self._fixed_words()
        self.session.complete(result)
        self.read()
        if isinstance(result, Diarized):
            self._diarizer = self._diarizers.pop(result.id, self._diarizer)
            assert self._fixed_words() == fixed, "their speakers were fixed before"
            self.fixed_until = max(self.fixed_until, result.diarization.fixed_until)

    def fail(self, work: Work) -> None:
        """Tell that a piece of work could not be carried out."""
        self.waiting = [each for each in self.waiting if each[0].id != work.id]
        self.tell(Failed(work.id, "broken"))

    def _fixed_words(self) -> list[Word]:
        return [each for each in self.reader.words if each.span.end <= self.fixed_until]

    def work_off(self) -> None:
        """Carry out all work there is, each piece before the next is asked for."""
        while self.ask() is not None:
            self.tell(self.waiting.pop()[1])

    def hear(self, lengths: Iterable[int]) -> Reader:
        """Hear audio in pieces of these lengths with prompt answers, to the end."""
        for length in lengths:
            self.feed(length)
            self.work_off()
        self.finish()
        self.work_off()
        return self.reader

    def read(self) -> None:
        """Give the reader what became true."""
        for event in self.session.events():
            self.events.append(event)
            self.reader.read(event, self.session.received)

    def _outcome(self, work: Work) -> Result:
        match work:
            case Score():
                return Scored(work.id, self._scores(work))
            case Diarize():
                # Not heard yet by the diarizer that goes on: it may fail, or hear a later one.
                heard = copy(self._diarizer)
                self._diarizers[work.id] = heard
                return Diarized(work.id, heard.label(work.window, work.start))
            case Recognize():
                return Recognized(work.id, self._recognizer.recognize([work.window])[0])
            case _:
                assert_never(work)

    def _scores(self, work: Score) -> tuple[float, ...]:
        """Score frames; those of a piece of work that failed before are remembered."""
        first = (work.start - self._start) // FRAME
        known = len(self._scored) - first
        self._scored += [self._vad.score(frame) for frame in work.frames[known:]]
        return tuple(self._scored[first : first + len(work.frames)])

    def _check(self, work: Work) -> None:
        """A piece of work holds the audio it is about."""
        match work:
            case Score():
                start, pcm = work.start, work.frames.reshape(-1)
            case Diarize():
                start, pcm = work.start, work.window
            case Recognize():
                start, pcm = work.window.start, work.window.pcm
                assert start >= self._start
            case _:
                assert_never(work)
        expected = numbered(Span(start, Samples(start + len(pcm))))
        expected[expected <= self._start] = 0
        expected[expected > self.session.received] = 0
        assert np.array_equal(pcm, expected)


def _end_of(work: Recognize) -> int:
    return work.window.start + len(work.window.pcm)


class Unruly:
    """Hears a talk with results that come late, in any order, twice, after failures, or never.

    Attributes:
        withheld: Kinds of work that are not answered before `relent` is called.
        broken: Kinds of work that always fail.
        failures: How often one of them was told to have failed.
        flush_chance: How likely each step begins with a flush.
        flushes: Where the session was flushed.
    """

    def __init__(self, hearing: Hearing, talk: Talk, random: Random) -> None:
        """Take over a hearing that has not begun."""
        self.hearing = hearing
        self.withheld: frozenset[str] = frozenset()
        self.broken: frozenset[str] = frozenset()
        self.failures = 0
        self.flushes: list[Samples] = []
        self.flush_chance = 0.0
        self._random = random
        self._end = talk.length
        self._haste = random.choice((0.1, 0.4, 0.8))
        self._failing = random.choice((0.0, 0.0, 0.3))
        self._largest = random.choice((700, 8_000, 60_000))
        self._failures: dict[str, int] = {}
        self._told: list[Result] = []

    def hear(self) -> Reader:
        """Feed everything, and answer everything at last."""
        for _ in self.steps():
            pass
        self.relent()
        return self.hearing.reader

    def steps(self) -> Iterator[None]:
        """Feed everything in random pieces while room lasts, with random answers between."""
        session = self.hearing.session
        while session.received < self._end:
            room = min(session.room, self._end - session.received)
            if room == 0 and not self._answerable():
                if self.hearing.ask() is None:
                    return
            elif self._random.random() < 0.3:
                self.hearing.feed(self._random.randint(0, min(room, self._largest)))
            self._step()
            assert session.step > 0
            yield

    def relent(self) -> None:
        """Withhold and fail nothing any more, and bring the session to its end."""
        self.withheld, self._failing = frozenset(), 0.0
        session = self.hearing.session
        while session.received < self._end and not session.finished:
            self.hearing.feed(min(session.room, self._end - session.received))
            self._answer_all()
        self.hearing.finish()
        self._answer_all()

    def _step(self) -> None:
        if self._random.random() < self.flush_chance:
            self.hearing.flush()
            self.flushes.append(self.hearing.session.received)
        if self._random.random() < 0.6:
            self.hearing.ask()
        if self._random.random() < 0.3:
            self.hearing.renew()
        while self._answerable() and self._random.random() < self._haste:
            self._answer()
        if self._random.random() < 0.1:
            self._disturb()

    def _answer_all(self) -> None:
        while self.hearing.ask() is not None or self.hearing.waiting:
            if self.hearing.waiting and self._random.random() < 0.5:
                self._answer()

    def _answerable(self) -> list[int]:
        waiting = enumerate(self.hearing.waiting)
        return [index for index, (work, _) in waiting if kind_of(work) not in self.withheld]

    def _answer(self) -> None:
        work, result = self.hearing.waiting.pop(self._random.choice(self._answerable()))
        engine = type(work).__name__
        failures = self._failures.get(engine, 0)
        if kind_of(work) in self.broken:
            self.failures += not self.hearing.session.finished
            result = Failed(work.id, "broken")
        elif failures + 1 < ATTEMPTS and self._random.random() < self._failing:
            result = Failed(work.id, "told to")
        elif isinstance(work, Recognize) and work.optional and self._random.random() < 0.3:
            result = LeftOut(work.id)
        if not isinstance(result, LeftOut):  # Nothing was tried.
            self._failures[engine] = failures + 1 if isinstance(result, Failed) else 0
        self.hearing.tell(result)
        self._told = [*self._told[-5:], result]

    def _disturb(self) -> None:
        """Tell what was told before, and what was never asked."""
        before = len(self.hearing.events)
        for result in (*self._told, Failed(UNKNOWN, "never asked"), Scored(UNKNOWN, (1.0,))):
            self.hearing.tell(result)
        assert len(self.hearing.events) == before


def cuts(length: int, random: Random, largest: int) -> list[int]:
    """Return lengths of up to `largest` that add up to `length`."""
    lengths: list[int] = []
    while (rest := length - sum(lengths)) > 0:
        lengths.append(min(rest, random.randint(1, largest)))
    return lengths
