"""A live session as a pure state machine: audio in, work out, results in, events out.

`StreamSession` knows no clock, thread, socket or model. Its owner feeds it audio, carries out the
work it asks for in any order and at any pace, and reads what became true::

    session.feed(pcm)
    while (work := session.next_work()) is not None:
        session.complete(carry_out(work))
    for event in session.events():
        ...

What keeps text independent of how the audio was cut: scored frames are taken in one by one, and
as soon as one of them makes a live window due, no further frame is taken until that window has
been handed out. With prompt answers the same audio therefore leads to the same windows, whatever
the size of the pieces it came in. With late answers windows end later, and finals stay final.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import assert_never

from streaming.core.attribution import NOBODY_NAMED, Attribution
from streaming.core.domain import FRAME, SAMPLE_RATE, Pcm, Samples, Span, UtteranceId
from streaming.core.endpointing import Boundary, Endpointer
from streaming.core.errors import BacklogFull, SessionFinished
from streaming.core.events import EngineFailed, Event
from streaming.core.pcm import AudioBuffer
from streaming.core.ports import Effort, RecognitionWindow
from streaming.core.recognition import Recognition, Wanted
from streaming.core.settings import (
    DIARIZATION_WINDOW,
    LONGEST_DIARIZATION_STEP,
    SessionSettings,
)
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

FRAMES_AT_ONCE = 32
"""Voice-activity frames scored in one piece of work: about 3 ms of computing for 1 s of audio."""

ATTEMPTS = 3
"""Failures in a row of one engine after which the session gives up."""

LONGEST_FLUSH = Samples(6 * SAMPLE_RATE)
"""Diarization windows after the end reach so far at most: diart's latency never exceeds 5 s."""

LONGEST_UNHEARD = Samples(60 * SAMPLE_RATE)
"""Silence that a diarizer hears nothing of, at most: it keeps what it knows of all time between."""


