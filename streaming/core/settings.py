"""What one session may choose, and the rules that all of a server's sessions share."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from streaming.core.domain import SAMPLE_RATE, Samples, from_ms
from streaming.core.endpointing import EndpointRules

DIARIZATION_WINDOW = Samples(5 * SAMPLE_RATE)
"""Length of a diarization window (diart's default)."""

SHORTEST_DIARIZATION_LATENCY = from_ms(500)


LONGEST_DIARIZATION_STEP = from_ms(2_000)
"""Distance between the diarization windows of a session whose windows wait for their turn.

It costs half of what steps of 1 s do, and a few more errors (`docs/performance.md`).
"""


def diarization_step(latency: Samples) -> Samples:
    """Return the distance between the diarization windows of a session, when the machine keeps up.

    It is diart's 0.5 s where labels are fixed before 2 s. Who waits that long gets steps of 1 s,
    which cost half as much, and no more errors (`docs/performance.md`).
    """
    return from_ms(500) if latency < from_ms(2_000) else from_ms(1_000)


class FinalsMode(Enum):
    """Which pass a session's final words come from."""

    WORD = "word"
    """From the live pass, word by word; the utterance pass sends corrections."""
    UTTERANCE = "utterance"
    """From the utterance pass: later, better, and never corrected."""


@dataclass(frozen=True, slots=True)
class LiveRules:
    """How the live pass listens. Measured with `python -m loadtest accuracy` and `latency`.

    Attributes:
        step: New speech after which a window is recognised again, when the machine keeps up.
        closing_silence: Silence after which the words before it are recognised once more at
            once, so that they are known when the pause is long enough to end the utterance.
        sure: Confidence, in permille, from which a word is final without a second pass that agrees.
        overlooked: Speech that a window heard after its last word, all of it final: from so much
            on the next window begins after that word. Led by text that is complete, Whisper takes
            a window for complete and overlooks what the next speaker says. On the talks of
            `tests/data` this and `sure` save 11 of 168 live errors, and half of the delay that
            one word in ten has.
        longest_window: A live window that would be longer begins at a later final word.
        context: Audio of final words kept in such a window: less costs accuracy.
        language_after: Speech from which a detected language is believed when it is likely.
        language_surely_after: Speech from which it is believed in any case.
        language_confidence: What likely means, in permille. Of 154 utterances in three languages,
            Whisper base took one for another language with 500 to 700 at two seconds, and none
            with more; nearly all reach 800 by then.
        doubtful: An utterance is heard once more when it is over if the confidence of a word in it
            is below this, in permille, in `FinalsMode.WORD`. Nearly as many errors are mended as if
            each were, at half the cost.
        waiting_passes: Utterance passes that may wait; beyond, the oldest is dropped in
            `FinalsMode.WORD` (its finals stand uncorrected). More than a full `capacity` holds of
            ordinary utterances: audio faster than real time waits for its passes instead.
    """

    step: Samples = from_ms(500)
    closing_silence: Samples = from_ms(200)
    sure: int = 800
    overlooked: Samples = from_ms(700)
    longest_window: Samples = from_ms(14_000)
    context: Samples = from_ms(6_000)
    language_after: Samples = from_ms(2_000)
    language_surely_after: Samples = from_ms(6_000)
    language_confidence: int = 800
    doubtful: int = 300
    waiting_passes: int = 16


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Settings of one session, fixed for its life.

    Attributes:
        lookahead: Audio heard after a word before it is final: the dial between speed and
            certainty, 0..5 s.
        max_delay: Audio heard after any word from which it is final in any case.
        language: ISO 639-1 code, or `None` to detect it.
        hotwords: Words to favour.
        finals: Which pass the finals come from.
        partials: Whether words that may change are told at all.
        diarization: Whether speakers are told apart.
        diarization_latency: Audio heard after a word before its speaker is fixed, 0.5..5 s; up to
            1.5 s more where windows wait for the machine.
        capacity: Audio the session holds at most, heard and unheard together.
        endpoints: When an utterance begins and ends.
        live: How the live pass listens.
    """

    lookahead: Samples = from_ms(300)
    max_delay: Samples = from_ms(4_000)
    language: str | None = None
    hotwords: tuple[str, ...] = ()
    finals: FinalsMode = FinalsMode.WORD
    partials: bool = True
    diarization: bool = True
    diarization_latency: Samples = from_ms(2_000)
    capacity: Samples = from_ms(60_000)
    endpoints: EndpointRules = field(default_factory=EndpointRules)
    live: LiveRules = field(default_factory=LiveRules)

    @property
    def diarization_step(self) -> Samples:
        """Distance between diarization windows, when the machine keeps up."""
        return diarization_step(self.diarization_latency)

    def __post_init__(self) -> None:
        """Refuse a capacity in which the longest utterance could never end."""
        least = self.endpoints.longest + 2 * DIARIZATION_WINDOW
        if self.capacity < least:
            raise ValueError(f"capacity of at least {least} samples expected, got {self.capacity}")
