"""Speaker turns against the truth: the diarization error rate, as pyannote.metrics counts it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadtest.recordings import TrueTurn
from loadtest.scoring import Token
from offline.diarization import VoiceTurn
from streaming.core.domain import SAMPLE_RATE, Span, Speaker, Turn, from_ms

COLLAR_S = 0.25
"""What NIST leaves out on each side of an edge of a true turn (RT-09 plan, section 6)."""


PAUSE_S = 0.5
"""Silence within a turn, at most: words of one speaker further apart are two turns."""


@dataclass(frozen=True, slots=True)
class DiarizationErrors:
    """Seconds that can be added up over recordings, overlapping speech counted once a speaker.

    Attributes:
        speech_s: Speech.
        wrong_s: Of it missed, invented, or of another speaker.
        core_speech_s: Speech, without `COLLAR_S` on each side of the edges of turns.
        core_wrong_s: As `wrong_s`, likewise.
    """

    speech_s: float = 0.0
    wrong_s: float = 0.0
    core_speech_s: float = 0.0
    core_wrong_s: float = 0.0

    def __add__(self, other: DiarizationErrors) -> DiarizationErrors:
        """Return the seconds of both."""
        return DiarizationErrors(
            self.speech_s + other.speech_s,
            self.wrong_s + other.wrong_s,
            self.core_speech_s + other.core_speech_s,
            self.core_wrong_s + other.core_wrong_s,
        )

    @property
    def rate(self) -> float:
        """Diarization error rate without a collar."""
        return self.wrong_s / self.speech_s if self.speech_s else 0.0

    @property
    def core_rate(self) -> float:
        """Diarization error rate with a collar of `COLLAR_S`."""
        return self.core_wrong_s / self.core_speech_s if self.core_speech_s else 0.0


def diarization_errors(
    true: Iterable[TrueTurn], heard: Sequence[Turn], duration_s: float
) -> DiarizationErrors:
    """Compare turns over a whole recording; speakers are matched as it suits best."""
    # Seconds of imports, for reports with speakers only.
    from pyannote.core import Annotation, Segment, Timeline  # noqa: PLC0415
    from pyannote.metrics.diarization import DiarizationErrorRate  # noqa: PLC0415

    reference, hypothesis = Annotation(), Annotation()
    for number, turn in enumerate(true):
        reference[Segment(turn.start_s, turn.end_s), number] = turn.speaker
    for number, said in enumerate(heard):
        segment = Segment(said.span.start / SAMPLE_RATE, said.span.end / SAMPLE_RATE)
        hypothesis[segment, number] = said.speaker
    whole = Timeline([Segment(0.0, duration_s)])
    # Its collar is what is left out in all, on both sides of an edge.
    all_of_it, core = (
        DiarizationErrorRate(collar=2 * collar_s)(reference, hypothesis, uem=whole, detailed=True)
        for collar_s in (0.0, COLLAR_S)
    )
    return DiarizationErrors(
        speech_s=all_of_it["total"],
        wrong_s=_wrong_s(all_of_it),
        core_speech_s=core["total"],
        core_wrong_s=_wrong_s(core),
    )


def _wrong_s(counts: dict[str, float]) -> float:
    return counts["missed detection"] + counts["false alarm"] + counts["confusion"]


def turns_of_words(words: Iterable[Token]) -> tuple[Turn, ...]:
    """Return the turns that a reader of words sees: all that one speaker says in a row.

    Pauses up to `PAUSE_S` belong to the turn, words of nobody to none.
    """
    turns: list[Turn] = []
    for word in words:
        if word.speaker is None:
            continue
        span = Span(from_ms(round(1000 * word.start_s)), from_ms(round(1000 * word.end_s)))
        last = turns[-1] if turns else None
        goes_on = last is not None and last.speaker == word.speaker
        if last is not None and goes_on and span.start - last.span.end <= PAUSE_S * SAMPLE_RATE:
            end = max(last.span.end, span.end)
            turns[-1] = Turn(Span(last.span.start, end), last.speaker)
        else:
            turns.append(Turn(span, Speaker(word.speaker)))
    return tuple(turns)


def as_turns(found: Iterable[VoiceTurn]) -> tuple[Turn, ...]:
    """Return the turns of an offline diarization as those of a session."""
    return tuple(
        Turn(Span(from_ms(turn.start_ms), from_ms(turn.end_ms)), Speaker(voice_name(turn.voice)))
        for turn in found
    )


def voice_name(voice: int) -> str:
    """Return what a voice of an offline diarization is called in reports."""
    return f"V{voice + 1}"
