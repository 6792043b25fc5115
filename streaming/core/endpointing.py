"""Voice-activity scores in, utterances out.

An utterance is what one pass of the recognizer hears as a whole: speech up to a pause. Two
thresholds with hysteresis decide what is voiced (0.5 to begin, 0.35 to go on: Silero's own
`get_speech_timestamps`). The pause that ends an utterance shrinks as the utterance grows, so
that long monologues break at breaths rather than in the middle of a word; one that has no pause
at all is cut at its quietest frame. Boundaries depend on the audio alone, never on when results
of models arrive: two runs over the same audio have the same utterances.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from streaming.core.domain import FRAME, Samples, Span, from_ms


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """When speech begins and ends. Defaults: see the module and the accuracy report in `loadtest`.

    Attributes:
        begin: Probability from which a frame counts as voiced while nobody speaks.
        go_on: Probability from which it still does while somebody speaks.
        lead: Audio taken in before the first voiced frame, and kept after the last one.
        minimum: Voiced audio that makes an utterance; less is a click.
        pause: Silence that ends an utterance of ordinary length.
        breath: Silence that ends one longer than `long`.
        long: Length from which a breath is enough.
        longest: Length at which an utterance is cut whatever is said.
    """

    begin: float = 0.5
    go_on: float = 0.35
    lead: Samples = from_ms(250)
    minimum: Samples = from_ms(96)
    pause: Samples = from_ms(700)
    breath: Samples = from_ms(200)
    long: Samples = from_ms(20_000)
    longest: Samples = from_ms(28_000)


class Boundary(Enum):
    """What a frame changed."""

    NONE = auto()
    BEGAN = auto()
    """An utterance began; `Endpointer.utterance` says where."""
    ENDED = auto()
    """The utterance ended; `Endpointer.utterance` is its whole span."""
    CUT = auto()
    """The utterance grew too long: it ended, and another begins right there, still voiced."""


class Endpointer:
    """Turns frame probabilities into utterance boundaries; owned by one `StreamSession`."""

    def __init__(self, rules: EndpointRules, start: Samples) -> None:
        """Begin in silence at `start`."""
        self._rules = rules
        self._position = start
        self._floor = start
        self._began: Samples | None = None
        self._voiced_from: Samples | None = None
        self._voiced_until = start
        self._quietest: tuple[float, Samples] = (1.0, start)
        self.utterance = Span(start, start)

    @property
    def position(self) -> Samples:
        """End of the last frame pushed."""
        return self._position

    @property
    def silence(self) -> Samples:
        """How long nothing voiced was heard; zero right after a voiced frame."""
        return Samples(self._position - self._voiced_until)

    @property
    def voiced_until(self) -> Samples:
        """End of the last voiced frame."""
        return self._voiced_until

    @property
    def needed_from(self) -> Samples:
        """Earliest sample that a present or future utterance can begin with."""
        if self._began is not None:
            return self._began
        voiced = self._position if self._voiced_from is None else self._voiced_from
        return Samples(max(self._floor, voiced - self._rules.lead))

    def push(self, probability: float) -> Boundary:
        """Take the next frame's probability of speech, and say what it changed."""
        frame_start = self._position
        self._position = Samples(frame_start + FRAME)
        if self._began is None:
            return self._push_in_silence(probability, frame_start)
        if probability >= self._rules.go_on:
            self._voiced_until = self._position
        return self._push_in_speech(probability, frame_start)

    def flush(self) -> Boundary:
        """End the utterance now, if one is going on."""
        if self._began is None:
            self._voiced_from = None
            return Boundary.NONE
        self._end_at(Samples(min(self._voiced_until + self._rules.lead, self._position)))
        return Boundary.ENDED

    def _push_in_silence(self, probability: float, frame_start: Samples) -> Boundary:
        rules = self._rules
        threshold = rules.begin if self._voiced_from is None else rules.go_on
        if probability < threshold:
            self._voiced_from = None
            return Boundary.NONE
        if self._voiced_from is None:
            self._voiced_from = frame_start
        if self._position - self._voiced_from < rules.minimum:
            return Boundary.NONE
        self._began = Samples(max(self._floor, self._voiced_from - rules.lead))
        self._voiced_until = self._position
        self._quietest = (1.0, self._position)
        self.utterance = Span(self._began, self._position)
        return Boundary.BEGAN

    def _push_in_speech(self, probability: float, frame_start: Samples) -> Boundary:
        rules = self._rules
        assert self._began is not None
        length = self._position - self._began
        self.utterance = Span(self._began, self._position)
        if self.silence >= (rules.breath if length >= rules.long else rules.pause):
            return self.flush()
        if length >= rules.long and probability <= self._quietest[0]:
            self._quietest = (probability, Samples(frame_start + FRAME // 2))
        if length < rules.longest:
            return Boundary.NONE
        return self._cut()

    def _cut(self) -> Boundary:
        """Split at the quietest frame since the utterance became long, and go on from there."""
        voiced_until, position = self._voiced_until, self._position
        self._end_at(self._quietest[1])
        self._began = self._floor
        self._voiced_until = Samples(max(voiced_until, self._floor))
        self._quietest = (1.0, position)
        return Boundary.CUT

    def _end_at(self, end: Samples) -> None:
        assert self._began is not None
        self.utterance = Span(self._began, Samples(max(end, self._began)))
        self._floor = self.utterance.end
        self._began = None
        self._voiced_from = None
