"""One utterance while the live pass listens to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from streaming.core.agreement import Agreement
from streaming.core.domain import Samples, Span, UtteranceId, Word
from streaming.core.settings import SessionSettings


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
        self.finals: list[Word] = []
        self._agreement = Agreement(settings.lookahead, settings.max_delay)
        self._rules = settings.live
        self._window_start = start

    @property
    def pending(self) -> tuple[Word, ...]:
        """Words that are not final."""
        return self._agreement.pending

    @property
    def stable(self) -> int:
        """How many of the pending words two passes agree on."""
        return self._agreement.stable

    def end(self, span: Span, speech_end: Samples) -> None:
        """Fix where the utterance ends."""
        self.span = span
        self.speech_end = speech_end

    def window(self, until: Samples, floor: Samples) -> tuple[Span, str]:
        """Return the next window to recognise, and the final text that lies in it.

        A window that would grow too long begins at a final word instead; the words before it
        leave the prefix.

        Args:
            until: End of the window.
            floor: End of the last final word of all. It lies in this utterance only where the
                one before was cut in running speech after its words were final.
        """
        if not self.finals:
            self._window_start = Samples(min(max(self.start, floor), until))
        if until - self._window_start > self._rules.longest_window:
            latest = until - self._rules.context
            starts = [w.span.start for w in self.finals if w.span.start <= latest]
            self._window_start = max([self._window_start, *starts[-1:]])
        inside = (w.text for w in self.finals if w.span.start >= self._window_start)
        return Span(self._window_start, until), "".join(inside)

    def hear(self, words: Iterable[Word], until: Samples) -> tuple[Word, ...]:
        """Take the hypothesis of the window that ended at `until`; return the new finals."""
        self.heard_until = until
        final = self._agreement.push(self._placed(words, until), until)
        self.finals += final
        return final

    def consider(self, words: Iterable[Word], until: Samples) -> None:
        """Take a hypothesis that must not become final yet: its language is not certain."""
        self.heard_until = until
        self._agreement.consider(self._placed(words, until))

    def settle(self) -> tuple[Word, ...]:
        """Make everything pending final before the utterance is over, and return it."""
        final = self._agreement.close()
        self.finals += final
        return final

    def close(self) -> tuple[Word, ...]:
        """Make everything pending final, and return it.

        Where running speech was cut, words after the cut are left to the next utterance.
        """
        end = self.heard_until if self.span is None else self.span.end
        final = tuple(word for word in self._agreement.close() if word.span.start < end)
        self.finals += final
        return final

    def _placed(self, words: Iterable[Word], until: Samples) -> tuple[Word, ...]:
        floor = self.finals[-1].span.end if self.finals else self._window_start
        return in_order(words, Span(floor, Samples(max(floor, until))))
