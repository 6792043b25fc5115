"""From voice-activity scores to what a recognizer is to hear at once (pure).

Speech is what two thresholds with hysteresis call voiced, with some audio around it: the same rule
as in `streaming.core.endpointing`, but with the whole audio at hand. Windows are made of speech and
of the short pauses in it. Each begins and ends in silence wherever there is any: where speech goes
on for longer than a window can be, it is cut at the widest pause, and at the quietest frame only
where there is no pause at all. What is not speech is in no window, except pauses inside.

Boundaries depend on the scores alone, so the same audio has the same windows every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from streaming.core.domain import FRAME, Samples, Span, from_ms


@dataclass(frozen=True, slots=True)
class WindowRules:
    """What is speech, and what is heard together.

    Attributes:
        begin: Probability from which a frame begins speech.
        go_on: Probability from which it goes on.
        lead: Audio taken in before speech and kept after it.
        minimum: Voiced audio that makes speech; less is a click.
        apart: Silence that ends a window in any case.
        longest: Of a window. Whisper hears 30 s, of which some has to be silence.
    """

    begin: float = 0.5
    go_on: float = 0.35
    lead: Samples = from_ms(250)
    minimum: Samples = from_ms(96)
    apart: Samples = from_ms(2_000)
    longest: Samples = from_ms(28_000)

    def __post_init__(self) -> None:
        """Refuse windows in which nothing fits.

        Raises:
            ValueError: `longest` is too short for a frame of speech with its leads.
        """
        if self.longest < 4 * FRAME:
            raise ValueError(f"windows of at least {4 * FRAME} samples expected: {self.longest}")


def speech_in(scores: Sequence[float], span: Span, rules: WindowRules) -> list[Span]:
    """Return where somebody speaks: spans in time order that do not touch.

    Args:
        scores: One for each frame of `span`, from its start; the last may be cut by its end.
        span: What was scored, on the session's clock.
        rules: What is speech.
    """
    found: list[Span] = []
    voiced: list[int] = []
    for first, end in _voiced(scores, rules):
        start = span.start + first * FRAME - rules.lead
        stop = span.start + end * FRAME + rules.lead
        around = Span(Samples(max(span.start, start)), Samples(min(span.end, stop)))
        if found and around.start <= found[-1].end:
            found[-1] = Span(found[-1].start, around.end)
            voiced[-1] += end - first
        else:
            found.append(around)
            voiced.append(end - first)
    enough = (frames * FRAME >= rules.minimum for frames in voiced)
    return [speech for speech, is_speech in zip(found, enough, strict=True) if is_speech]


def windows_of(
    speech: Sequence[Span], scores: Sequence[float], span: Span, rules: WindowRules
) -> list[Span]:
    """Return what is to be heard at once: spans in time order that do not overlap.

    Each sample of `speech` is in one of them, and each begins and ends where speech does, or where
    speech that is too long was cut.

    Args:
        speech: What `speech_in` found.
        scores: What it was found in.
        span: Likewise.
        rules: What is heard together.
    """
    pieces = [piece for each in speech for piece in _cut(each, scores, span.start, rules.longest)]
    windows: list[Span] = []
    while pieces:
        count = _fitting(pieces, rules)
        windows.append(Span(pieces[0].start, pieces[count - 1].end))
        pieces = pieces[count:]
    return windows


def _voiced(scores: Sequence[float], rules: WindowRules) -> Iterable[tuple[int, int]]:
    """Yield stretches `[first, end)` of voiced frames."""
    first: int | None = None
    for frame, score in enumerate(scores):
        if first is None:
            first = frame if score >= rules.begin else None
        elif score < rules.go_on:
            yield first, frame
            first = None
    if first is not None:
        yield first, len(scores)


def _cut(speech: Span, scores: Sequence[float], start: Samples, longest: Samples) -> list[Span]:
    """Cut speech without a pause so that each piece fits, at its quietest frames."""
    pieces: list[Span] = []
    while speech.length > longest:
        # In the second half of what fits, so that no piece is short.
        first = -(-(speech.start + longest // 2 - start) // FRAME)
        end = (speech.start + longest - start) // FRAME
        # The latest of the quietest ones; cut in the middle of it.
        quietest = min(range(first, end), key=lambda frame: (scores[frame], -frame))
        at = Samples(start + quietest * FRAME + FRAME // 2)
        pieces.append(Span(speech.start, at))
        speech = Span(at, speech.end)
    return [*pieces, speech]


def _fitting(pieces: Sequence[Span], rules: WindowRules) -> int:
    """Return how many of the first pieces make a window."""
    gaps = [after.start - before.end for before, after in pairwise(pieces)]
    for count, gap in enumerate(gaps, start=1):
        if gap >= rules.apart:
            return count
        if pieces[count].end - pieces[0].start > rules.longest:
            # The widest pause in the second half, or in all of it; of equal ones the latest.
            half = pieces[0].start + rules.longest // 2
            late = [n for n in range(1, count + 1) if pieces[n - 1].end >= half]
            return max(late or range(1, count + 1), key=lambda n: (gaps[n - 1], n))
    return len(pieces)