class StreamSession:
    """One speaker's connection, heard; owned by one runner, called from one task."""

    def __init__(
        self,
        settings: SessionSettings,
        start: Samples = Samples(0),
        first_utterance: UtteranceId = UtteranceId(0),
    ) -> None:
        """Begin a session, or go on with one whose earlier part is done with.

        Args:
            settings: Fixed for the session's life.
            start: Number of the first sample that will be fed.
            first_utterance: Number of the first utterance.
        """
        self._settings = settings
        self._audio = AudioBuffer(start)
        self._endpoints = Endpointer(settings.endpoints, start)
        self._attribution = Attribution(start if settings.diarization else NOBODY_NAMED)
        self._events: list[Event] = []
        self._recognition = Recognition(
            settings,
            first_utterance,
            self._events.append,
            self._attribution,
        )
        self._scores: deque[float] = deque()
        self._live: Wanted | None = None
        self._diarized_until = start
        self._flush_at: deque[Samples] = deque()
        self._end: Samples | None = None
        self._out: dict[WorkId, Wanted | Score | Diarize] = {}
        self._last_id = 0
        self._failures: dict[str, int] = {}
        self._broken = False

    @property
    def room(self) -> Samples:
        """How much audio `feed` takes now."""
        held = self._audio.end - self._audio.start
        return Samples(max(0, self._settings.capacity - held))

    @property
    def received(self) -> Samples:
        """End of the newest audio fed."""
        return self._audio.end

    @property
    def processed(self) -> Samples:
        """How far speech was recognised and silence passed over.

        With a diarizer also: to the end of its next window, which is not due before.
        """
        reached = [self._endpoints.position, self._audio.end]
        if (heard := self._recognition.heard_until) is not None:
            reached.append(heard)
        if self._settings.diarization:
            reached.append(self._next_diarized)
        return Samples(min(reached))

    @property
    def step(self) -> Samples:
        """New audio between the last two live windows: grows when answers come late."""
        return self._recognition.step

    @property
    def skipped_passes(self) -> int:
        """Utterance passes left out under load so far."""
        return self._recognition.skipped_passes

    @property
    def finished(self) -> bool:
        """Whether `finish` was called and nothing is left to do, or the session gave up."""
        if self._broken:
            return True
        return (
            self._end is not None
            and self._endpoints.position >= self._end
            and not self._scores
            and not self._out
            and self._recognition.idle
            and self._diarize_next() is None
        )

    def feed(self, pcm: Pcm) -> None:
        """Take audio; it is copied.

        Args:
            pcm: Mono float32 at 16 kHz, of any length up to `room`.

        Raises:
            BacklogFull: There is more of it than `room`; nothing was taken.
            SessionFinished: `finish` was called before.
        """
        if self._end is not None:
            raise SessionFinished("no audio expected after the end of the session")
        if len(pcm) > self.room:
            raise BacklogFull(self.room, len(pcm))
        self._audio.append(pcm)

    def flush(self) -> None:
        """Make everything fed so far final: the utterance going on ends here.

        A last frame that is not whole yet belongs to what comes after.

        Raises:
            SessionFinished: `finish` was called before.
        """
        if self._end is not None:
            raise SessionFinished("no flush expected after the end of the session")
        place = Samples(self._audio.end - self._beyond_frames())
        if place not in self._flush_at:
            self._flush_at.append(place)
        self._advance()

    def finish(self) -> None:
        """Take no more audio; everything pending becomes final as its last work completes."""
        if self._end is None:
            self._end = self._audio.end
            self._flush_at.append(self._end)
            self._advance()

    def events(self) -> Sequence[Event]:
        """Return what became true since the last call, oldest first."""
        events = tuple(self._events)
        self._events.clear()
        return events

    def next_work(self) -> Work | None:
        """Return the next piece of work, or `None` until audio or results come.

        A piece that failed is returned again, under a new id.
        """
        if self._broken:
            return None
        self._advance()
        # A pass before more frames: audio that came all at once is heard as if it came in pieces.
        return self._live_work() or self._pass_work() or self._score_work() or self._diarize_work()

    def renewed(self, work: Recognize) -> Recognize:
        """Return a live window that is out with the audio that came since it was asked for.

        For work whose turn comes after it had to wait. What is no live window, or is not awaited
        any more, is returned as it is.
        """
        asked = self._out.get(work.id)
        if not isinstance(asked, Wanted) or asked.effort is not Effort.LIVE or self._broken:
            return work
        endpoints = self._endpoints
        newer = self._recognition.renewed(endpoints.position, endpoints.voiced_until)
        if newer is None or newer.span == asked.span:
            return work
        self._out[work.id] = newer
        return Recognize(work.id, self._window(newer), work.optional)

    def caught_up(self, work: Diarize) -> Diarize:
        """Return a diarization window that is out as many steps later as there is audio for.

        For work that comes late: windows then lie `LONGEST_DIARIZATION_STEP` apart at most.
        What is not awaited any more is returned as it is.
        """
        if work.id not in self._out or self._broken:
            return work
        step = self._settings.diarization_step
        newest = Samples(min(self._audio.end, self._endpoints.position + FRAME - 1))
        meanwhile = min(newest - self._diarized_until, LONGEST_DIARIZATION_STEP)
        end = self._diarized_until + max(1, meanwhile // step) * step
        if end == work.start + DIARIZATION_WINDOW:
            return work
        newer = self._diarize(work.id, Samples(end))
        self._out[work.id] = newer
        return newer

    def complete(self, result: Result) -> None:
        """Take the outcome of a piece of work; an id that is not awaited is ignored."""
        asked = self._out.pop(result.id, None)
        if asked is None or self._broken:
            return
        match asked, result:
            case Score(), Scored():
                self._scores.extend(result.probabilities)
            case Wanted(), Recognized():
                self._recognition.answer(asked, result.transcription)
            case Wanted(optional=True), LeftOut():
                self._recognition.leave_out()
            case Diarize(), Diarized():
                self._diarized_until = Samples(asked.start + DIARIZATION_WINDOW)
                self._events += self._attribution.update(result.diarization)
            case _, Failed():
                self._failed(asked, result.reason)
            case _:
                raise TypeError(f"the outcome of {asked} expected, got {result}")
        if not isinstance(result, Failed | LeftOut):
            self._failures.pop(_engine(asked), None)
        self._advance()

    def _advance(self) -> None:
        """Take in scored frames up to the next live window that is due."""
        while self._live is None and not self._broken:
            self._flush_due()
            endpoints = self._endpoints
            self._recognition.settle_pause(endpoints.position, endpoints.voiced_until)
            self._live = self._recognition.wanted(endpoints.position, endpoints.voiced_until)
            if self._live is not None or not self._scores:
                break
            boundary = endpoints.push(self._scores.popleft())
            if boundary in (Boundary.ENDED, Boundary.CUT):
                self._end_utterance()
            if boundary in (Boundary.BEGAN, Boundary.CUT):
                self._recognition.begin(Samples(min(endpoints.needed_from, self._audio.end)))
        self._pass_silence()
        self._forget()

    def _pass_silence(self) -> None:
        """Leave out diarization windows that hear nothing but silence after what is fixed."""
        chosen = self._settings
        fixed = Samples(self._diarized_until - chosen.diarization_latency)
        silent = self._endpoints.voiced_until + chosen.endpoints.lead <= fixed
        if chosen.diarization and silent and not self._awaits(Diarize):
            while self._scored_until(self._next_diarized) and not self._begins_minute():
                self._diarized_until = self._next_diarized

    def _flush_due(self) -> None:
        """End the utterance where a flush was asked for, once that place is reached."""
        while self._flush_at and self._endpoints.position >= self._flush_at[0]:
            self._flush_at.popleft()
            if self._endpoints.flush() is Boundary.ENDED:
                self._end_utterance()

    def _end_utterance(self) -> None:
        """End the utterance where its last frame does, or the audio before the frame is over."""
        whole, end = self._endpoints.utterance, self._audio.end
        heard = Span(Samples(min(whole.start, end)), Samples(min(whole.end, end)))
        self._recognition.end(heard, self._endpoints.voiced_until)

    def _forget(self) -> None:
        """Let go of audio and turns that nothing will ask for again."""
        needed = [self._endpoints.needed_from]
        if (start := self._recognition.needed_from) is not None:
            needed.append(start)
        self._attribution.forget(min(needed))
        if self._settings.diarization:
            needed.append(Samples(self._next_diarized - DIARIZATION_WINDOW))
        self._audio.forget(min(needed))

    def _live_work(self) -> Recognize | None:
        if self._live is None:
            return None
        wanted, self._live = self._live, None
        return self._recognize(wanted)

    def _pass_work(self) -> Recognize | None:
        wanted = self._recognition.wanted_pass()
        return None if wanted is None else self._recognize(wanted)

    def _recognize(self, wanted: Wanted) -> Recognize:
        work = Recognize(self._next_id(), self._window(wanted), wanted.optional)
        self._out[work.id] = wanted
        return work

    def _window(self, wanted: Wanted) -> RecognitionWindow:
        return RecognitionWindow(
            start=wanted.span.start,
            pcm=self._audio.read(wanted.span),
            effort=wanted.effort,
            language=wanted.language,
            hotwords=self._settings.hotwords,
            expected=wanted.expected,
            kept=wanted.kept,
        )

    def _score_work(self) -> Score | None:
        if self._scores or self._awaits(Score):
            return None
        start = self._endpoints.position
        unscored = max(0, self._audio.end - start)
        last = self._end is not None and self._beyond_frames() > 0
        frames = unscored // FRAME + last
        if frames == 0:
            return None
        span = Span(start, Samples(start + min(frames, FRAMES_AT_ONCE) * FRAME))
        work = Score(self._next_id(), start, self._audio.read(span).reshape(-1, FRAME))
        self._out[work.id] = work
        return work

    def _diarize_next(self) -> Samples | None:
        """Return the end of the next diarization window, if there is one now or to be expected."""
        if not self._settings.diarization:
            return None
        end = self._next_diarized
        if self._end is None:
            heard = end <= self._audio.end and self._scored_until(end)
            return end if heard else None
        beyond = self._diarized_until - self._end
        fixed = self._attribution.fixed_until >= self._end
        return None if fixed or beyond >= LONGEST_FLUSH else end

    def _diarize_work(self) -> Diarize | None:
        end = self._diarize_next()
        if end is None or self._awaits(Diarize):
            return None
        work = self._diarize(self._next_id(), end)
        self._out[work.id] = work
        return work

    def _diarize(self, number: WorkId, end: Samples) -> Diarize:
        start = Samples(end - DIARIZATION_WINDOW)
        return Diarize(number, start, self._audio.read(Span(start, end)))

    @property
    def _next_diarized(self) -> Samples:
        """End of the next diarization window, when the machine keeps up."""
        return Samples(self._diarized_until + self._settings.diarization_step)

    def _begins_minute(self) -> bool:
        """Whether the next diarization window is the first one to end in a minute."""
        return self._next_diarized % LONGEST_UNHEARD < self._settings.diarization_step

    def _scored_until(self, end: Samples) -> bool:
        """Whether the whole frames before `end` were scored."""
        return end < self._endpoints.position + FRAME

    def _beyond_frames(self) -> Samples:
        """Return how much audio there is after the last whole frame."""
        return Samples(max(0, self._audio.end - self._endpoints.position) % FRAME)

    def _awaits(self, kind: type[Score] | type[Diarize]) -> bool:
        return any(isinstance(asked, kind) for asked in self._out.values())

    def _next_id(self) -> WorkId:
        self._last_id += 1
        return WorkId(self._last_id)

    def _failed(self, asked: Wanted | Score | Diarize, reason: str) -> None:
        """Ask again, or give up when one engine failed too often in a row."""
        if isinstance(asked, Wanted):
            self._recognition.answer(asked, None)
        engine = _engine(asked)
        self._failures[engine] = self._failures.get(engine, 0) + 1
        if self._failures[engine] >= ATTEMPTS:
            self._broken = True
            self._events.append(EngineFailed(engine, reason))


def _engine(asked: Wanted | Score | Diarize) -> str:
    match asked:
        case Wanted():
            return "recognizer"
        case Score():
            return "vad"
        case Diarize():
            return "diarizer"
        case _:
            assert_never(asked)
