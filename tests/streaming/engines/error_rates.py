"""How wrong speaker turns are: the diarization error rate, and the words given to the wrong voice.

Source: NIST, "The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan", section 6:
speech missed, speech invented and speech of the wrong speaker, over the speech there is, with the
speakers matched as it suits the system best. Counted in cells of 10 ms; on the conversations of
`tests/data` within 0.1 points of pyannote.metrics.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt

from streaming.core.attribution import speaker_of
from streaming.core.domain import SAMPLE_RATE, Samples, Span, Speaker, Turn
from tests.streaming.engines.recordings import SPEECH

_CELL = SAMPLE_RATE // 100
_COLLAR = 25

Activity = npt.NDArray[np.bool_]
"""Which speaker is active in which cell: `(speakers, cells)`."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Counts that can be added up over recordings.

    Attributes:
        words: Words in the recording.
        misattributed: Those of them given to nobody, or to another speaker.
        speech: Cells of speech, once for each speaker.
        wrong: Cells missed, invented or of another speaker.
        core_speech: As `speech`, without 0.25 s on each side of the edges of turns.
        core_wrong: As `wrong`, likewise.
    """

    words: int
    misattributed: int
    speech: int
    wrong: int
    core_speech: int
    core_wrong: int

    def __add__(self, other: Errors) -> Errors:
        """Return the counts of both."""
        return Errors(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def rates(self) -> tuple[float, float, float]:
        """Percent of words, and diarization error rate without and with collar."""
        return (
            100 * self.misattributed / self.words,
            100 * self.wrong / self.speech,
            100 * self.core_wrong / self.core_speech,
        )


def errors(conversation: str, turns: Sequence[Turn], cells: int) -> Errors:
    """Compare turns with the truth of a conversation of `tests/data`, `cells` long."""
    truth = _true_turns(conversation)
    reference, hypothesis = _activity(truth, cells), _activity(turns, cells)
    wrong, wrong_core = _wrong(reference, hypothesis, _core(reference))
    words = _word_counts(conversation, turns)
    return Errors(
        words=words.total(),
        misattributed=words.total() - _matched(words),
        speech=int(reference.sum()),
        wrong=wrong,
        core_speech=int(reference[:, _core(reference)].sum()),
        core_wrong=wrong_core,
    )


def _span(start_s: float, end_s: float) -> Span:
    return Span(Samples(round(start_s * SAMPLE_RATE)), Samples(round(end_s * SAMPLE_RATE)))


def _true_turns(conversation: str) -> list[Turn]:
    lines = (SPEECH / "conversations" / f"{conversation}.rttm").read_text(encoding="utf-8")
    fields = [line.split() for line in lines.splitlines()]
    return [
        Turn(_span(float(start), float(start) + float(length)), Speaker(speaker))
        for _, _, _, start, length, _, _, speaker, *_ in fields
    ]


def _activity(turns: Sequence[Turn], cells: int) -> Activity:
    speakers = sorted({turn.speaker for turn in turns})
    activity = np.zeros((len(speakers), cells), dtype=np.bool_)
    for turn in turns:
        first, end = round(turn.span.start / _CELL), round(turn.span.end / _CELL)
        activity[speakers.index(turn.speaker), first:end] = True
    return activity


def _core(reference: Activity) -> npt.NDArray[np.bool_]:
    """Return the cells that are not close to an edge of a turn."""
    core = np.ones(reference.shape[1], dtype=np.bool_)
    for _, edge in np.argwhere(np.diff(reference.astype(np.int8), axis=1)):
        core[max(0, edge + 1 - _COLLAR) : edge + 1 + _COLLAR] = False
    return core


def _wrong(
    reference: Activity, hypothesis: Activity, core: npt.NDArray[np.bool_]
) -> tuple[int, int]:
    """Return the wrong cells: all, and those within `core`, with the best match of speakers."""
    size = max(len(reference), len(hypothesis))
    padded = np.pad(hypothesis, ((0, size - len(hypothesis)), (0, 0)))
    correct = max(
        ((reference & padded[list(order)]) for order in permutations(range(size), len(reference))),
        key=lambda both: int(both.sum()),
    ).sum(axis=0)
    wrong = np.maximum(reference.sum(axis=0), hypothesis.sum(axis=0)) - correct
    return int(wrong.sum()), int(wrong[core].sum())


def _word_counts(conversation: str, turns: Sequence[Turn]) -> Counter[tuple[str, str]]:
    """Count words by who said them and to whom they are given."""
    text = (SPEECH / "conversations" / f"{conversation}.words.json").read_text(encoding="utf-8")
    return Counter(
        (word["speaker"], speaker_of(_span(word["start"], word["end"]), turns) or "")
        for word in json.loads(text)
    )


def _matched(words: Counter[tuple[str, str]]) -> int:
    """Return how many words are right with the best match of speakers."""
    true = sorted({speaker for speaker, _ in words})
    given = sorted({voice for _, voice in words} - {""})
    given += [""] * (len(true) - len(given))
    return max(
        sum(words[pair] for pair in zip(true, order, strict=True) if pair[1])
        for order in permutations(given, len(true))
    )
