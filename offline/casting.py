"""Which speaker of a transcript each voice of an accurate pass is.

Two hearings of the same speech are compared by time: who spoke when, as the transcript has it, with
which voice spoke when; and by what the voices sound like (see `voices`). So a name that a person
gave stays with the voice that it was given to.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from offline.domain import PassId, SpeakerId, TurnId
from offline.results import HeardVoice, HeardWord
from offline.view import View
from offline.voices import identify


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Somebody speaks in `[start_ms, end_ms)`."""

    start_ms: int
    end_ms: int
    speaker: SpeakerId


def cast(
    view: View,
    passes: Collection[PassId],
    chosen: Mapping[TurnId, SpeakerId],
    words: Sequence[HeardWord],
    voices: Sequence[HeardVoice],
    known: Mapping[SpeakerId, Sequence[bytes]],
) -> dict[int, SpeakerId]:
    """Return who the voices are that are speakers of the transcript already.

    Args:
        view: The transcript.
        passes: Those over the same audio: other microphones hear others at the same time.
        chosen: Who speaks in some turns as people say, above what machines say.
        words: On the transcript's clock, with their voices.
        voices: Those of the words.
        known: What speakers of the transcript sounded like.
    """
    stretches = _stretches(view, passes, {**view.speakers, **chosen})
    starts = [stretch.start_ms for stretch in stretches]
    spoken: Counter[int] = Counter()
    agreed: Counter[tuple[int, SpeakerId]] = Counter()
    for heard in words:
        if heard.voice is None:
            continue
        word = heard.word
        length_ms = max(word.end_ms - word.start_ms, 1)
        spoken[heard.voice] += length_ms
        place = bisect_right(starts, (word.start_ms + word.end_ms) // 2) - 1
        if place >= 0 and (word.start_ms + word.end_ms) // 2 < stretches[place].end_ms:
            agreed[heard.voice, stretches[place].speaker] += length_ms
    said = [HeardVoice(voice.print, spoken[number]) for number, voice in enumerate(voices)]
    found = identify(said, agreed, known)
    return {voice: speaker for voice, speaker in found.items() if spoken[voice]}


def _stretches(
    view: View, passes: Collection[PassId], speakers: Mapping[TurnId, SpeakerId]
) -> list[_Stretch]:
    """Return who speaks when, in order, as the words that stand in the text say."""
    found: list[_Stretch] = []
    turn: TurnId | None = None
    for run in view.runs:
        turn = run.turn or turn
        segment = run.segment
        if turn is None or segment not in view.pieces or segment.pass_id not in passes:
            continue
        speaker, said = speakers.get(turn), view.said(segment)
        if speaker is not None:
            found.append(_Stretch(said[0].start_ms, said[-1].end_ms, speaker))
    return sorted(found, key=lambda stretch: stretch.start_ms)
