"""Which windows a session has recognised, when, and what becomes of the answers.

Live windows and utterance passes of one session each go one at a time: a live window is taken
when enough new speech was heard since the last one (`LiveRules.step`), right after speech stops,
and once more at the end where that did not cover it. While an answer is awaited nothing is queued:
the next window simply ends later, so that under load steps grow and nothing piles up. And a window
that had to wait ends when its turn comes, not when it was asked for (`renewed`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streaming.core.attribution import Attribution
from streaming.core.combination import combine
from streaming.core.domain import Samples, Span, UtteranceId, Word
from streaming.core.events import (
    Correction,
    Event,
    Final,
    LanguageDetected,
    Partial,
    SpeechStarted,
    UtteranceEnded,
)
from streaming.core.ports import Effort, Transcription
from streaming.core.settings import FinalsMode, SessionSettings
from streaming.core.utterance import Utterance, in_order


@dataclass(frozen=True, slots=True)
class Wanted:
    """A window that should be recognised now: the audio, and what is known about it."""

    utterance: Utterance
    span: Span
    effort: Effort
    language: str | None
    expected: str = ""
    kept: object = field(default=None, repr=False, compare=False)
    optional: bool = False


class Recognition:
    """The utterances of one session that are not done with; owned by its `StreamSession`."""

    def __init__(
        self,
        settings: SessionSettings,
        first: UtteranceId,
        emit: Callable[[Event], None],
        attribution: Attribution,
    ) -> None:
        """Begin with no utterance.

        Args:
            settings: Of the session.
            first: Number of the first utterance.
            emit: Receives each event as it becomes true.
            attribution: Of the same session: knows the speakers.
        """
        self._settings = settings
        self._next_id = first
        self._emit = emit
        self._attribution = attribution
        self._open: deque[Utterance] = deque()
        self._passes: deque[Utterance] = deque()
        self._listening: Wanted | None = None
        self._rehearing = False
        self._floor = Samples(0)
        self._language = settings.language
        self._told: tuple[UtteranceId, tuple[Word, ...], int] | None = None
        self._last_step = settings.live.step
        self.skipped_passes = 0
        """Utterance passes that were dropped under load."""

    @property
    def idle(self) -> bool:
        """Whether every utterance heard so far is done with."""
        return not (self._open or self._passes)

    @property
    def step(self) -> Samples:
        """New audio between the last two live windows of one utterance."""
        return self._last_step

    @property
    def needed_from(self) -> Samples | None:
        """Earliest sample that a window may still ask for; `None` when there is none."""
        starts = [utterance.start for utterance in (*self._open, *self._passes)]
        return min(starts, default=None)

    @property
    def heard_until(self) -> Samples | None:
        """How far the live pass got in the oldest open utterance; `None` when none is open."""
        return self._open[0].heard_until if self._open else None

    def begin(self, start: Samples) -> None:
        """An utterance began."""
        self._open.append(Utterance(self._next_id, start, self._settings))
        self._emit(SpeechStarted(self._next_id, start))
        self._next_id = UtteranceId(self._next_id + 1)

    def end(self, span: Span, speech_end: Samples) -> None:
        """The utterance that began last is over."""
        self._open[-1].end(span, speech_end)
        self._settle()

    def settle_pause(self, position: Samples, speech_end: Samples) -> None:
        """Make final what was heard to its end, once the look-ahead after it was silent."""
        if not self._open or self._open[0].span is not None or self._language is None:
            return
        utterance = self._open[0]
        rules = self._settings.live
        silence = position - speech_end
        heard = utterance.heard_until >= speech_end + rules.closing_silence // 2
        if heard and silence >= max(self._settings.lookahead, rules.closing_silence):
            self._finalise(utterance, utterance.settle())
            self._tell_partial(utterance)

    def wanted(self, position: Samples, speech_end: Samples) -> Wanted | None:
        """Return the live window that is due now, if one is; it is not asked for again.

        Args:
            position: End of the newest scored frame.
            speech_end: End of the newest voiced frame.
        """
        if self._listening is not None or not self._open:
            return None
        utterance = self._open[0]
        if not self._due(utterance, position, speech_end):
            return None
        return self._listen(utterance, position, speech_end)

    def renewed(self, position: Samples, speech_end: Samples) -> Wanted | None:
        """Return the live window that is out as it would be asked for now, if one is.

        Args:
            position: End of the newest scored frame.
            speech_end: End of the newest voiced frame.
        """
        asked = self._listening
        if asked is None or asked.utterance not in self._open:
            return asked
        return self._listen(asked.utterance, position, speech_end, asked.span.end)

    def wanted_pass(self) -> Wanted | None:
        """Return the next utterance to be heard once more, if one waits and none is out."""
        if self._rehearing or not self._passes:
            return None
        self._rehearing = True
        utterance = self._passes[0]
        assert utterance.span is not None
        span = Span(min(utterance.heard_from, utterance.span.end), utterance.span.end)
        optional = self._settings.finals is FinalsMode.WORD
        return Wanted(utterance, span, Effort.UTTERANCE, self._language, optional=optional)

    def answer(self, wanted: Wanted, heard: Transcription | None) -> None:
        """Take the answer for a window, or `None` when it failed and is to be asked for again."""
        if wanted.effort is Effort.UTTERANCE:
            self._rehearing = False
            if heard is not None:
                self._corrected(wanted, heard)
        else:
            self._listening = None
            # For an utterance that is closed an answer comes too late to matter.
            if heard is not None and wanted.utterance in self._open:
                self._heard(wanted, heard)

    def leave_out(self) -> None:
        """Do without the pass that is out, an optional one, and without those that wait for it.

        The machine has no time for them either, and a session must not wait for each in turn.
        """
        self._rehearing = False
        self.skipped_passes += len(self._passes)
        self._passes.clear()

    def _listen(
        self,
        utterance: Utterance,
        position: Samples,
        speech_end: Samples,
        least: Samples = Samples(0),
    ) -> Wanted:
        """Ask for the live window of an utterance as it is now, which ends at `least` or later."""
        until = Samples(max(least, utterance.span.end if utterance.span else position))
        if until > utterance.heard_until:  # not where one is for what the last one overlooked
            self._last_step = Samples(until - utterance.heard_until)
        span = utterance.window(until, speech_end, self._floor)
        expected = utterance.expected(span.start)
        self._listening = Wanted(
            utterance, span, Effort.LIVE, self._language, expected, utterance.kept
        )
        return self._listening

    def _due(self, utterance: Utterance, position: Samples, speech_end: Samples) -> bool:
        if utterance.span is not None:
            return True
        unheard_speech = speech_end > utterance.heard_until
        rules = self._settings.live
        if position - speech_end >= rules.closing_silence:
            return utterance.heard_until < speech_end + rules.closing_silence // 2
        return unheard_speech and position - utterance.heard_until >= rules.step

    def _heard(self, wanted: Wanted, heard: Transcription) -> None:
        utterance, until = wanted.utterance, wanted.span.end
        utterance.kept = heard.kept
        if self._settle_language(wanted, heard) is None:
            utterance.consider(heard.words, until)
        else:
            self._finalise(utterance, utterance.hear(heard.words, until))
        self._tell_partial(utterance)
        self._settle()

    def _settle_language(self, wanted: Wanted, heard: Transcription) -> str | None:
        """Return the session's language, once it was given or heard for long enough."""
        rules = self._settings.live
        if self._language is not None or heard.language is None:
            return self._language
        likely = heard.language.confidence >= rules.language_confidence
        enough = rules.language_after if likely else rules.language_surely_after
        if wanted.span.length >= enough:
            self._language = heard.language.code
            self._emit(LanguageDetected(heard.language))
        return self._language

    def _finalise(self, utterance: Utterance, words: Sequence[Word]) -> None:
        if words and self._settings.finals is FinalsMode.WORD:
            self._floor = words[-1].span.end
            self._emit(Final(utterance.id, self._attribution.commit(words)))

    def _tell_partial(self, utterance: Utterance) -> None:
        """Tell the words that are not final, unless that is what was told last."""
        words = utterance.pending
        stable = utterance.stable
        if self._settings.finals is FinalsMode.UTTERANCE:
            stable += len(utterance.finals)
            words = (*utterance.finals, *words)
        told = (utterance.id, self._attribution.label(words), stable)
        if self._settings.partials and told != self._told:
            self._told = told
            self._emit(Partial(*told))

    def _settle(self) -> None:
        """Close the utterances that ended and whose speech was heard to its end.

        What the last window overlooked is asked for by one that begins there: the pass that would
        find it may be left out.
        """
        while self._open and (span := self._open[0].span) is not None:
            utterance = self._open[0]
            rest = self._settings.live.closing_silence // 2
            if utterance.heard_until < min(span.end, utterance.speech_end + rest):
                return
            self._finalise(utterance, utterance.close())
            if utterance.unheard and self._settings.finals is FinalsMode.WORD:
                return
            self._open.popleft()
            if self._settings.finals is FinalsMode.WORD:
                self._emit(UtteranceEnded(utterance.id, span))
            self._queue_pass(utterance)

    def _queue_pass(self, utterance: Utterance) -> None:
        rules = self._settings.live
        droppable = self._settings.finals is FinalsMode.WORD
        if droppable and not utterance.doubtful:
            return
        self._passes.append(utterance)
        if droppable and len(self._passes) - self._rehearing > rules.waiting_passes:
            # The one being heard stays in front; the oldest that waits goes.
            skipped = self._passes[1 if self._rehearing else 0]
            self._passes.remove(skipped)
            self.skipped_passes += 1

    def _corrected(self, wanted: Wanted, heard: Transcription) -> None:
        utterance = wanted.utterance
        self._passes.popleft()
        live = _lying_in(wanted.span, utterance.finals)
        words = in_order(combine(live, heard.words), wanted.span)
        if self._settings.finals is FinalsMode.UTTERANCE:
            if words:
                self._emit(Final(utterance.id, self._attribution.commit(words)))
            self._emit(UtteranceEnded(utterance.id, wanted.span))
        elif words and _text(words) != _text(live):
            labelled = self._attribution.correct(wanted.span, words)
            self._emit(Correction(utterance.id, wanted.span, labelled))


def _text(words: Sequence[Word]) -> str:
    return "".join(word.text for word in words)


def _lying_in(span: Span, words: Sequence[Word]) -> list[Word]:
    """Return what a correction of `span` replaces; words may be final beyond a cut made later."""
    return [word for word in words if word.span.start + word.span.end <= 2 * span.end]
