"""One utterance while the live pass listens to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from streaming.core.agreement import Agreement, agreement_key
from streaming.core.domain import Samples, Span, UtteranceId, Word, from_ms
from streaming.core.settings import SessionSettings

JITTER = from_ms(60)
"""Three steps of a word's time from attention. A word that repeats the last final one and begins
earlier than this before its end is that word, heard again; later, it was said twice."""


def in_order(words: Iterable[Word], within: Span) -> tuple[Word, ...]:
    """Return the words clipped to `within`, none starting before the one before it ends.

    Attention-based word times jitter; what is promised of finals is made true here.
    """
    ordered: list[Word] = []
    floor = within.start
    for word in words:
        start = Samples(min(max(word.span.start, floor), within.end))
        floor = Samples(min(max(word.span.end, start), within.end))
        ordered.append(replace(word, span=Span(start, floor)))
    return tuple(ordered)


class Utterance:
    """What the live pass knows of one utterance; owned by `Recognition`."""

    def __init__(self, number: UtteranceId, start: Samples, settings: SessionSettings) -> None:
        """Begin an utterance at `start`."""
        self.id = number
        self.start = start
        self.span: Span | None = None
        """The whole utterance, once it ended."""
        self.speech_end = start
        """End of its last voiced frame, as far as heard."""
        self.heard_until = start
        """End of the newest window that was recognised."""
        self.heard_from = start
        """Words before this, if any, became final in the utterance that was cut off before."""
        self.finals: list[Word] = []
        self.kept: object = None
        """What the recognizer keeps of the newest window."""
        self._heard: tuple[Word, ...] = ()
        self._rules = settings.live
        self._agreement = Agreement(settings.lookahead, settings.max_delay, self._rules.sure)
        self._window_start = start

    @property
    def pending(self) -> tuple[Word, ...]:
        """Words that are not final."""
        return self._agreement.pending

    @property
    def stable(self) -> int:
        """How many of the pending words two passes agree on."""
        return self._agreement.stable

    @property
    def doubtful(self) -> bool:
        """Whether a word of it may be wrong, or speech was overlooked."""
        words = self.finals
        if not words or self.speech_end - words[-1].span.end >= self._rules.overlooked:
            return True
        return any(word.confidence < self._rules.doubtful for word in words)

    def end(self, span: Span, speech_end: Samples) -> None:
        """Fix where the utterance ends."""
        self.span = span
        self.speech_end = speech_end

    def window(self, until: Samples, speech_end: Samples, floor: Samples) -> Span:
        """Return the next window to recognise.

        One that would grow too long begins at a final word instead, and one that follows a window
        which overlooked speech after the last final word.

        Args:
            until: End of the window.
            speech_end: End of the newest voiced frame.
            floor: End of the last final word of all. It lies in this utterance only where the
                one before was cut in running speech after its words were final.
        """
        if not self.finals:
            self.heard_from = self._window_start = Samples(min(max(self.start, floor), until))
        if until - self._window_start > self._rules.longest_window:
            latest = until - self._rules.context
            starts = [w.span.start for w in self.finals if w.span.start <= latest]
            self._window_start = max([self._window_start, *starts[-1:]])
        if self._overlooked(speech_end):
            self._window_start = self.finals[-1].span.end
        return Span(self._window_start, until)

    @property
    def unheard(self) -> bool:
        """Whether the newest window overlooked speech, and began before the last final word."""
        return self._overlooked(self.speech_end) and self._window_start < self.finals[-1].span.end

    def _overlooked(self, speech_end: Samples) -> bool:
        """Whether the newest window ended its text at the last final word, and speech went on."""
        if self.pending or not self.finals:
            return False
        end = self.heard_until if self.span is None else min(self.heard_until, self.span.end)
        return min(speech_end, end) - self.finals[-1].span.end >= self._rules.overlooked

    def expected(self, start: Samples) -> str:
        """Return what the last window heard after `start`, punctuation and all."""
        return "".join(word.text for word in _lying_after(self._heard, start))

    def hear(self, words: Sequence[Word], until: Samples) -> tuple[Word, ...]:
        """Take the hypothesis of the window that ended at `until`; return the new finals."""
        self.heard_until = max(self.heard_until, until)
        self._heard = tuple(words)
        final = self._agreement.push(self._placed(words, until), until)
        self.finals += final
        return final

    def consider(self, words: Sequence[Word], until: Samples) -> None:
        """Take a hypothesis that must not become final yet: its language is not certain."""
        self.heard_until = max(self.heard_until, until)
        self._heard = tuple(words)
        self._agreement.consider(self._placed(words, until))

    def settle(self) -> tuple[Word, ...]:
        """Make everything pending final before the utterance is over, and return it.

        The next window begins where this one did: a bare beginning is heard badly.
        """
        final = self._agreement.close()
        self.finals += final
        return final

    def close(self) -> tuple[Word, ...]:
        """Make everything pending final, and return it.

        Where running speech was cut, words after the cut are left to the next utterance.
        """
        self.kept = None
        end = self.heard_until if self.span is None else self.span.end
        final = tuple(word for word in self._agreement.close() if word.span.start < end)
        self.finals += final
        return final

    def _placed(self, words: Iterable[Word], until: Samples) -> tuple[Word, ...]:
        """Return what of a window's words comes after the final ones, in order."""
        floor = self.finals[-1].span.end if self.finals else self._window_start
        return in_order(self._after_finals(words, floor), Span(floor, Samples(max(floor, until))))

    def _after_finals(self, words: Iterable[Word], floor: Samples) -> list[Word]:
        """Leave out words that are final already; times of one word differ from pass to pass."""
        fresh = _lying_after(words, floor)
        if self.finals and fresh and fresh[0].span.start < floor - JITTER:
            last = agreement_key(self.finals[-1].text)
            return fresh[1:] if agreement_key(fresh[0].text) == last else fresh
        return fresh


def _lying_after(words: Iterable[Word], at: Samples) -> list[Word]:
    """Return the words of which more lies after `at` than before."""
    return [word for word in words if word.span.start + word.span.end > 2 * at]
