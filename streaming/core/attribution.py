"""Words and speaker turns together: who said which word.

Text and voices come from different models at different times. A word's text may be final before
its speaker is known; the label it was sent with may be revised until the diarizer's answer for its
time is fixed. `Attribution` holds the turns heard lately and the final words whose speaker can
still change, and nothing older.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streaming.core.domain import Samples, Span, Speaker, Turn, Word, from_ms
from streaming.core.events import SpeakerRevised
from streaming.core.ports import Diarization

REACH = from_ms(400)
"""A word outside all turns belongs to the nearest turn that is at most this far away: word times
from attention and turns from segmentation differ by up to a few hundred milliseconds."""

NOBODY_NAMED = Samples(2**63 - 1)
"""Start of an `Attribution` without a diarizer: no word waits for a speaker."""


def speaker_of(span: Span, turns: Sequence[Turn]) -> Speaker | None:
    """Return who speaks during `span`: the largest overlap, else the nearest within `REACH`.

    Among equals the turn that began last wins: it is the one who took over.
    """
    best: Turn | None = None
    best_rank = (0, -REACH - 1)
    for turn in turns:
        distance = max(turn.span.start - span.end, span.start - turn.span.end, 0)
        rank = (span.overlap(turn.span), -distance)
        if distance <= REACH and rank >= best_rank:
            best, best_rank = turn, rank
    return None if best is None else best.speaker


class Attribution:
    """Turns and the words waiting for a fixed speaker; owned by one `StreamSession`."""

    def __init__(self, start: Samples) -> None:
        """Begin with no turn known and nothing fixed after `start`."""
        self._turns: list[Turn] = []
        self._fixed_until = start
        self._open: list[Word] = []

    @property
    def fixed_until(self) -> Samples:
        """Up to here no speaker will change any more."""
        return self._fixed_until

    def label(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """Return the words with the speakers known now."""
        return tuple(replace(word, speaker=speaker_of(word.span, self._turns)) for word in words)

    def commit(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """Label words that are final, and remember those whose speaker may still change."""
        labelled = self.label(words)
        self._open += [word for word in labelled if word.span.end > self._fixed_until]
        return labelled

    def correct(self, span: Span, words: Sequence[Word]) -> tuple[Word, ...]:
        """Label words that stand for the final ones in `span`, and remember them instead."""
        self._open = [word for word in self._open if not span.overlap(word.span)]
        labelled = self.commit(words)
        self._open.sort(key=lambda word: word.span.start)
        return labelled

    def update(self, diarization: Diarization) -> list[SpeakerRevised]:
        """Take the diarizer's newest answer, and return what it changed of final words."""
        known = [turn for turn in self._turns if turn.span.start < self._fixed_until]
        kept = (_clipped(turn, self._fixed_until) for turn in known)
        self._turns = _joined([*kept, *diarization.turns])
        self._fixed_until = Samples(max(self._fixed_until, diarization.fixed_until))
        return self._revise()

    def forget(self, before: Samples) -> None:
        """Drop turns that end before `before`, where no word will become final any more.

        Turns at words whose speaker may still be revised are kept: voices may come later than text.
        """
        starts = [word.span.start for word in self._open[:1]]
        needed = min([before, *starts]) - REACH
        self._turns = [turn for turn in self._turns if turn.span.end > needed]

    def _revise(self) -> list[SpeakerRevised]:
        """Label the open words again; one revision for each run of words with a new speaker."""
        revised: list[SpeakerRevised] = []
        still_open: list[Word] = []
        last_changed = False
        for word in self._open:
            speaker = speaker_of(word.span, self._turns)
            if word.span.end > self._fixed_until:
                still_open.append(replace(word, speaker=speaker))
            changed = speaker != word.speaker
            if changed and last_changed and revised[-1].speaker == speaker:
                revised[-1] = SpeakerRevised(Span(revised[-1].span.start, word.span.end), speaker)
            elif changed:
                revised.append(SpeakerRevised(word.span, speaker))
            last_changed = changed
        self._open = still_open
        return revised


def _clipped(turn: Turn, end: Samples) -> Turn:
    return Turn(Span(turn.span.start, Samples(min(turn.span.end, end))), turn.speaker)


def _joined(turns: Sequence[Turn]) -> list[Turn]:
    """Return the turns by start, those of one speaker that touch made one."""
    joined: dict[Speaker, list[Turn]] = {}
    for turn in sorted(turns, key=lambda each: each.span.start):
        mine = joined.setdefault(turn.speaker, [])
        if mine and turn.span.start <= mine[-1].span.end:
            end = Samples(max(mine[-1].span.end, turn.span.end))
            mine[-1] = Turn(Span(mine[-1].span.start, end), turn.speaker)
        else:
            mine.append(turn)
    return sorted((t for mine in joined.values() for t in mine), key=lambda each: each.span.start)
